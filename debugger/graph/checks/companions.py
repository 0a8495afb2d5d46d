"""Rules about companion threads."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator

from debugger.graph.checks.context import (
    CheckContext,
    Finding,
    Refusal,
    describe_edge,
    flag,
    join,
    quote,
    rule,
)
from debugger.graph.graph import Graph
from debugger.protocol.workflow import EdgeConfig

_THREAD_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_RESERVED = "_companion_"


@rule("error", Refusal.COMPANION)
def several_direct_edges(context: CheckContext) -> Iterator[Finding]:
    """Report several direct edges without exactly one for the thread itself.

    Source: V1 in ``platform.md#validation``.
    """
    for node in context.nodes:
        direct = context.graph.direct(node.logical_id)
        own = [edge for edge in direct if not edge.forks_companion]
        if len(direct) > 1 and len(own) != 1:
            which = f"{len(own)} of them are" if own else "none of them is"
            yield Finding(
                node,
                f"has {len(direct)} direct edges and {which} without the companion flag: "
                f"{join(edge.logical_id for edge in own or direct)}. Exactly one may be.",
                "Flag all but one with 'companion_thread_config', or make them conditional.",
            )


@rule("error", Refusal.COMPANION)
def companion_waits(context: CheckContext) -> Iterator[Finding]:
    """Report companion threads that reach a node that waits for the user.

    Source: V2 in ``platform.md#validation``.
    """
    graph = context.graph
    waits = {node.logical_id for node in context.nodes if flag(node, "wait_for_user_message")}
    for fork, node_ids in arrivals(graph, forking_edges(graph), waits):
        for node_id in node_ids:
            yield Finding(
                graph.nodes[node_id],
                f"has 'wait_for_user_message' on, but the companion thread of {describe_edge(fork)} arrives "
                "at it and never gets a message.",
                "Set 'wait_for_user_message' to false, or keep the node out of the companion.",
                edge_logical_id=fork.logical_id,
            )


@rule("error", Refusal.COMPANION)
def companion_forks(context: CheckContext) -> Iterator[Finding]:
    """Report companion threads forked inside companion threads, each once.

    Source: V3 in ``platform.md#validation``.
    """
    forks = forking_edges(context.graph)
    inside: defaultdict[str, list[EdgeConfig]] = defaultdict(list)
    for fork in forks:
        inside[fork.source_node_logical_id or ""].append(fork)
    for outer, node_ids in arrivals(context.graph, forks, frozenset(inside)):
        for node_id in node_ids:
            for inner in inside.pop(node_id, ()):
                yield Finding(
                    inner,
                    f"forks a companion thread inside the one of {describe_edge(outer)}.",
                    "Fork both from the main path, or unflag the inner one.",
                    node_logical_id=node_id,
                )


@rule("error", Refusal.COMPANION)
def companion_shares_nodes(context: CheckContext) -> Iterator[Finding]:
    """Report nodes that a companion thread and the main path share.

    Source: V4 in ``platform.md#validation``. Transitions to global nodes do not count: companions have
    none (``platform.md#companion-threads``).
    """
    main = main_path(context.graph)
    forks = [fork for fork in forking_edges(context.graph) if fork.source_node_logical_id in main]
    for fork, shared in arrivals(context.graph, forks, main):
        labels = join(context.graph.nodes[node_id].label for node_id in shared)
        yield Finding(
            f"The companion thread of {describe_edge(fork)}",
            f"and the main path share nodes: {labels}.",
            "Give the companion thread nodes of its own.",
            shared[0],
            fork.logical_id,
        )


@rule("error", Refusal.COMPANION)
def companion_thread_id(context: CheckContext) -> Iterator[Finding]:
    """Report malformed thread ids.

    Source: V5 in ``platform.md#validation``.
    """
    for edge in _flagged(context):
        fault = _fault_of_thread_id(edge)
        if fault:
            yield Finding(
                edge,
                f"has the 'thread_id' {quote(_thread_id(edge) or '')}, {fault}.",
                "Use letters, digits, '_' and '-', or leave it out.",
            )


@rule("error", Refusal.COMPANION)
def duplicate_thread_id(context: CheckContext) -> Iterator[Finding]:
    """Report thread ids that several edges have.

    Source: V5 in ``platform.md#validation``.
    """
    groups: defaultdict[str, list[EdgeConfig]] = defaultdict(list)
    for edge in _flagged(context):
        groups[_thread_id(edge) or ""].append(edge)
    for thread_id, edges in groups.items():
        if thread_id and len(edges) > 1:
            yield Finding(
                f"The 'thread_id' {quote(thread_id)}",
                f"must be unique, and {len(edges)} edges have it: {join(edge.logical_id for edge in edges)}.",
                "Give each companion thread an id of its own.",
                edge_logical_id=edges[1].logical_id,
            )


def _flagged(context: CheckContext) -> list[EdgeConfig]:
    return [edge for edge in context.edges if edge.type == "direct" and edge.forks_companion]


def _thread_id(edge: EdgeConfig) -> str | None:
    return edge.companion_thread_config.thread_id if edge.companion_thread_config else None


def _fault_of_thread_id(edge: EdgeConfig) -> str:
    """Return what is wrong with an edge's thread id, as a clause; empty for a valid id and without one."""
    thread_id = _thread_id(edge)
    if thread_id is None:
        return ""
    if not thread_id.strip():
        return "which is empty"
    if thread_id == "0":
        return "which is the id of the main thread"
    if _RESERVED in thread_id:
        return f"which contains {_RESERVED!r}"
    return "" if _THREAD_ID.fullmatch(thread_id) else "which has characters that it may not have"


def forking_edges(graph: Graph) -> list[EdgeConfig]:
    """Return the edges that fork a companion thread.

    On an only direct edge the flag has no effect.
    """
    forks: list[EdgeConfig] = []
    for node_id, node in graph.nodes.items():
        if not node.disabled:
            main = graph.main_direct(node_id)
            forks += [edge for edge in graph.direct(node_id) if edge.forks_companion and edge is not main]
    return forks


def main_path(graph: Graph) -> dict[str, None]:
    """Return the nodes that the main thread can reach, in order."""
    starts = graph.start_nodes
    return _walked(graph, starts[0].logical_id if starts else None, {}, through_forks=False)


def arrivals(
    graph: Graph, forks: Iterable[EdgeConfig], wanted: Container[str]
) -> Iterator[tuple[EdgeConfig, list[str]]]:
    """Yield each fork whose thread can reach wanted nodes, with these.

    Of forks that lead to the same nodes only the first has all of them, and each other one the nearest:
    where thousands meet, every pair is unreadable.
    """
    seen: dict[str, None] = {}
    nearest = _nearest(graph, wanted)
    for fork in forks:
        first = fork.destination_node_logical_id
        found = [node_id for node_id in _walked(graph, first, seen, through_forks=True) if node_id in wanted]
        if not found and first in nearest:
            found = [nearest[first]]
        if found:
            yield fork, found


def _walked(
    graph: Graph, first: str | None, seen: dict[str, None], *, through_forks: bool
) -> dict[str, None]:
    """Return the unseen nodes reachable from a node, itself included; mark them seen.

    A first node that is ``None``, missing or seen gives nothing. Without ``through_forks`` edges that fork a
    companion thread are not followed.
    """
    found = dict.fromkeys([first] if first is not None and first in graph.nodes and first not in seen else [])
    seen.update(found)
    waiting = list(found)
    while waiting:
        for edge in _ways_on(graph, waiting.pop(), through_forks=through_forks):
            next_id = edge.destination_node_logical_id
            if next_id is not None and next_id not in seen:
                seen[next_id] = found[next_id] = None
                waiting.append(next_id)
    return found


def _nearest(graph: Graph, wanted: Container[str]) -> dict[str, str]:
    """Return, by each node that leads to a wanted node, the one that the fewest edges lead to.

    A wanted node has itself; a node from which none is reached is not in the result. Forks are followed.
    """
    before: defaultdict[str, list[str]] = defaultdict(list)
    for node_id in graph.nodes:
        for edge in _ways_on(graph, node_id, through_forks=True):
            before[edge.destination_node_logical_id or ""].append(node_id)
    nearest = {node_id: node_id for node_id in graph.nodes if node_id in wanted}
    order = list(nearest)
    for node_id in order:  # grows while it is walked
        for earlier in before[node_id]:
            if earlier not in nearest:
                nearest[earlier] = nearest[node_id]
                order.append(earlier)
    return nearest


def _ways_on(graph: Graph, node_id: str, *, through_forks: bool) -> list[EdgeConfig]:
    """Return the enabled edges that a thread may take from a node.

    A disabled node has its main direct edge alone. Without ``through_forks`` edges that fork a companion
    thread are left out. An unknown id raises ``KeyError``.
    """
    main = graph.main_direct(node_id)
    if graph.nodes[node_id].disabled:
        return [main] if main else []
    return [
        edge
        for edge in graph.find_outgoing_edges(node_id)
        if through_forks or edge.type != "direct" or not edge.forks_companion or edge is main
    ]

"""Rules about companion threads."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from debugger.graph.checks.companion_reach import arrivals, forking_edges, main_path
from debugger.graph.checks.naming import listed, of_edge, of_node, quoted
from debugger.graph.checks.problem import Problem
from debugger.graph.checks.subject import Subject, flag
from debugger.protocol.workflow import EdgeConfig

CATEGORY = "Invalid companion configuration"
"""The heading under which the platform refuses to save a workflow with such a fault (``wire.md`` 1.8)."""

_THREAD_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_RESERVED = "_companion_"


def several_direct_edges(subject: Subject) -> Iterator[Problem]:
    """Of several direct edges exactly one is the thread's own; the others fork companion threads.

    Source: V1 in ``platform/engine.md`` 12.
    """
    for node in subject.nodes:
        direct = subject.graph.direct(node.logical_id)
        own = [edge for edge in direct if not edge.forks_companion]
        if len(direct) > 1 and len(own) != 1:
            which = f"{len(own)} of them are" if own else "none of them is"
            yield Problem(
                "error",
                "several-direct-edges",
                f"{of_node(node)} has {len(direct)} direct edges and {which} without the companion flag: "
                f"{listed(edge.logical_id for edge in own or direct)}. Exactly one may be.",
                node_logical_id=node.logical_id,
                advice="Flag all but one with 'companion_thread_config', or make them conditional.",
                category=CATEGORY,
            )


def companion_waits(subject: Subject) -> Iterator[Problem]:
    """A companion thread never hears the user, so it must not arrive at a node that waits for one.

    Source: V2 in ``platform/engine.md`` 12.
    """
    graph = subject.graph
    waits = {node.logical_id for node in subject.nodes if flag(node, "wait_for_user_message")}
    for fork, node_ids in arrivals(graph, forking_edges(graph), waits):
        for node in map(graph.nodes.__getitem__, node_ids):
            yield Problem(
                "error",
                "companion-waits",
                f"{of_node(node)} has 'wait_for_user_message' on, but the companion thread of "
                f"{of_edge(fork)} arrives at it and never hears the user.",
                node_logical_id=node.logical_id,
                edge_logical_id=fork.logical_id,
                advice="Set 'wait_for_user_message' to false, or keep the node out of the companion.",
                category=CATEGORY,
            )


def companion_forks(subject: Subject) -> Iterator[Problem]:
    """A companion thread forks no companion of its own. Each that is forked so is told once.

    Source: V3 in ``platform/engine.md`` 12.
    """
    forks = forking_edges(subject.graph)
    inside: defaultdict[str, list[EdgeConfig]] = defaultdict(list)
    for fork in forks:
        inside[fork.source_node_logical_id or ""].append(fork)
    for outer, node_ids in arrivals(subject.graph, forks, frozenset(inside)):
        for node_id in node_ids:
            for inner in inside.pop(node_id, ()):
                yield Problem(
                    "error",
                    "companion-forks",
                    f"{of_edge(inner)} forks a companion thread inside the one of {of_edge(outer)}.",
                    node_logical_id=node_id,
                    edge_logical_id=inner.logical_id,
                    advice="Fork both from the main path, or unflag the inner one.",
                    category=CATEGORY,
                )


def companion_shares_nodes(subject: Subject) -> Iterator[Problem]:
    """A companion thread and the main path share no node.

    Source: V4 in ``platform/engine.md`` 12. Hops to global nodes do not count: companions have none (3.5).
    """
    main = main_path(subject.graph)
    forks = [fork for fork in forking_edges(subject.graph) if fork.source_node_logical_id in main]
    for fork, shared in arrivals(subject.graph, forks, main):
        labels = listed(subject.graph.nodes[node_id].label for node_id in shared)
        yield Problem(
            "error",
            "companion-shares-nodes",
            f"The companion thread of {of_edge(fork)} and the main path share nodes: {labels}.",
            node_logical_id=shared[0],
            edge_logical_id=fork.logical_id,
            advice="Give the companion thread nodes of its own.",
            category=CATEGORY,
        )


def companion_thread_id(subject: Subject) -> Iterator[Problem]:
    """The id under which other threads read a companion's variables is a plain word.

    Source: V5 in ``platform/engine.md`` 12.
    """
    for edge in _flagged(subject):
        fault = _fault_of_thread_id(edge)
        if fault:
            yield Problem(
                "error",
                "companion-thread-id",
                f"{of_edge(edge)} has the 'thread_id' {quoted(_thread_id(edge) or '')}, {fault}.",
                edge_logical_id=edge.logical_id,
                advice="Use letters, digits, '_' and '-', or leave it out.",
                category=CATEGORY,
            )


def duplicate_thread_id(subject: Subject) -> Iterator[Problem]:
    """No two companion threads of a workflow have one id.

    Source: V5 in ``platform/engine.md`` 12.
    """
    groups: defaultdict[str, list[EdgeConfig]] = defaultdict(list)
    for edge in _flagged(subject):
        groups[_thread_id(edge) or ""].append(edge)
    for thread_id, edges in groups.items():
        if thread_id and len(edges) > 1:
            yield Problem(
                "error",
                "duplicate-thread-id",
                f"The 'thread_id' {quoted(thread_id)} must be unique, and {len(edges)} edges have it: "
                f"{listed(edge.logical_id for edge in edges)}.",
                edge_logical_id=edges[1].logical_id,
                advice="Give each companion thread an id of its own.",
                category=CATEGORY,
            )


def _flagged(subject: Subject) -> list[EdgeConfig]:
    return [edge for edge in subject.edges if edge.type == "direct" and edge.forks_companion]


def _thread_id(edge: EdgeConfig) -> str | None:
    return edge.companion_thread_config.thread_id if edge.companion_thread_config else None


def _fault_of_thread_id(edge: EdgeConfig) -> str:
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

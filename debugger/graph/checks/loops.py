"""Rules about nodes that run again and again."""

from __future__ import annotations

from collections.abc import Iterator

from debugger.graph.checks.context import CheckContext, Finding, flag, join, quote, rule
from debugger.graph.checks.tools import tools_of
from debugger.graph.graph import Graph
from debugger.graph.node_types import MODEL_NODES
from debugger.protocol.workflow import NodeConfig


@rule("warning")
def retry_beside_direct(context: CheckContext) -> Iterator[Finding]:
    """Report bounded retries that a direct edge ends after one attempt.

    Source: U-7 in ``platform.md#unknowns``.
    """
    for node in context.nodes:
        direct = context.graph.main_direct(node.logical_id)
        if node.self_loop_config and node.self_loop_config.enabled and direct is not None:
            yield Finding(
                node,
                f"has 'self_loop_config' enabled and a direct edge {quote(direct.logical_id)}, which ends "
                "the loop at once.",
                "Make the edge conditional, or switch the loop off.",
                edge_logical_id=direct.logical_id,
            )


@rule("warning")
def endless_loop(context: CheckContext) -> Iterator[Finding]:
    """Report rings of direct edges in which nothing waits for the user.

    Source: ``platform.md#edge-selection``, U-26.
    """
    seen: set[str] = set()
    for node in context.nodes:
        ring = _ring(context.graph, node.logical_id, seen)
        if ring and not any(_lets_out(context.graph, member) for member in ring):
            yield Finding(
                ring[0],
                "is in a ring of direct edges in which nothing waits for the user: "
                f"{join(member.label for member in ring)}.",
                "Make one of the edges conditional, or let a node wait for the user.",
            )


@rule("warning")
def no_way_out(context: CheckContext) -> Iterator[Finding]:
    """Report silent nodes that wait again and again without an exit.

    A node that speaks may continue for ever, as a conversation does.
    """
    paired = {
        edge.destination_node_logical_id for edge in context.graph.edges.values() if edge.type == "companion"
    }
    for node in context.nodes:
        is_stuck = (
            node.type == "worker_llm" and flag(node, "self_loop") and flag(node, "wait_for_user_message")
        )
        if is_stuck and node.logical_id not in paired and not _has_exit(context.graph, node):
            yield Finding(
                node,
                "waits for the user again and again, says nothing, and no edge leads away.",
                "Add a conditional edge, or set 'self_loop' to false.",
            )


@rule("warning")
def python_expiry(context: CheckContext) -> Iterator[Finding]:
    """Report Python code whose time is limited, which the platform cannot interrupt.

    Source: ``platform.md#bounded-self-loop`` and ``platform.md#tools``.
    """
    advice = "Let the code end by itself in time."
    ended = "Python is ended when the time is over here; the platform cannot interrupt it while it computes."
    timed = {node.logical_id: node for node in context.nodes if _expires(node)}
    is_shared_timed = any(node.type in MODEL_NODES for node in timed.values())
    for tool in tools_of(context):
        if tool.type != "inline_python":
            continue
        if is_shared_timed if tool.node_logical_id is None else tool.node_logical_id in timed:
            yield tool.finding(f"runs in a loop with 'expiry_time'. {ended}", advice)
        if tool.config.get("timeout_seconds") is not None:
            yield tool.finding(f"has 'timeout_seconds'. {ended}", advice)


def _expires(node: NodeConfig) -> bool:
    loop = node.self_loop_config
    return loop is not None and loop.enabled and loop.expiry_time is not None


def _ring(graph: Graph, first: str, seen: set[str]) -> list[NodeConfig]:
    """Return the enabled nodes of a new ring of direct edges to which a node leads; mark its path seen.

    Empty where the path ends, or leads to a seen node.
    """
    path: dict[str, None] = {}
    here: str | None = first
    while here is not None and here not in path and here not in seen:
        path[here] = None
        edge = graph.main_direct(here)
        here = edge.destination_node_logical_id if edge else None
    seen.update(path)
    if here is None or here not in path:
        return []
    ids = list(path)
    members = [graph.nodes[node_id] for node_id in ids[ids.index(here) :]]
    return [member for member in members if not member.disabled]


def _lets_out(graph: Graph, node: NodeConfig) -> bool:
    """Return whether a run may pause at a node or leave there.

    At a node with a model that is so if it waits for the user, has a conditional edge, or the workflow has a
    global node; at others only without a type, at a super node, and where a conversation is started.
    """
    if node.type not in MODEL_NODES:
        return node.type in (None, "super_node", "start_conversation")
    leads_elsewhere = bool(graph.conditional(node.logical_id) or graph.global_nodes)
    return flag(node, "wait_for_user_message") or leads_elsewhere


def _has_exit(graph: Graph, node: NodeConfig) -> bool:
    """Return whether a run may leave a node.

    It may by an enabled edge to another node, by a reverse edge of its own, or for another global node.
    """
    elsewhere = (
        edge.destination_node_logical_id != node.logical_id
        for edge in graph.find_outgoing_edges(node.logical_id)
    )
    config = node.global_node_config
    reverse = config is not None and config.reverse_conditional_edge is not None
    return any(elsewhere) or reverse or any(other is not node for other in graph.global_nodes)

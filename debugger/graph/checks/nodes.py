"""Rules about nodes, ids and the start."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from debugger.graph.checks.context import CheckContext, Problem, describe_node, flag, join, quote


def node_without_type(context: CheckContext) -> Iterator[Problem]:
    """Report nodes without a type."""
    for node in context.nodes:
        if not node.type:
            yield Problem(
                "error",
                "node-without-type",
                f"{describe_node(node)} has no type, so there is nothing to run.",
                node_logical_id=node.logical_id,
                advice="Set 'type', or disable the node.",
            )


def unknown_node_type(context: CheckContext) -> Iterator[Problem]:
    """Report nodes of a type that the engine does not run."""
    known = context.known_node_types
    for node in context.nodes:
        if known is not None and node.type and node.type not in known:
            yield Problem(
                "error",
                "unknown-node-type",
                f"{describe_node(node)} has the type {quote(node.type)}, which this engine does not run.",
                node_logical_id=node.logical_id,
                advice=f"Disable the node, or use a type that is run: {', '.join(sorted(known))}.",
            )


def loop_without_wait(context: CheckContext) -> Iterator[Problem]:
    """Report model nodes that loop without waiting for the user.

    Source: ``platform.md#waiting-for-a-message``.
    """
    for node in context.nodes:
        if flag(node, "self_loop") and not flag(node, "wait_for_user_message"):
            by_default = (
                "" if "self_loop" in (node.model_extra or {}) else ", which is the default of its type,"
            )
            yield Problem(
                "error",
                "loop-without-wait",
                f"{describe_node(node)} has 'self_loop' on{by_default} and 'wait_for_user_message' off, "
                "so it would run again and again.",
                node_logical_id=node.logical_id,
                advice="Set 'self_loop' to false, or 'wait_for_user_message' to true.",
            )


def retry_without_bound(context: CheckContext) -> Iterator[Problem]:
    """Report retry loops without a bound.

    Source: V15 in ``platform.md#validation``.
    """
    for node in context.nodes:
        loop = node.self_loop_config
        if loop and loop.enabled and loop.max_retries is None and loop.expiry_time is None:
            yield Problem(
                "error",
                "retry-without-bound",
                f"{describe_node(node)} has 'self_loop_config' enabled without a bound.",
                node_logical_id=node.logical_id,
                advice="Set 'max_retries' or 'expiry_time' in it.",
            )


def unreachable_node(context: CheckContext) -> Iterator[Problem]:
    """Report nodes that cannot be reached from the start."""
    for node in context.graph.unreachable if context.graph.start_nodes else ():
        yield Problem(
            "warning",
            "unreachable-node",
            f"{describe_node(node)} cannot be arrived at from the start.",
            node_logical_id=node.logical_id,
            advice="Add an edge to it, or disable it.",
        )


def no_nodes(context: CheckContext) -> Iterator[Problem]:
    """Report workflows without nodes, which can be stored but not run.

    Source: ``platform.md#workflow-document``.
    """
    if not context.graph.nodes:
        yield Problem(
            "error", "no-nodes", "The workflow has no nodes, so no run can start.", advice="Add a start node."
        )


def no_start_node(context: CheckContext) -> Iterator[Problem]:
    """Report workflows without an enabled start node."""
    if not context.graph.nodes or context.graph.start_nodes:
        return
    flagged = [node for node in context.graph.nodes.values() if node.is_start]
    why = (
        f"{describe_node(flagged[0])} is flagged as the start and disabled"
        if flagged
        else "no node has 'is_start'"
    )
    yield Problem(
        "error",
        "no-start-node",
        f"No run can start: {why}.",
        node_logical_id=flagged[0].logical_id if flagged else None,
        advice="Set 'is_start' on one enabled node.",
    )


def several_start_nodes(context: CheckContext) -> Iterator[Problem]:
    """Report start nodes other than the first, which is always used."""
    first, *others = context.graph.start_nodes or (None,)
    for node in others:
        if node is not None and first is not None:
            yield Problem(
                "warning",
                "several-start-nodes",
                f"{describe_node(node)} is flagged as the start, but runs start at "
                f"{describe_node(first, 'node')}.",
                node_logical_id=node.logical_id,
                advice="Leave 'is_start' set on one node.",
            )


def duplicate_node_id(context: CheckContext) -> Iterator[Problem]:
    """Report ids of several nodes.

    Source: V21 in ``platform.md#validation``.
    """
    for logical_id, nodes in _same_id(context.graph.workflow.node_configs).items():
        yield Problem(
            "error",
            "duplicate-node-id",
            f"{len(nodes)} nodes have the id {quote(logical_id)}: {join(node.label for node in nodes)}.",
            node_logical_id=logical_id,
            advice="Give each node an id of its own and point the edges at the right one.",
        )


def duplicate_edge_id(context: CheckContext) -> Iterator[Problem]:
    """Report ids of several edges.

    Source: V21 in ``platform.md#validation``.
    """
    for logical_id, edges in _same_id(context.graph.workflow.edge_configs).items():
        ends = (f"{edge.source_node_logical_id} → {edge.destination_node_logical_id}" for edge in edges)
        yield Problem(
            "error",
            "duplicate-edge-id",
            f"{len(edges)} edges have the id {quote(logical_id)}: {join(ends)}.",
            edge_logical_id=logical_id,
            advice="Give each edge an id of its own.",
        )


def _same_id(configs: Iterable[Any]) -> dict[str, list[Any]]:
    groups: defaultdict[str, list[Any]] = defaultdict(list)
    for config in configs:
        groups[config.logical_id].append(config)
    return {logical_id: group for logical_id, group in groups.items() if len(group) > 1}

"""Rules about nodes, ids and the start."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from debugger.errors import InputError, RunError
from debugger.graph.checks.context import (
    CheckContext,
    Finding,
    Refusal,
    describe_node,
    flag,
    join,
    own_field,
    quote,
    rule,
)
from debugger.protocol.workflow import NodeConfig


@rule("error")
def node_without_type(context: CheckContext) -> Iterator[Finding]:
    """Report enabled nodes whose type is missing or empty."""
    for node in context.nodes:
        if not node.type:
            yield Finding(
                node, "has no type, so there is nothing to run.", "Set 'type', or disable the node."
            )


@rule("error")
def unknown_node_type(context: CheckContext) -> Iterator[Finding]:
    """Report enabled nodes of a type that the engine does not run.

    Nothing is reported where its types are not known; nodes without a type have a rule of their own.
    """
    known = context.known_node_types
    for node in context.nodes:
        if known is not None and node.type and node.type not in known:
            yield Finding(
                node,
                f"has the type {quote(node.type)}, which this engine does not run.",
                f"Disable the node, or use a type that is run: {', '.join(sorted(known))}.",
            )


@rule("error")
def unreadable_node(context: CheckContext) -> Iterator[Finding]:
    """Report nodes with a value that their type does not allow.

    A run skips them.

    Source: ``platform.md#workflow-document``.
    """
    for node in context.nodes:
        is_known = node.type in (context.known_node_types or ())
        read = context.readers.get(node.type or "") if is_known else None
        try:
            if read is not None:
                read(node)
        except InputError as error:
            what = f"cannot be read as {quote(str(node.type))}, so it is skipped. {error.message}."
            yield Finding(node, what, "Correct this field, or disable the node.")
        except RunError:
            continue  # the rules about tools tell it


@rule("error", Refusal.NODE)
def loop_without_wait(context: CheckContext) -> Iterator[Finding]:
    """Report model nodes whose author has them loop without waiting for the user.

    Source: ``platform.md#waiting-for-a-message``.
    """
    return (_endless(node, "") for node in _endless_nodes(context) if _is_written(node))


@rule("error")
def default_loop_without_wait(context: CheckContext) -> Iterator[Finding]:
    """Report model nodes that loop without waiting for the user by the default of their type.

    They are saved: the default is no choice of the author.

    Source: ``platform.md#waiting-for-a-message``.
    """
    by_default = ", which is the default of its type,"
    return (_endless(node, by_default) for node in _endless_nodes(context) if not _is_written(node))


def _endless_nodes(context: CheckContext) -> Iterator[NodeConfig]:
    return (
        node for node in context.nodes if flag(node, "self_loop") and not flag(node, "wait_for_user_message")
    )


def _is_written(node: NodeConfig) -> bool:
    return own_field(node, "self_loop") is not None


def _endless(node: NodeConfig, why: str) -> Finding:
    """Return the problem of a node that loops without waiting; ``why`` follows the words about the loop."""
    return Finding(
        node,
        f"has 'self_loop' on{why} and 'wait_for_user_message' off, so it would run again and again.",
        "Set 'self_loop' to false, or 'wait_for_user_message' to true.",
    )


@rule("error", Refusal.NODE)
def retry_without_bound(context: CheckContext) -> Iterator[Finding]:
    """Report retry loops without a bound.

    Source: V15 in ``platform.md#validation``.
    """
    for node in context.nodes:
        loop = node.self_loop_config
        if loop and loop.enabled and loop.max_retries is None and loop.expiry_time is None:
            yield Finding(
                node,
                "has 'self_loop_config' enabled without a bound.",
                "Set 'max_retries' or 'expiry_time' in it.",
            )


@rule("warning")
def unreachable_node(context: CheckContext) -> Iterator[Finding]:
    """Report nodes that cannot be reached from the start."""
    for node in context.graph.unreachable if context.graph.start_nodes else ():
        yield Finding(node, "cannot be arrived at from the start.", "Add an edge to it, or disable it.")


@rule("error")
def no_nodes(context: CheckContext) -> Iterator[Finding]:
    """Report workflows without nodes, which can be stored but not run.

    Source: ``platform.md#workflow-document``.
    """
    if not context.graph.nodes:
        yield Finding("The workflow", "has no nodes, so no run can start.", "Add a start node.")


@rule("error")
def no_start_node(context: CheckContext) -> Iterator[Finding]:
    """Report workflows without an enabled start node.

    The first disabled start node is named. A workflow without nodes has a rule of its own.
    """
    if not context.graph.nodes or context.graph.start_nodes:
        return
    flagged = next((node for node in context.graph.nodes.values() if node.is_start), None)
    why = "no node has 'is_start'"
    if flagged is not None:
        why = f"{describe_node(flagged)} is flagged as the start and disabled"
    yield Finding(
        "No run can start:",
        f"{why}.",
        "Set 'is_start' on one enabled node.",
        flagged.logical_id if flagged else None,
    )


@rule("warning")
def several_start_nodes(context: CheckContext) -> Iterator[Finding]:
    """Report enabled start nodes other than the first, which is always used."""
    starts = context.graph.start_nodes
    for node in starts[1:]:
        yield Finding(
            node,
            f"is flagged as the start, but runs start at {describe_node(starts[0], 'node')}.",
            "Leave 'is_start' set on one node.",
        )


@rule("error", Refusal.NODE)
def duplicate_node_id(context: CheckContext) -> Iterator[Finding]:
    """Report ids of several nodes.

    Source: V21 in ``platform.md#validation``.
    """
    for logical_id, nodes in _same_id(context.graph.workflow.node_configs).items():
        yield Finding(
            f"{len(nodes)} nodes",
            f"have the id {quote(logical_id)}: {join(node.label for node in nodes)}.",
            "Give each node an id of its own and point the edges at the right one.",
            node_logical_id=logical_id,
        )


@rule("error", Refusal.EDGE)
def duplicate_edge_id(context: CheckContext) -> Iterator[Finding]:
    """Report ids of several edges.

    Source: V21 in ``platform.md#validation``.
    """
    for logical_id, edges in _same_id(context.graph.workflow.edge_configs).items():
        ends = (f"{edge.source_node_logical_id} → {edge.destination_node_logical_id}" for edge in edges)
        yield Finding(
            f"{len(edges)} edges",
            f"have the id {quote(logical_id)}: {join(ends)}.",
            "Give each edge an id of its own.",
            edge_logical_id=logical_id,
        )


def _same_id(configs: Iterable[Any]) -> dict[str, list[Any]]:
    groups: defaultdict[str, list[Any]] = defaultdict(list)
    for config in configs:
        groups[config.logical_id].append(config)
    return {logical_id: group for logical_id, group in groups.items() if len(group) > 1}

"""Rules about edges evaluated while their source waits for the user."""

from __future__ import annotations

from collections.abc import Iterator

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
from debugger.graph.node_types import MODEL_NODES
from debugger.protocol.workflow import EdgeConfig, EvaluateWhileWaitingConfig, NodeConfig

_FIELD = "evaluate_while_waiting_config"


@rule("error", Refusal.WAITING)
def waiting_without_expression(context: CheckContext) -> Iterator[Finding]:
    """Report waiting edges without an expression; no model is called meanwhile.

    Source: V6 in ``platform.md#validation``.
    """
    for edge, _ in _waiting(context):
        if not (edge.condition and edge.condition.condition_expression):
            yield _at(
                edge,
                f"must have a 'condition_expression', because its {_FIELD!r} is enabled.",
                "Set 'condition_expression', or switch the waiting configuration off.",
            )


@rule("error", Refusal.WAITING)
def waiting_with_freeform(context: CheckContext) -> Iterator[Finding]:
    """Report waiting edges with a freeform condition.

    Source: V7 in ``platform.md#validation``.
    """
    for edge, _ in _waiting(context):
        if edge.condition and edge.condition.condition_freeform:
            yield _at(
                edge,
                f"must not have a 'condition_freeform', because its {_FIELD!r} is enabled.",
                "Remove 'condition_freeform', or make two edges of it.",
            )


@rule("error", Refusal.WAITING)
def waiting_without_trigger(context: CheckContext) -> Iterator[Finding]:
    """Report waiting edges on node completion that name no nodes.

    Source: V8 in ``platform.md#validation``.
    """
    for edge, config in _on_completion(context):
        if not config.trigger_node_logical_ids:
            yield _at(
                edge,
                "has no 'trigger_node_logical_ids', which the mode 'on_node_completion' needs.",
                "Name the nodes, or use the mode 'on_every_background_tick'.",
            )


@rule("error", Refusal.WAITING)
def waiting_on_missing_node(context: CheckContext) -> Iterator[Finding]:
    """Report trigger nodes that do not exist.

    Source: V9 in ``platform.md#validation``.
    """
    for edge, config in _on_completion(context):
        missing = [name for name in config.trigger_node_logical_ids if name not in context.graph.nodes]
        if missing:
            yield _at(
                edge,
                f"has 'trigger_node_logical_ids' that do not exist: {join(missing)}.",
                "Name nodes of this workflow by their 'logical_id'.",
            )


@rule("error", Refusal.WAITING)
def waiting_on_waiting_node(context: CheckContext) -> Iterator[Finding]:
    """Report trigger nodes that wait for the user themselves.

    Source: V10 in ``platform.md#validation``.
    """
    for edge, config in _on_completion(context):
        nodes = map(context.graph.nodes.get, config.trigger_node_logical_ids)
        waiting = [node for node in nodes if node is not None and flag(node, "wait_for_user_message")]
        if waiting:
            yield _at(
                edge,
                "has 'trigger_node_logical_ids' that wait for user input themselves: "
                f"{join(node.label for node in waiting)}.",
                "Name nodes with 'wait_for_user_message' off, as those of a companion thread.",
            )


@rule("error", Refusal.WAITING)
def waiting_without_pause(context: CheckContext) -> Iterator[Finding]:
    """Report waiting edges evaluated at every tick without a pause.

    Source: V11 in ``platform.md#validation``.
    """
    for edge, config in _waiting(context):
        pause = config.min_seconds_between_evaluations
        if config.trigger_mode == "on_every_background_tick" and not (pause and pause > 0):
            yield _at(
                edge,
                "needs 'min_seconds_between_evaluations' above 0 in the mode 'on_every_background_tick', "
                f"and it is {pause if pause is None else format(pause, 'g')}.",
                "Set 'min_seconds_between_evaluations', for example to 2.",
            )


@rule("error", Refusal.WAITING)
def waiting_at_wrong_edge(context: CheckContext) -> Iterator[Finding]:
    """Report waiting configuration on return edges and edges of super nodes.

    Source: V12 in ``platform.md#validation``.
    """
    for edge, source in _sources(context):
        if source.type == "super_node":
            yield _at(
                edge,
                f"leaves the super node {quote(source.label)}, so its {_FIELD!r} must not be enabled.",
                "Put the edge into the workflow inside the super node.",
            )
    for node in context.nodes:
        if _waits_on_the_way_back(node):
            yield Finding(
                node,
                f"has an enabled {_FIELD!r} in its 'reverse_conditional_edge'.",
                "Remove it there, or use an edge of its own.",
            )


@rule("error", Refusal.WAITING)
def waiting_at_busy_source(context: CheckContext) -> Iterator[Finding]:
    """Report waiting edges whose source does not wait for the user.

    Source: V13 in ``platform.md#validation``.
    """
    for edge, source in _sources(context):
        if source.type != "super_node" and not _may_wait(source):
            yield _at(
                edge,
                f"leaves {describe_node(source, 'node')}, which does not wait for the user: "
                f"an enabled {_FIELD!r} needs a source with 'wait_for_user_message'.",
                "Set 'wait_for_user_message' on the source, or switch the waiting configuration off.",
            )


@rule("error", Refusal.WAITING)
def waiting_beside_direct(context: CheckContext) -> Iterator[Finding]:
    """Report waiting edges beside a direct edge, which would be taken first.

    Source: V14 in ``platform.md#validation``.
    """
    for edge, source in _sources(context):
        direct = context.graph.direct(source.logical_id)
        if direct:
            yield _at(
                edge,
                f"has an enabled {_FIELD!r}, but {describe_node(source, 'node')} has an outgoing direct "
                f"edge: {join(edge.logical_id for edge in direct)}.",
                "Remove the direct edge, or make it conditional.",
            )


def _at(edge: EdgeConfig, what: str, advice: str) -> Finding:
    return Finding(edge, what, advice, node_logical_id=edge.source_node_logical_id)


def _waiting(context: CheckContext) -> Iterator[tuple[EdgeConfig, EvaluateWhileWaitingConfig]]:
    for edge in context.edges:
        config = edge.evaluate_while_waiting_config
        if edge.type == "conditional" and config is not None and config.enabled:
            yield edge, config


def _sources(context: CheckContext) -> Iterator[tuple[EdgeConfig, NodeConfig]]:
    for edge, _ in _waiting(context):
        source = context.graph.nodes.get(edge.source_node_logical_id or "")
        if source is not None:
            yield edge, source


def _on_completion(context: CheckContext) -> Iterator[tuple[EdgeConfig, EvaluateWhileWaitingConfig]]:
    return (
        (edge, config) for edge, config in _waiting(context) if config.trigger_mode == "on_node_completion"
    )


def _may_wait(node: NodeConfig) -> bool:
    # Nothing is known of the flags of a type that this list does not name.
    return flag(node, "wait_for_user_message") or (
        node.type not in MODEL_NODES and own_field(node, "wait_for_user_message") is True
    )


def _waits_on_the_way_back(node: NodeConfig) -> bool:
    back = node.global_node_config.reverse_conditional_edge if node.global_node_config else None
    config = (back.model_extra or {}).get(_FIELD) if back else None
    return isinstance(config, dict) and config.get("enabled") is True

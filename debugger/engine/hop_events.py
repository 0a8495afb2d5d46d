"""The events of a hop: that it is taken and why, its memo, what runs beside, guardrails that escalate."""

from __future__ import annotations

from debugger.engine.hops import Decision, Hop
from debugger.protocol.events import (
    CompanionEdgeEvent,
    ConditionalEdgeEvent,
    DirectEdgeEvent,
    EdgeEvent,
    GuardrailEscalationEdgeEvent,
    ReverseConditionalEdgeEvent,
    SelfLoopEdgeEvent,
    WorkflowNavigationMessageEvent,
)
from debugger.protocol.messages import ai_message
from debugger.protocol.workflow import EdgeConfig, NodeConfig


def edge_event(decision: Decision, run_id: str) -> EdgeEvent:
    """The event that tells which hop is taken, and why.

    A direct edge's own id and name stay out of its event, as recorded (``platform/engine.md`` 3.3).
    """
    hop = decision.hop
    ends = {**hop.ends, "edge_run_id": run_id, "reason": decision.reason}
    if hop.kind == "direct":
        return DirectEdgeEvent(**ends)
    if hop.kind == "self_loop":
        return SelfLoopEdgeEvent(**ends)
    named = {
        "edge_name": hop.name,
        "edge_logical_id": hop.edge_id,
        "super_node_exit_origin": hop.super_node_id,
    }
    if hop.kind == "reverse":
        global_node = hop.super_node_id or hop.source.logical_id
        return ReverseConditionalEdgeEvent(
            **named, **ends, args_filled=decision.args, global_node_logical_id=global_node
        )
    return ConditionalEdgeEvent(**named, **ends, args_filled=decision.args)


def companion_event(source: NodeConfig, other: NodeConfig, edge: EdgeConfig | None) -> CompanionEdgeEvent:
    """The event that tells that a node runs beside another: a worker, or the first of a companion thread."""
    return CompanionEdgeEvent(
        edge_name=edge.name if edge else None,
        edge_logical_id=edge.logical_id if edge else None,
        source_node_logical_id=source.logical_id,
        source_node_name=source.name,
        destination_node_logical_id=other.logical_id,
        destination_node_name=other.name,
        reason=f"{other.label} runs beside {source.label}",
    )


def escalation_event(
    source: NodeConfig, destination: NodeConfig | None, entries: int, run_id: str
) -> GuardrailEscalationEdgeEvent:
    """The event that tells that guardrail nodes were entered too often; without destination the run ends."""
    return GuardrailEscalationEdgeEvent(
        edge_run_id=run_id,
        source_node_logical_id=source.logical_id,
        source_node_name=source.name,
        destination_node_logical_id=destination.logical_id if destination else None,
        destination_node_name=destination.name if destination else None,
        reason=f"Guardrail nodes were entered {entries} times",
        num_guardrail_nodes_entered=entries,
    )


def navigation_event(hop: Hop, message_id: str) -> WorkflowNavigationMessageEvent:
    """The memo of a hop, which also enters the chat (``platform/engine.md`` 6.2, 7.2 (a) 7)."""
    text, metadata = hop.memo
    return WorkflowNavigationMessageEvent(
        logical_id=message_id,
        message=ai_message(text, message_id=message_id, response_metadata=dict(metadata)),
        origin_node_logical_id=hop.source.logical_id,
        origin_node_name=hop.source.name,
    )

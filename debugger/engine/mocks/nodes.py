"""A run of a node that is frozen, or made to fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from debugger.engine.mocks.kinds import Fault, Pin
from debugger.engine.mocks.models import FailingResponder
from debugger.engine.models.base import Choice
from debugger.engine.nodes.base import Node, NodeContext, NodeResult, NodeRun, fixed_response
from debugger.engine.outbound import Gateway, OutboundCall, OutboundOutcome
from debugger.engine.outbound.gateway import Answer
from debugger.errors import RunError


def pinned_run(pin: Pin, node: Node[Any], context: NodeContext) -> NodeRun:
    """Give a node's frozen output: what it says, writes and chooses.

    Raises:
        RunError: It chooses a hop that is not offered.
    """
    for text in pin.output.get("says") or ():
        yield fixed_response(str(text), context.world)
    node.write(context, dict(pin.output.get("variables") or {}))
    key = pin.output.get("chosen")
    return NodeResult(
        dict(pin.output.get("output") or {}),
        chosen=_offered(str(key), node, context) if key else None,
        args=dict(pin.output.get("args") or {}),
        reason=str(pin.output.get("reason") or ""),
        replied_to_user=bool(pin.output.get("says")) and node.calls_model,
    )


def faulty_run(fault: Fault, node: Node[Any], context: NodeContext) -> NodeRun:
    """Run a node so that what it relies on fails; where it relies on nothing, the run fails.

    Raises:
        RunError: The node has nothing that could fail.
    """
    if node.calls_model:
        context.responder = FailingResponder(fault.error)
    elif node.config.type == "tool_node":
        context.tool_error = fault.error
    elif node.counts_as_tool_call:
        context.outbound = _FailingDoor(context.outbound, fault.error)
    else:
        raise RunError(f"Node {node.config.label!r} was made to fail: {fault.error}")
    return (yield from node.run(context))


@dataclass
class _FailingDoor:
    """Lets nothing out, and says so as of a call that failed."""

    door: Gateway
    error: str

    def __post_init__(self) -> None:
        self.ledger, self.secrets, self.limits = self.door.ledger, self.door.secrets, self.door.limits

    def call(
        self, call: OutboundCall[Answer], *, node_logical_id: str, timeout: float
    ) -> OutboundOutcome[Answer]:
        """Fail."""
        return OutboundOutcome("simulated", error=self.error)


def _offered(key: str, node: Node[Any], context: NodeContext) -> Choice:
    for choice in (*context.choices, *context.llm_judged_choices):
        if key in (choice.edge_id, choice.destination_node_logical_id):
            return choice
    raise RunError(
        f"The pin of node {node.config.label!r} takes the hop {key!r}, which is not offered here.",
        advice="Change the pin, or take it away.",
    )

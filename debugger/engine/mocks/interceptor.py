"""The interceptor of nodes, tools and models: pins, faults, manual answers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from debugger.engine.environment import PauseClock
from debugger.engine.mocks.pins_and_faults import Fault, Matched, MockSet, Pin, Target
from debugger.engine.models.base import (
    Model,
    ModelError,
    Prompt,
    RemoteModel,
    Reply,
    ToolCall,
    TransitionOption,
    model_name,
)
from debugger.engine.nodes.base import Node, NodeContext, NodeResult, NodeRun, fixed_response
from debugger.engine.outbound import OutboundCall, OutboundOutcome
from debugger.engine.outbound.gateway import Answer, BlockedGateway
from debugger.engine.tools.base import Tool, ToolContext, ToolResult
from debugger.errors import RunError
from debugger.protocol.base import JsonObject

PERSON, PINNED = "person", "pinned"
"""What answered, as usage names it."""


class ManualInput(Protocol):
    """The source of manual answers."""

    def asks(self, prompt: Prompt) -> bool:
        """Return whether the user answers a prompt."""

    def ask(self, prompt: Prompt, fallback: Model, cancelled: threading.Event) -> Reply:
        """Wait for the user's answer.

        Raises:
            ModelError: The turn was ended meanwhile.
        """


@dataclass(frozen=True)
class FailingModel:
    """A model that always fails."""

    error: str

    def reply(self, prompt: Prompt) -> Reply:
        """Fail.

        Raises:
            ModelError: Always.
        """
        raise ModelError(self.error)


@dataclass(frozen=True)
class PinnedModel:
    """A model that repeats a pinned answer."""

    output: JsonObject
    judged: Sequence[TransitionOption] = ()
    """The node's transitions that have a call of their own each, and are in no other prompt."""

    def reply(self, prompt: Prompt) -> Reply:
        """Return the pinned answer.

        Raises:
            RunError: It chooses a transition that is not offered.
        """
        output, pinned = self.output, f"the model of {prompt.node_name!r}"
        key, calls = output.get("chosen"), output.get("calls") or ()
        chosen = _offered(str(key), (*prompt.choices, *self.judged), pinned) if key else None
        return Reply(
            text=str(output.get("text") or ""),
            chosen=chosen if chosen in prompt.choices else None,
            args=dict(output.get("args") or {}),
            message=str(output.get("message") or ""),
            reason=str(output.get("reason") or ""),
            fields=dict(output.get("fields") or {}),
            calls=tuple(ToolCall(str(call["name"]), dict(call.get("args") or {})) for call in calls),
            model=PINNED,
        )


@dataclass(frozen=True)
class ManualModel:
    """A model whose answers the user writes."""

    manual_input: ManualInput
    fallback: Model
    cancelled: threading.Event
    pauses: PauseClock

    def reply(self, prompt: Prompt) -> Reply:
        """Wait for the answer; the wait is a pause and no latency.

        Raises:
            ModelError: The turn was ended meanwhile.
        """
        fallback = self.fallback.fallback if isinstance(self.fallback, RemoteModel) else self.fallback
        with self.pauses.hold("manual_answer"):
            reply = self.manual_input.ask(prompt, fallback, self.cancelled)
        return replace(reply, usage={**reply.usage, "response_latency_milliseconds": 0})


def _offered(key: str, choices: Sequence[TransitionOption], pinned: str) -> TransitionOption:
    """Return the option of an edge's or a destination's id.

    Raises:
        RunError: It is not offered to the ``pinned`` node or model.
    """
    for choice in choices:
        if key in (choice.edge_id, choice.destination_node_logical_id):
            return choice
    raise RunError(
        f"The pin of {pinned} takes the transition {key!r}, which is not offered here.",
        advice="Change the pin, or remove it.",
    )


@dataclass
class Interceptor:
    """The one place where pins, faults and manual answers take effect."""

    mocks: MockSet = field(default_factory=MockSet)
    manual_input: ManualInput | None = None

    def run(self, node: Node[Any], context: NodeContext) -> NodeRun:
        """Run a node, or return its pinned output, or let it fail."""
        matched = self._match(Target("node", node.config.logical_id), context.applied_mocks)
        if matched.fault is not None:
            context.sleep(matched.fault.delay)
            if matched.fault.error:
                return (yield from run_fault(matched.fault, node, context))
        if matched.pin is not None:
            return (yield from run_pin(matched.pin, node, context))
        return (yield from node.run(context))

    def select_model(self, prompt: Prompt, context: NodeContext) -> tuple[Prompt, Model]:
        """Return the prompt and the model that answers it."""
        # Without a configuration, which might let another model send fillers meanwhile.
        alone = replace(prompt, llm=None, backchannel=None)
        if isinstance(context.responder, FailingModel):  # by a fault of the whole node
            return alone, context.responder
        matched = self._match(Target("model", prompt.node_logical_id), context.applied_mocks)
        if matched.fault is not None:
            context.sleep(matched.fault.delay)
            if matched.fault.error:
                return alone, FailingModel(matched.fault.error)
        if matched.pin is not None:
            return alone, PinnedModel(matched.pin.output, context.llm_judged_choices)
        if self.manual_input is not None and self.manual_input.asks(prompt):
            return alone, ManualModel(self.manual_input, context.responder, context.cancelled, context.pauses)
        return prompt, context.responder

    def asks_user(self, prompt: Prompt) -> bool:
        """Return whether the user answers a prompt."""
        return self.manual_input is not None and self.manual_input.asks(prompt)

    def call(self, tool: Tool, arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Call a tool, or return its pinned result, or let it fail."""
        target = Target("tool", model_name(tool.config.name), context.node_logical_id)
        matched = self._match(target, context.applied_mocks)
        if matched.fault is not None:
            context.sleep(matched.fault.delay)
            if matched.fault.error:
                return ToolResult(success=False, error=matched.fault.error)
        if matched.pin is not None:
            output = matched.pin.output
            success, error = output.get("success"), output.get("error")
            if success is None:
                success = not error
            return ToolResult(
                success, output.get("result"), error or (None if success else "The pinned call failed.")
            )
        return tool.call(arguments, context)

    def _match(self, target: Target, applied_mocks: list[str]) -> Matched:
        matched = self.mocks.match(target)
        applied_mocks += matched.ids
        return matched


def run_pin(pin: Pin, node: Node[Any], context: NodeContext) -> NodeRun:
    """Yield a node's pinned messages; write its variables and return its result.

    Raises:
        RunError: It chooses a transition that is not offered.
    """
    for text in pin.output.get("says") or ():
        yield fixed_response(str(text), context.environment)
    node.write(context, dict(pin.output.get("variables") or {}))
    key, choices = pin.output.get("chosen"), (*context.choices, *context.llm_judged_choices)
    return NodeResult(
        dict(pin.output.get("output") or {}),
        chosen=_offered(str(key), choices, f"node {node.config.label!r}") if key else None,
        args=dict(pin.output.get("args") or {}),
        reason=str(pin.output.get("reason") or ""),
        replied_to_user=bool(pin.output.get("says")) and node.calls_model,
    )


def run_fault(fault: Fault, node: Node[Any], context: NodeContext) -> NodeRun:
    """Run a node whose calls fail; without any, the run fails.

    Raises:
        RunError: The node has nothing that could fail.
    """
    if node.calls_model:
        context.responder = FailingModel(fault.error)
    elif node.config.type == "tool_node":
        context.tool_error = fault.error
    elif node.calls_service:
        real = context.outbound
        context.outbound = _FailingGateway(real.ledger, real.secrets, real.limits, fault.error)
    else:
        raise RunError(f"Node {node.config.label!r} was made to fail: {fault.error}")
    return (yield from node.run(context))


@dataclass
class _FailingGateway(BlockedGateway):
    """A gateway whose calls all fail."""

    error: str = ""

    def call(
        self, call: OutboundCall[Answer], *, node_logical_id: str, timeout: float
    ) -> OutboundOutcome[Answer]:
        """Fail."""
        return OutboundOutcome("simulated", error=self.error)

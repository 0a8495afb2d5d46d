"""Typed views over the free objects of events: messages, outputs of nodes, usage, metrics, the ledger.

A field is read by its wire name, whatever the class of the event: one invalid value makes a bare `Event`
(``platform.md#events``), and its other values still count. ::

    usage = EventValues(event.to_wire()).llm_usage_info
    usage.total_tokens  # 0 where the event has no usage, or something odd in its place
"""

from __future__ import annotations

from typing import Any

from debugger.protocol.base import PlainObject
from debugger.protocol.value_view import ValueView


class CalledTool(ValueView):
    """A tool call of a model's message."""

    name: str
    args: PlainObject


class MessageMetadata(ValueView):
    """The ``response_metadata`` of a message."""

    simulated: bool
    tool_result: Any


class MessageValues(ValueView):
    """A message of a model or a tool (``platform.md#messages``)."""

    type: str
    name: str
    status: str
    tool_calls: list[PlainObject]
    response_metadata: MessageMetadata

    @property
    def calls(self) -> list[CalledTool]:
        """Return the tool calls."""
        return [CalledTool(call) for call in self.tool_calls]


class FailedAttempts(ValueView):
    """The attempts of a model call that were of no use."""

    failed_attempts: list[Any]
    """Of any kind: one that is no object still has its number."""


class AttemptValues(ValueView):
    """One of them."""

    attempt_number: int | None
    error_message: str
    latency_milliseconds: float | None


BUILT_IN_RULES = "built-in rules"
"""Name in the usage of what answers where there is neither a model nor a rule of a script."""
NAMES_OF_RULES = (BUILT_IN_RULES, "stand-in")
"""The same with the name that it has in runs before 2026-12."""


class UsageValues(ValueView):
    """The usage of one model call (``platform.md#usage``)."""

    provider: str
    response_model: str
    llm_response_id: str
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    response_latency_milliseconds: float | None
    request_retry_metadata: FailedAttempts
    structured_output_retry_metadata: FailedAttempts

    @property
    def is_of_built_in_rules(self) -> bool:
        """Return whether the built-in rules have answered."""
        return self.response_model in NAMES_OF_RULES


class RunUsage(ValueView):
    """The usage of the models of a run."""

    total_tokens: int | None


class NodeOutputValues(ValueView):
    """The output of a node run."""

    type: str
    success: bool | None
    """``None`` where the output does not say it."""
    error_message: str
    simulated: bool
    structured_output: PlainObject


class TurnMetrics(ValueView):
    """The metrics of a turn."""

    nodes_executed_count: int | None
    e2e_latency_milliseconds: float | None


class PausedInterval(ValueView):
    """Time in which a turn waited for the debugger's user."""

    kind: str
    began_at: float | None
    ended_at: float | None


class LedgerEntry(ValueView):
    """One call to the outside, as the ledger of a turn has it."""

    node_logical_id: str
    kind: str
    call_class: str
    target: str
    how: str
    success: bool
    status_code: int | None
    error: str
    at: float | None
    duration_milliseconds: float | None
    request: PlainObject


class EndState(ValueView):
    """The private state at the end of a turn."""

    side_effects: list[PlainObject]


class ClosedTurn(ValueView):
    """The pair that the closing event of a turn repeats."""

    run_input: PlainObject
    iteration_end_state_miscellaneous: EndState


class NodeRunInput(ValueView):
    """The input of a node run."""

    messages: list[PlainObject]


class TroubleMark(ValueView):
    """The mark of our engine at an event (``platform.md#trouble``)."""

    kind: str
    node: str
    faulted: bool


class EventValues(ValueView):
    """The values of an event of any type."""

    type: str
    content: Any
    message: MessageValues
    messages: list[PlainObject]
    llm_usage_info: UsageValues
    run_input: NodeRunInput
    run_output: NodeOutputValues
    node_run_id: str
    args_filled: PlainObject
    is_condition_met: bool
    attempt_number: int
    total_attempts: int
    num_guardrail_nodes_entered: int
    delay_seconds: float | None
    runtime_variables: PlainObject
    workflow_runtime_variables: PlainObject
    iteration_metrics: TurnMetrics
    run_input_output_pair: ClosedTurn
    paused_intervals: list[PlainObject]
    trouble: TroubleMark
    answered_by: list[Any]
    """Private: what answered instead, for each call before the event."""
    intervened: list[Any]
    """Private: the faults that were applied before the event."""
    logical_id: str
    origin_thread_id: str
    origin_node_logical_id: str
    destination_node_logical_id: str
    super_node_origin: list[Any]
    """The super nodes around the node, from the outermost."""
    timestamp: float | None

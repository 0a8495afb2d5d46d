"""The event types of a run (``platform.md#event-fields`` and ``platform.md#events``).

One class for each ``type``; the class registers itself, and `parse_event` finds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from debugger.errors import InputError
from debugger.protocol.base import PlainObject
from debugger.protocol.event_base import EVENT_TYPES as EVENT_TYPES
from debugger.protocol.event_base import Event as Event
from debugger.protocol.event_values import MessageValues, NodeOutputValues, TurnMetrics
from debugger.protocol.messages import message_text

COMPANION = "_companion_"

TroubleKind = Literal[
    "error",
    "model",
    "schema",
    "cut_reply",
    "tool",
    "http",
    "connector",
    "node",
    "timeout",
    "loop_limit",
    "configuration",
    "unknown",
]
"""What went wrong at an event: the run's error; a failed answer of a model, one that breaks its schema or was
cut; a failed tool, HTTP request, connector or other node; a node's time limit; the limit of node runs; a
warning of the configuration; a warning whose cause is unknown."""

TROUBLE = "trouble"
"""The private key by which our engine marks an event (``platform.md#trouble``)."""


class NodeEvent(Event):
    """An event of a node run."""

    origin_node_logical_id: str | None = None
    origin_node_name: str | None = None
    origin_node_run_id: str | None = None
    """Counts this node's runs; a text."""

    @property
    def node_label(self) -> str:
        """Return the node's name, or its id without one, or other words without both."""
        return self.origin_node_name or self.origin_node_logical_id or "a node"


class EdgeEvent(Event):
    """An event of a transition."""

    edge_name: str | None = None
    edge_logical_id: str | None = None
    edge_run_id: str | None = None
    source_node_logical_id: str | None = None
    source_node_name: str | None = None
    destination_node_logical_id: str | None = None
    destination_node_name: str | None = None
    reason: str | None = None

    @property
    def source_label(self) -> str:
        """Return the source's name, or its id without one, or other words without both."""
        return self.source_node_name or self.source_node_logical_id or "a node"

    @property
    def destination_label(self) -> str:
        """Return the destination's name, or its id without one, or ``the end`` without both."""
        return self.destination_node_name or self.destination_node_logical_id or "the end"

    @property
    def summary(self) -> str:
        """Return source, destination and the edge's name.

        A class with a format of its own has that. A missing name is left out, a missing node is in other
        words.
        """
        if self.summary_format:
            return super().summary
        named = f" ({self.edge_name})" if self.edge_name else ""
        return f"{self.source_label} → {self.destination_label}{named}"


# Workflow and thread level


class StartWorkflowEvent(Event):
    """The first turn begins."""

    type: Literal["start_workflow"] = "start_workflow"
    summary_format = "the run starts"


class EndWorkflowEvent(Event):
    """Every thread has ended; nothing follows."""

    type: Literal["end_workflow"] = "end_workflow"
    llm_token_usage: PlainObject | None = None
    llm_latency_stats: PlainObject | None = None
    summary_format = "the run is complete"


class EndWorkflowIterationEvent(Event):
    """The usage and timing of one turn."""

    type: Literal["end_workflow_iteration"] = "end_workflow_iteration"
    iteration_number: int | None = None
    run_input_output_pair: PlainObject | None = None
    iteration_metrics: PlainObject | None = None

    @property
    def summary(self) -> str:
        """Return turn number, node count and time; without metrics the number alone."""
        metrics = TurnMetrics(self.iteration_metrics)
        nodes, spent = metrics.nodes_executed_count, metrics.e2e_latency_milliseconds
        counted = f": {nodes} node runs" if nodes is not None else ""
        timed = f" in {spent:.0f} ms" if spent is not None else ""
        return f"turn {self.iteration_number} done{counted}{timed}"


class WorkflowReadyForInputEvent(Event):
    """Every thread but companions waits: the user's turn."""

    type: Literal["workflow_ready_for_input"] = "workflow_ready_for_input"
    active_companion_thread_ids: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """Return the number of running companions."""
        count = len(self.active_companion_thread_ids)
        return "ready for input" + (f", {count} companion threads still run" if count else "")


class CompanionStepBoundaryEvent(Event):
    """One background step of a companion thread is done."""

    type: Literal["companion_step_boundary"] = "companion_step_boundary"
    companion_thread_id: str
    attempts_completed: int | None = None
    deadline_epoch: float | None = None
    still_active: bool = True

    @property
    def summary(self) -> str:
        """Return the companion and its state."""
        state = "goes on" if self.still_active else "has ended"
        return f"companion {self.companion_thread_id} {state} after {self.attempts_completed or 0} attempts"


class WaitingEvaluationBoundaryEvent(Event):
    """The waiting edges of a waiting thread were evaluated."""

    type: Literal["waiting_evaluation_boundary"] = "waiting_evaluation_boundary"
    parked_node_logical_id: str | None = None
    edges_evaluated: int = 0
    transitioned: bool = False
    still_waiting: bool = True

    @property
    def summary(self) -> str:
        """Return the number of edges and the result."""
        result = "left" if self.transitioned else "still waits at"
        return f"{self.edges_evaluated} waiting edges evaluated, {result} {self.parked_node_logical_id}"

    @property
    def is_persisted(self) -> bool:
        """Return whether an edge was taken; others may come every second."""
        return self.transitioned


class ThreadEvent(Event):
    """An event of a thread; its subclasses are the types."""

    @property
    def thread_label(self) -> str | None:
        """Return the thread's public id."""
        return self.thread_reference_id or self.origin_thread_id


class StartThreadEvent(ThreadEvent):
    """A thread was created."""

    type: Literal["start_thread"] = "start_thread"
    summary_format = "thread {e.thread_label} starts"


class PauseThreadEvent(ThreadEvent):
    """A thread was paused."""

    type: Literal["pause_thread"] = "pause_thread"
    last_node_logical_id: str | None = None
    summary_format = "thread {e.thread_label} paused at {e.last_node_logical_id}"


class EndThreadEvent(ThreadEvent):
    """A thread has no next node."""

    type: Literal["end_thread"] = "end_thread"
    last_node_logical_id: str | None = None
    summary_format = "thread {e.thread_label} ends at {e.last_node_logical_id}"


class WorkflowDebugLogEvent(Event):
    """A line of the debug log."""

    type: Literal["workflow_debug_log"] = "workflow_debug_log"
    chat_history: list[Any] = field(default_factory=list)
    debug_message: str | None = None

    @property
    def summary(self) -> str:
        """Return the line."""
        return self.debug_message or "debug log"


class WorkflowWarningEvent(Event):
    """A warning; the run continues."""

    type: Literal["workflow_warning"] = "workflow_warning"
    warning_message: str | None = None

    @property
    def summary(self) -> str:
        """Return the warning."""
        return self.warning_message or "warning"


class WorkflowErrorEvent(Event):
    """The run has failed; nothing follows."""

    type: Literal["workflow_error"] = "workflow_error"
    error_message: str | None = None
    stack_trace: str | None = None
    llm_token_usage: PlainObject | None = None
    llm_latency_stats: PlainObject | None = None

    @property
    def summary(self) -> str:
        """Return the error."""
        return self.error_message or "error"


class WorkflowShowStateEvent(Event):
    """The current variables of a thread."""

    type: Literal["workflow_show_state"] = "workflow_show_state"
    thread_id: str | None = None
    runtime_variables: PlainObject = field(default_factory=dict)
    workflow_runtime_variables: PlainObject = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """Return the thread and its number of variables."""
        return f"state of thread {self.thread_id}: {len(self.runtime_variables)} runtime variables"


# Node level


class StartNodeRunEvent(NodeEvent):
    """A node begins to run."""

    type: Literal["start_node_run"] = "start_node_run"
    run_input: PlainObject | None = None
    summary_format = "{e.node_label} starts"


class EndNodeRunEvent(NodeEvent):
    """A node has run."""

    type: Literal["end_node_run"] = "end_node_run"
    run_output: PlainObject | None = None

    @property
    def has_failed(self) -> bool:
        """Return whether the output reports a failure of the node."""
        return NodeOutputValues(self.run_output).success is False

    @property
    def summary(self) -> str:
        """Return the node and its outcome.

        That is the error of a failed run, else the names of the fields of its structured output, if it has
        any.
        """
        output = NodeOutputValues(self.run_output)
        if output.success is False:
            return f"{self.node_label} failed: {output.error_message or 'no reason given'}"
        fields = output.structured_output
        simulated = " (simulated)" if output.simulated else ""
        named = f" with {', '.join(fields)}" if fields else ""
        return f"{self.node_label} ends{simulated}{named}"


class UserMessagesEvent(NodeEvent):
    """The user's messages were read."""

    type: Literal["user_messages"] = "user_messages"
    messages: list[PlainObject] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """Return the texts."""
        return "user: " + " / ".join(message_text(message) for message in self.messages)


class BusyWaitForUserMessageEvent(NodeEvent):
    """A thread waits for a message of the user."""

    type: Literal["busy_wait_for_user_message"] = "busy_wait_for_user_message"
    summary_format = "{e.node_label} waits for the user"


class PauseEvent(NodeEvent):
    """A node requested a pause."""

    type: Literal["pause_event"] = "pause_event"
    summary_format = "{e.node_label} pauses"


class ForceTransferToNodeEvent(NodeEvent):
    """The thread was moved to another node from outside."""

    type: Literal["force_transfer_to_node"] = "force_transfer_to_node"
    destination_node_logical_id: str | None = None
    summary_format = "moved from {e.node_label} to {e.destination_node_logical_id}"


class ModelEvent(NodeEvent):
    """A message of a model or its substitute; its subclasses are the types."""

    type: str = ""
    message: PlainObject | None = None
    llm_usage_info: PlainObject = field(default_factory=dict)

    @property
    def words(self) -> str:
        """Return the message's text."""
        return message_text(self.message) if self.message else ""

    @property
    def tool_names(self) -> list[str]:
        """Return the names of the tools that the message calls."""
        return [call.name for call in MessageValues(self.message).calls if call.name]

    @property
    def summary(self) -> str:
        """Return the text, or the tool calls.

        A class with a format of its own has that. Tool calls win over a text; without either the node
        answers.
        """
        if self.summary_format:
            return super().summary
        if names := self.tool_names:
            return f"{self.node_label} calls {', '.join(names)}"
        simulated = " (simulated)" if MessageValues(self.message).response_metadata.simulated else ""
        words = self.words
        return f"{self.node_label}{simulated}: {words}" if words else f"{self.node_label} answers"


class WorkerLLMEvent(ModelEvent):
    """A silent model message."""

    type: Literal["worker_llm"] = "worker_llm"


class SayLLMEvent(ModelEvent):
    """A speaking model message."""

    type: Literal["say_llm"] = "say_llm"


class ConditionEvaluatorLLMEvent(ModelEvent):
    """A model evaluated one condition by itself."""

    type: Literal["condition_evaluator_llm"] = "condition_evaluator_llm"
    destination_node_logical_id: str | None = None
    is_condition_met: bool | None = None

    @property
    def summary(self) -> str:
        """Return the result."""
        verdict = "holds" if self.is_condition_met else "does not hold"
        return f"condition towards {self.destination_node_logical_id} {verdict}"


class DiscardedMainLLMEvent(ModelEvent):
    """A model's answer was discarded."""

    type: Literal["discarded_main_llm"] = "discarded_main_llm"
    reason: str | None = "global_condition_matched"
    summary_format = "answer of {e.node_label} discarded: {e.reason}"


class SayStaticEvent(NodeEvent):
    """A static text was chosen."""

    type: Literal["say_static"] = "say_static"
    message: PlainObject | None = None

    @property
    def summary(self) -> str:
        """Return the text."""
        return f"{self.node_label}: {message_text(self.message) if self.message else ''}"


class AssistantResponseEvent(NodeEvent):
    """A message to the user."""

    type: Literal["assistant_response"] = "assistant_response"
    content: str | list[Any] | None = None
    response_metadata: PlainObject = field(default_factory=dict)
    llm_usage_info: PlainObject = field(default_factory=dict)
    summary_format = "agent: {e.words}"

    @property
    def words(self) -> str:
        """Return the text."""
        return message_text({"content": self.content})


class WorkflowNavigationMessageEvent(NodeEvent):
    """The memo of a transition, which also enters the chat history."""

    type: Literal["workflow_navigation_message"] = "workflow_navigation_message"
    message: PlainObject | None = None

    @property
    def summary(self) -> str:
        """Return the memo."""
        return message_text(self.message) if self.message else "navigation memo"


class NodeExpiredEvent(NodeEvent):
    """A node run was cancelled by its time limit."""

    type: Literal["node_expired"] = "node_expired"
    attempt_number: int = 0
    reason: str | None = None

    @property
    def summary(self) -> str:
        """Return attempt and reason."""
        return f"{self.node_label} expired in attempt {self.attempt_number}: {self.reason or 'time is up'}"


class StartConversationEvent(NodeEvent):
    """A call was started or polled."""

    type: Literal["start_conversation"] = "start_conversation"
    conversation_status: str | None = None
    conversation_id: str | None = None

    @property
    def summary(self) -> str:
        """Return the call's status."""
        return f"conversation {self.conversation_id or ''} {self.conversation_status or 'started'}"


class EndConversationEvent(NodeEvent):
    """A call's transcript was processed."""

    type: Literal["end_conversation"] = "end_conversation"
    processed_transcript: Any = None
    summary_format = "{e.node_label} processed the transcript"


class SendSmsEvent(NodeEvent):
    """A text message was sent, or was to be."""

    type: Literal["send_sms"] = "send_sms"
    status: str | None = None
    sent_message: str | None = None
    destination_phone_number: str | None = None
    summary_format = "text message to {e.destination_phone_number}: {e.status}"


class GoogleDocsCreateDocumentEvent(NodeEvent):
    """A document was created."""

    type: Literal["google_docs_create_document"] = "google_docs_create_document"
    status: str | None = None
    document_id: str | None = None
    document_url: str | None = None
    document_title: str | None = None
    summary_format = "document {e.document_title!r} created: {e.status}"


class GoogleDocsGetDocumentEvent(NodeEvent):
    """A document was read."""

    type: Literal["google_docs_get_document"] = "google_docs_get_document"
    status: str | None = None
    document_id: str | None = None
    document_content: Any = None
    summary_format = "document {e.document_id} read: {e.status}"


class GoogleDocsUpdateDocumentEvent(NodeEvent):
    """A document was changed."""

    type: Literal["google_docs_update_document"] = "google_docs_update_document"
    status: str | None = None
    document_id: str | None = None
    document_url: str | None = None
    updated_content: Any = None
    summary_format = "document {e.document_id} updated: {e.status}"


class HttpRequestEvent(NodeEvent):
    """An HTTP request was made."""

    type: Literal["http_request"] = "http_request"
    curl_command: str | None = None
    status_code: int | None = None
    response_body: Any = None
    error: str | None = None

    @property
    def summary(self) -> str:
        """Return status or error."""
        return f"{self.node_label} → {self.error or self.status_code}"


class AthenaEvent(NodeEvent):
    """A request to a health record system was made."""

    type: Literal["athena"] = "athena"
    status_code: int | None = None
    response_body: Any = None
    summary_format = "{e.node_label} → {e.status_code}"


# Edge level


class DirectEdgeEvent(EdgeEvent):
    """A transition without a condition."""

    type: Literal["direct_edge"] = "direct_edge"


class SelfLoopEdgeEvent(EdgeEvent):
    """A model node runs again."""

    type: Literal["self_loop_edge"] = "self_loop_edge"
    summary_format = "{e.source_label} loops to itself"


class SelfLoopDelayEvent(EdgeEvent):
    """A bounded loop sleeps before its next attempt."""

    type: Literal["self_loop_delay"] = "self_loop_delay"
    delay_seconds: float = 0.0
    attempt_number: int = 0
    summary_format = "{e.source_label} waits {e.delay_seconds} s before attempt {e.attempt_number}"


class SelfLoopExhaustedEvent(EdgeEvent):
    """A bounded loop gave up."""

    type: Literal["self_loop_exhausted"] = "self_loop_exhausted"
    outcome: Literal["max_retries", "expiry_time"] | None = None
    total_attempts: int = 0
    summary_format = "{e.source_label} gave up after {e.total_attempts} attempts: {e.outcome}"


class ConditionalEdgeEvent(EdgeEvent):
    """A transition whose condition was true."""

    type: Literal["conditional_edge"] = "conditional_edge"
    super_node_exit_origin: str | None = None
    args_filled: PlainObject = field(default_factory=dict)


class ReverseConditionalEdgeEvent(EdgeEvent):
    """A transition from a global node back to its caller."""

    type: Literal["reverse_conditional_edge"] = "reverse_conditional_edge"
    super_node_exit_origin: str | None = None
    args_filled: PlainObject = field(default_factory=dict)
    global_node_logical_id: str | None = None


class WaitingConditionMatchedEvent(EdgeEvent):
    """A waiting edge's condition became true."""

    type: Literal["waiting_condition_matched"] = "waiting_condition_matched"
    condition_expression: str | None = None
    hydrated_condition_expression: str | None = None
    trigger_mode: str | None = None
    trigger_node_logical_id: str | None = None
    trigger_node_completion_count: int | None = None
    transitions_this_wait: int = 0
    guardrail_redirected_from_logical_id: str | None = None

    @property
    def summary(self) -> str:
        """Return the condition with its values."""
        return f"while waiting: {self.hydrated_condition_expression or self.condition_expression}"


class CompanionEdgeEvent(EdgeEvent):
    """A companion was started."""

    type: Literal["companion_edge"] = "companion_edge"


class GuardrailEscalationEdgeEvent(EdgeEvent):
    """Guardrail nodes were entered too often."""

    type: Literal["guardrail_escalation_edge"] = "guardrail_escalation_edge"
    num_guardrail_nodes_entered: int = 0
    summary_format = (
        "escalation to {e.destination_label} after {e.num_guardrail_nodes_entered} guardrail nodes"
    )


def parse_event(data: Mapping[str, Any]) -> Event:
    """Read one event. `Event.to_wire` returns its object unchanged.

    Args:
        data: The event's object; only ``type`` is needed.

    Returns:
        An instance of the type's class. An unknown type, or a known one with an invalid value in a field of
        its own, becomes a bare `Event` with every key (``platform.md#events``).

    Raises:
        InputError: There is no ``type``, or a field of all events has an invalid value.
    """
    if not isinstance(data, dict):
        if not isinstance(data, Mapping):
            raise InputError(f"An event must be an object; {data!r:.80} is none.")
        data = dict(data)
    cls = EVENT_TYPES.get(str(data.get("type")), Event)
    try:
        return cls.from_wire(data)
    except InputError:
        return Event.from_wire(data)


def trouble_mark(kind: TroubleKind, node_id: str | None, *, is_faulted: bool = False) -> PlainObject:
    """Return the value of `TROUBLE`; without a node or a fault it has no key for it."""
    return {
        "kind": kind,
        **({"node": node_id} if node_id else {}),
        **({"faulted": True} if is_faulted else {}),
    }


def warning_event(
    text: str, kind: TroubleKind, node_id: str | None, *, is_faulted: bool = False
) -> WorkflowWarningEvent:
    """Return a warning with its mark, under the key `TROUBLE`."""
    event = WorkflowWarningEvent(warning_message=text)
    event.stamp(**{TROUBLE: trouble_mark(kind, node_id, is_faulted=is_faulted)})
    return event


def reference_id(thread_id: str | None) -> str | None:
    """Return a thread's public id: the part after the last ``_companion_``.

    Source: ``platform.md#companion-threads``.
    """
    return None if thread_id is None else thread_id.rsplit(COMPANION, 1)[-1]

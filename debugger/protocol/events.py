"""What happens in a run: one class a type (``platform/wire.md`` 3.5, 3.6; ``platform/engine.md`` 8).

An event is declared here once. Its ``type`` registers it, `parse_event` reads it, `Event.summary` says it in
one line. Objects inside an event (messages, inputs, outputs) stay plain JSON: whatever passes an event on has
no need to know their shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationError

from debugger.errors import InputError
from debugger.protocol.base import (
    JsonObject,
    WireModel,
    read_wire,
    set_extra,
    set_fields,
    set_names,
    set_private,
    set_wire,
)
from debugger.protocol.event_shapes import PlainObject, Shapes
from debugger.protocol.messages import message_text

EVENT_TYPES: dict[str, type[Event]] = {}
"""Every event class by its wire type."""

COMPANION = "_companion_"

_shapes = Shapes()


class Event(WireModel):
    """What every event carries; also what an event of an unknown type is read as."""

    type: str
    logical_id: str = ""
    timestamp: float = 0.0
    """Seconds since the epoch, UTC."""
    origin_thread_id: str | None = None
    thread_reference_id: str | None = None
    """The thread as people know it: ``"0"``, or the configured id of a companion."""
    comments: list[Any] = Field(default_factory=list)
    interrupted: bool = False

    _begins_as: ClassVar[tuple[JsonObject, tuple[tuple[str, Callable[..., Any]], ...]]]
    """What each field is unless it is given, in the order of the wire; and those that no two events may
    share."""

    def __init__(self, **fields: Any) -> None:
        """Make an event here.

        The type checker has seen its fields, so nothing is looked at again: pydantic would take three times
        as long. What comes from elsewhere is read by `parse_event`, which trusts nothing.
        """
        blank, fresh = type(self)._begins_as
        made = blank | fields
        for name, make in fresh:
            if name not in fields:
                made[name] = make()
        set_fields(self, made)
        set_names(self, set(fields))
        set_extra(self, {})
        set_private(self, None)
        set_wire(self, made)

    # Tells pydantic that reading an event is its own business, and goes without what is above.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Register the class under its wire type, and note what an event of it begins as."""
        super().__pydantic_init_subclass__(**kwargs)
        default = cls.model_fields["type"].default
        if isinstance(default, str) and default:
            EVENT_TYPES[default] = cls
        fields = cls.model_fields.items()
        blank = {name: field.default for name, field in fields}
        fresh = tuple((name, make) for name, field in fields if (make := field.default_factory))
        cls._begins_as = blank, fresh

    def stamp(self, **fields: Any) -> None:
        """Set fields of an event that was just made; of one that was read they would not reach the wire."""
        self.__dict__.update(fields)

    def to_wire(self) -> JsonObject:
        """The event's object; what was read comes back unchanged. Not to be changed, since it is not a copy.

        An event holds plain JSON only, so its fields need no conversion. The engine makes thousands of them.
        """
        try:
            wire: JsonObject = read_wire(self)
        except AttributeError:  # of a copy
            return {**self.__dict__, **self.__pydantic_extra__} if self.__pydantic_extra__ else self.__dict__
        return wire

    @property
    def summary(self) -> str:
        """This event in one line of plain words."""
        return self.type.replace("_", " ")

    @property
    def is_failure(self) -> bool:
        """Whether this tells of something that went wrong; a filter never hides those."""
        return False

    @property
    def is_persisted(self) -> bool:
        """Whether a record keeps it; what is not kept only goes over the wire (``engine.md`` 8.2)."""
        return True


class NodeEvent(Event):
    """An event that a node run caused."""

    origin_node_logical_id: str | None = None
    origin_node_name: str | None = None
    origin_node_run_id: str | None = None
    """Counts this node's runs; a text."""

    @property
    def node_label(self) -> str:
        """The node by name, by id where it has none."""
        return self.origin_node_name or self.origin_node_logical_id or "a node"


class EdgeEvent(Event):
    """An event that a hop, or the wish for one, caused."""

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
        """Where the hop begins, by name."""
        return self.source_node_name or self.source_node_logical_id or "a node"

    @property
    def destination_label(self) -> str:
        """Where the hop ends, by name."""
        return self.destination_node_name or self.destination_node_logical_id or "the end"

    @property
    def summary(self) -> str:
        """Where from, where to, and the edge's name."""
        named = f" ({self.edge_name})" if self.edge_name else ""
        return f"{self.source_label} → {self.destination_label}{named}"


# Workflow and thread level


class StartWorkflowEvent(Event):
    """The first turn begins."""

    type: Literal["start_workflow"] = "start_workflow"

    @property
    def summary(self) -> str:
        """This event in one line."""
        return "the run starts"


class EndWorkflowEvent(Event):
    """Every thread has ended; nothing follows."""

    type: Literal["end_workflow"] = "end_workflow"
    llm_token_usage: PlainObject | None = None
    llm_latency_stats: PlainObject | None = None

    @property
    def summary(self) -> str:
        """This event in one line."""
        return "the run is complete"


class EndWorkflowIterationEvent(Event):
    """The accounts of one turn."""

    type: Literal["end_workflow_iteration"] = "end_workflow_iteration"
    iteration_number: int | None = None
    run_input_output_pair: PlainObject | None = None
    iteration_metrics: PlainObject | None = None

    @property
    def summary(self) -> str:
        """Turn number, node count and time."""
        metrics = self.iteration_metrics or {}
        nodes, spent = metrics.get("nodes_executed_count"), metrics.get("e2e_latency_milliseconds")
        told = f": {nodes} node runs" if nodes is not None else ""
        return f"turn {self.iteration_number} done{told}" + (
            f" in {spent:.0f} ms" if spent is not None else ""
        )


class WorkflowReadyForInputEvent(Event):
    """Every thread but companions has settled: the user's turn."""

    type: Literal["workflow_ready_for_input"] = "workflow_ready_for_input"
    active_companion_thread_ids: list[str] = Field(default_factory=list)

    @property
    def summary(self) -> str:
        """Ready, and how much runs on in the background."""
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
        """Which companion, and whether it goes on."""
        state = "goes on" if self.still_active else "has ended"
        return f"companion {self.companion_thread_id} {state} after {self.attempts_completed or 0} attempts"


class WaitingEvaluationBoundaryEvent(Event):
    """The waiting edges of a parked thread were evaluated."""

    type: Literal["waiting_evaluation_boundary"] = "waiting_evaluation_boundary"
    parked_node_logical_id: str | None = None
    edges_evaluated: int = 0
    transitioned: bool = False
    still_waiting: bool = True

    @property
    def summary(self) -> str:
        """How many edges, and with what result."""
        result = "left" if self.transitioned else "still waits at"
        return f"{self.edges_evaluated} waiting edges evaluated, {result} {self.parked_node_logical_id}"

    @property
    def is_persisted(self) -> bool:
        """Only where it led on: one that changed nothing may come every second."""
        return self.transitioned


class StartThreadEvent(Event):
    """A thread exists now."""

    type: Literal["start_thread"] = "start_thread"

    @property
    def summary(self) -> str:
        """Which thread."""
        return f"thread {self.thread_reference_id or self.origin_thread_id} starts"


class PauseThreadEvent(Event):
    """A thread was paused."""

    type: Literal["pause_thread"] = "pause_thread"
    last_node_logical_id: str | None = None

    @property
    def summary(self) -> str:
        """Which thread, and where."""
        thread = self.thread_reference_id or self.origin_thread_id
        return f"thread {thread} paused at {self.last_node_logical_id}"


class EndThreadEvent(Event):
    """A thread has nowhere to go."""

    type: Literal["end_thread"] = "end_thread"
    last_node_logical_id: str | None = None

    @property
    def summary(self) -> str:
        """Which thread, and where."""
        return (
            f"thread {self.thread_reference_id or self.origin_thread_id} ends at {self.last_node_logical_id}"
        )


class WorkflowDebugLogEvent(Event):
    """A line for whoever debugs."""

    type: Literal["workflow_debug_log"] = "workflow_debug_log"
    chat_history: list[Any] = Field(default_factory=list)
    debug_message: str | None = None

    @property
    def summary(self) -> str:
        """The line."""
        return self.debug_message or "debug log"


class WorkflowWarningEvent(Event):
    """Something looks wrong, and the run goes on."""

    type: Literal["workflow_warning"] = "workflow_warning"
    warning_message: str | None = None

    @property
    def is_failure(self) -> bool:
        """Always."""
        return True

    @property
    def summary(self) -> str:
        """The warning."""
        return self.warning_message or "warning"


class WorkflowErrorEvent(Event):
    """The run has failed; nothing follows."""

    type: Literal["workflow_error"] = "workflow_error"
    error_message: str | None = None
    stack_trace: str | None = None
    llm_token_usage: PlainObject | None = None
    llm_latency_stats: PlainObject | None = None

    @property
    def is_failure(self) -> bool:
        """Always."""
        return True

    @property
    def summary(self) -> str:
        """The error."""
        return self.error_message or "error"


class WorkflowShowStateEvent(Event):
    """The variables of a thread as they stand."""

    type: Literal["workflow_show_state"] = "workflow_show_state"
    thread_id: str | None = None
    runtime_variables: PlainObject = Field(default_factory=dict)
    workflow_runtime_variables: PlainObject = Field(default_factory=dict)

    @property
    def summary(self) -> str:
        """How many variables, and of which thread."""
        return f"state of thread {self.thread_id}: {len(self.runtime_variables)} runtime variables"


# Node level


class StartNodeRunEvent(NodeEvent):
    """A node begins to run."""

    type: Literal["start_node_run"] = "start_node_run"
    run_input: PlainObject | None = None

    @property
    def summary(self) -> str:
        """Which node."""
        return f"{self.node_label} starts"


class EndNodeRunEvent(NodeEvent):
    """A node has run."""

    type: Literal["end_node_run"] = "end_node_run"
    run_output: PlainObject | None = None

    @property
    def is_failure(self) -> bool:
        """Whether the output says that the node did not succeed."""
        return self.run_output is not None and self.run_output.get("success") is False

    @property
    def summary(self) -> str:
        """Which node, and how it ended."""
        output = self.run_output or {}
        if self.is_failure:
            return f"{self.node_label} failed: {output.get('error_message') or 'no reason given'}"
        fields = output.get("structured_output")
        simulated = " (simulated)" if output.get("simulated") is True else ""
        return f"{self.node_label} ends{simulated}" + (f" with {', '.join(fields)}" if fields else "")


class UserMessagesEvent(NodeEvent):
    """What the user said was taken in."""

    type: Literal["user_messages"] = "user_messages"
    messages: list[PlainObject] = Field(default_factory=list)

    @property
    def summary(self) -> str:
        """The words."""
        return "user: " + " / ".join(message_text(message) for message in self.messages)


class BusyWaitForUserMessageEvent(NodeEvent):
    """A thread is parked until the user says something."""

    type: Literal["busy_wait_for_user_message"] = "busy_wait_for_user_message"

    @property
    def summary(self) -> str:
        """Which node waits."""
        return f"{self.node_label} waits for the user"


class PauseEvent(NodeEvent):
    """A node asked for a pause."""

    type: Literal["pause_event"] = "pause_event"

    @property
    def summary(self) -> str:
        """Which node."""
        return f"{self.node_label} pauses"


class ForceTransferToNodeEvent(NodeEvent):
    """Someone moved the thread to another node."""

    type: Literal["force_transfer_to_node"] = "force_transfer_to_node"
    destination_node_logical_id: str | None = None

    @property
    def summary(self) -> str:
        """Where to."""
        return f"moved from {self.node_label} to {self.destination_node_logical_id}"


class ModelEvent(NodeEvent):
    """A message that came from a model, or from what stands in for one; its subclasses are the types."""

    type: str = ""

    message: PlainObject | None = None
    llm_usage_info: PlainObject = Field(default_factory=dict)

    @property
    def words(self) -> str:
        """The message's text."""
        return message_text(self.message) if self.message else ""

    @property
    def tool_names(self) -> list[str]:
        """The tools that the message calls."""
        calls = (self.message or {}).get("tool_calls") or []
        return [str(call.get("name")) for call in calls if isinstance(call, Mapping)]

    @property
    def summary(self) -> str:
        """The words, or the calls."""
        if self.tool_names:
            return f"{self.node_label} calls {', '.join(self.tool_names)}"
        simulated = " (simulated)" if self._is_simulated else ""
        return f"{self.node_label}{simulated}: {self.words}" if self.words else f"{self.node_label} answers"

    @property
    def _is_simulated(self) -> bool:
        """The message is the result of a tool that was not called."""
        metadata = (self.message or {}).get("response_metadata")
        return isinstance(metadata, Mapping) and metadata.get("simulated") is True


class WorkerLLMEvent(ModelEvent):
    """A silent model message."""

    type: Literal["worker_llm"] = "worker_llm"


class SayLLMEvent(ModelEvent):
    """A speaking model message."""

    type: Literal["say_llm"] = "say_llm"


class ConditionEvaluatorLLMEvent(ModelEvent):
    """A model judged one condition by itself."""

    type: Literal["condition_evaluator_llm"] = "condition_evaluator_llm"
    destination_node_logical_id: str | None = None
    is_condition_met: bool | None = None

    @property
    def summary(self) -> str:
        """The verdict."""
        verdict = "holds" if self.is_condition_met else "does not hold"
        return f"condition towards {self.destination_node_logical_id} {verdict}"


class DiscardedMainLLMEvent(ModelEvent):
    """A model's answer was thrown away."""

    type: Literal["discarded_main_llm"] = "discarded_main_llm"
    reason: str | None = "global_condition_matched"

    @property
    def summary(self) -> str:
        """Why."""
        return f"answer of {self.node_label} discarded: {self.reason}"


class SayStaticEvent(NodeEvent):
    """A fixed text was chosen."""

    type: Literal["say_static"] = "say_static"
    message: PlainObject | None = None

    @property
    def summary(self) -> str:
        """The words."""
        return f"{self.node_label}: {message_text(self.message) if self.message else ''}"


class AssistantResponseEvent(NodeEvent):
    """What the user is told."""

    type: Literal["assistant_response"] = "assistant_response"
    content: str | list[Any] | None = None
    response_metadata: PlainObject = Field(default_factory=dict)
    llm_usage_info: PlainObject = Field(default_factory=dict)

    @property
    def words(self) -> str:
        """The text."""
        return message_text({"content": self.content})

    @property
    def summary(self) -> str:
        """The words."""
        return f"agent: {self.words}"


class WorkflowNavigationMessageEvent(NodeEvent):
    """The memo of a hop, which also enters the chat history."""

    type: Literal["workflow_navigation_message"] = "workflow_navigation_message"
    message: PlainObject | None = None

    @property
    def summary(self) -> str:
        """The memo."""
        return message_text(self.message) if self.message else "navigation memo"


class NodeExpiredEvent(NodeEvent):
    """A node run was cancelled because its time was up."""

    type: Literal["node_expired"] = "node_expired"
    attempt_number: int = 0
    reason: str | None = None

    @property
    def is_failure(self) -> bool:
        """Always."""
        return True

    @property
    def summary(self) -> str:
        """Which attempt, and why."""
        return f"{self.node_label} expired in attempt {self.attempt_number}: {self.reason or 'time is up'}"


class StartConversationEvent(NodeEvent):
    """A call was begun or polled."""

    type: Literal["start_conversation"] = "start_conversation"
    conversation_status: str | None = None
    conversation_id: str | None = None

    @property
    def summary(self) -> str:
        """The call's status."""
        return f"conversation {self.conversation_id or ''} {self.conversation_status or 'started'}"


class EndConversationEvent(NodeEvent):
    """A call's transcript was processed."""

    type: Literal["end_conversation"] = "end_conversation"
    processed_transcript: Any = None

    @property
    def summary(self) -> str:
        """This event in one line."""
        return f"{self.node_label} processed the transcript"


class SendSmsEvent(NodeEvent):
    """A text message was sent, or was to be."""

    type: Literal["send_sms"] = "send_sms"
    status: str | None = None
    sent_message: str | None = None
    destination_phone_number: str | None = None

    @property
    def summary(self) -> str:
        """Whether it was sent, and where to."""
        return f"text message to {self.destination_phone_number}: {self.status}"


class GoogleDocsCreateDocumentEvent(NodeEvent):
    """A document was created."""

    type: Literal["google_docs_create_document"] = "google_docs_create_document"
    status: str | None = None
    document_id: str | None = None
    document_url: str | None = None
    document_title: str | None = None

    @property
    def summary(self) -> str:
        """Its title, and the outcome."""
        return f"document {self.document_title!r} created: {self.status}"


class GoogleDocsGetDocumentEvent(NodeEvent):
    """A document was read."""

    type: Literal["google_docs_get_document"] = "google_docs_get_document"
    status: str | None = None
    document_id: str | None = None
    document_content: Any = None

    @property
    def summary(self) -> str:
        """Its id, and the outcome."""
        return f"document {self.document_id} read: {self.status}"


class GoogleDocsUpdateDocumentEvent(NodeEvent):
    """A document was changed."""

    type: Literal["google_docs_update_document"] = "google_docs_update_document"
    status: str | None = None
    document_id: str | None = None
    document_url: str | None = None
    updated_content: Any = None

    @property
    def summary(self) -> str:
        """Its id, and the outcome."""
        return f"document {self.document_id} updated: {self.status}"


class HttpRequestEvent(NodeEvent):
    """An HTTP call was made."""

    type: Literal["http_request"] = "http_request"
    curl_command: str | None = None
    status_code: int | None = None
    response_body: Any = None
    error: str | None = None

    @property
    def summary(self) -> str:
        """Status or error."""
        return f"{self.node_label} → {self.error or self.status_code}"


class AthenaEvent(NodeEvent):
    """A call to a health record system was made."""

    type: Literal["athena"] = "athena"
    status_code: int | None = None
    response_body: Any = None

    @property
    def summary(self) -> str:
        """The status."""
        return f"{self.node_label} → {self.status_code}"


# Edge level


class DirectEdgeEvent(EdgeEvent):
    """A hop without a condition."""

    type: Literal["direct_edge"] = "direct_edge"


class SelfLoopEdgeEvent(EdgeEvent):
    """A model node goes on with itself."""

    type: Literal["self_loop_edge"] = "self_loop_edge"

    @property
    def summary(self) -> str:
        """Which node."""
        return f"{self.source_label} loops to itself"


class SelfLoopDelayEvent(EdgeEvent):
    """A bounded loop sleeps before its next attempt."""

    type: Literal["self_loop_delay"] = "self_loop_delay"
    delay_seconds: float = 0.0
    attempt_number: int = 0

    @property
    def summary(self) -> str:
        """How long, and which attempt comes."""
        return f"{self.source_label} waits {self.delay_seconds} s before attempt {self.attempt_number}"


class SelfLoopExhaustedEvent(EdgeEvent):
    """A bounded loop gave up."""

    type: Literal["self_loop_exhausted"] = "self_loop_exhausted"
    outcome: Literal["max_retries", "expiry_time"] | None = None
    total_attempts: int = 0

    @property
    def summary(self) -> str:
        """Why, and after how many attempts."""
        return f"{self.source_label} gave up after {self.total_attempts} attempts: {self.outcome}"


class ConditionalEdgeEvent(EdgeEvent):
    """A hop whose condition held."""

    type: Literal["conditional_edge"] = "conditional_edge"
    super_node_exit_origin: str | None = None
    args_filled: PlainObject = Field(default_factory=dict)


class ReverseConditionalEdgeEvent(EdgeEvent):
    """A hop from a global node back to its caller."""

    type: Literal["reverse_conditional_edge"] = "reverse_conditional_edge"
    super_node_exit_origin: str | None = None
    args_filled: PlainObject = Field(default_factory=dict)
    global_node_logical_id: str | None = None


class WaitingConditionMatchedEvent(EdgeEvent):
    """A waiting edge's condition came true."""

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
        """The condition with its values."""
        return f"while waiting: {self.hydrated_condition_expression or self.condition_expression}"


class CompanionEdgeEvent(EdgeEvent):
    """A companion was started."""

    type: Literal["companion_edge"] = "companion_edge"


class GuardrailEscalationEdgeEvent(EdgeEvent):
    """Guardrail nodes were entered too often."""

    type: Literal["guardrail_escalation_edge"] = "guardrail_escalation_edge"
    num_guardrail_nodes_entered: int = 0

    @property
    def summary(self) -> str:
        """How often, and where it leads."""
        return (
            f"escalation to {self.destination_label} after {self.num_guardrail_nodes_entered} guardrail nodes"
        )


def parse_event(data: Mapping[str, Any]) -> Event:
    """Read one event. It is written back unchanged by `Event.to_wire`.

    Args:
        data: The event's object; only ``type`` is needed.

    Returns:
        An instance of the type's class. An unknown type, or a known one with a value that its field
        cannot have, becomes a bare `Event` that keeps every key (``platform/engine.md`` 8.2).

    Raises:
        InputError: There is no ``type``, or a field that all events share has an impossible value.
    """
    if not isinstance(data, Mapping):
        raise InputError(f"An event must be an object; {data!r:.80} is none.")
    cls = EVENT_TYPES.get(str(data.get("type")))
    if cls is not None:
        try:
            return _shapes.read(cls, data)
        except ValidationError:
            return Event.from_wire(data)
    return Event.from_wire(data)


def reference_id(thread_id: str | None) -> str | None:
    """A thread's id as people know it: what follows the last ``_companion_`` (``platform/engine.md`` 3.5)."""
    return None if thread_id is None else thread_id.rsplit(COMPANION, 1)[-1]

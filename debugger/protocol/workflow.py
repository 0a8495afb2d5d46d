"""The fully hydrated workflow document (``platform.md#workflow-document``).

Only the fields that all nodes or all edges share are declared here; a node type's own fields stand beside its
code in ``engine/nodes``. Unknown fields are preserved everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator

from debugger.errors import WorkflowError
from debugger.protocol.base import AnswerModel, JsonObject, WireModel, read_flag

SelectionMode = Literal["random", "sequence"]
EvaluationMethod = Literal["tool_call", "independent_llm_evaluations"]


class StaticMessagesConfig(WireModel):
    """Fixed texts, one of which is spoken."""

    static_messages: list[str] = Field(default_factory=list)
    static_messages_selection_mode: SelectionMode = "random"


class DynamicMessagesConfig(WireModel):
    """A prompt for a text that a model writes."""

    dynamic_message_prompt: str | None = None


class ConditionConfig(WireModel):
    """The condition of an edge (``platform.md#edges``)."""

    condition_freeform: str | None = None
    """In natural language, judged by a model."""
    condition_expression: str | None = None
    """In the condition language; wins over the freeform text where both are set."""
    args_schema: JsonObject | None = None
    static_messages_config: StaticMessagesConfig | None = None
    dynamic_messages_config: DynamicMessagesConfig | None = None

    @property
    def text(self) -> str:
        """Return the condition as text."""
        return self.condition_expression or self.condition_freeform or ""

    @property
    def has_line(self) -> bool:
        """Return whether a message is spoken at the transition."""
        return self.static_messages_config is not None or self.dynamic_messages_config is not None


class CompanionThreadConfig(WireModel):
    """The companion thread that a direct edge forks."""

    is_companion_thread: bool = False
    thread_id: str | None = None


class EvaluateWhileWaitingConfig(WireModel):
    """The evaluation of an edge while its source waits for the user."""

    enabled: bool = False
    trigger_mode: Literal["on_node_completion", "on_every_background_tick"] = "on_node_completion"
    trigger_node_logical_ids: list[str] = Field(default_factory=list)
    min_seconds_between_evaluations: float | None = Field(default=None, ge=0)
    max_transitions_per_wait: int = Field(default=3, ge=1)


class GlobalNodeConfig(WireModel):
    """The transitions from every node to this one and back (``platform.md#global-nodes``)."""

    is_global: bool = False
    condition: ConditionConfig | None = None
    global_condition_edge_evaluation_method: Literal[
        "workflow_default", "tool_call", "independent_llm_evaluations"
    ] = "workflow_default"
    reverse_conditional_edge: ConditionConfig | None = None


class SelfLoopConfig(WireModel):
    """A bounded retry of any node (``platform.md#bounded-self-loop``)."""

    enabled: bool = False
    max_retries: int | None = Field(default=None, ge=0, le=100)
    expiry_time: int | None = Field(default=None, ge=1, le=3600)
    time_between_retries: int = Field(default=0, ge=0, le=300)

    @property
    def is_bounded(self) -> bool:
        """Return whether it has a bound, as an enabled one must (V15)."""
        return self.max_retries is not None or self.expiry_time is not None

    @property
    def ends_by_time_alone(self) -> bool:
        """Return whether no number of retries bounds it."""
        return self.max_retries is None and self.expiry_time is not None


class GuardrailStrikesConfig(WireModel):
    """The limit on entered guardrail nodes (``platform.md#guardrails``)."""

    max_guardrail_nodes_before_escalation: int | None = None
    """``None`` switches the counting off."""
    escalation_node_logical_id: str | None = None
    """Where the run then goes; ``None`` ends it."""
    escalation_message: str | None = None
    """What is said where the run ends; ``None`` says nothing."""


class NodeConfig(WireModel):
    """The fields of all nodes; a node's own fields are extras here."""

    logical_id: str
    name: str | None = None
    description: str | None = None
    type: str | None = None
    """``None`` on a node that names no type; such a node is opaque."""
    disabled: bool = False
    is_start: bool = False
    global_node_config: GlobalNodeConfig | None = None
    is_guardrail_node: bool = False
    self_loop_config: SelfLoopConfig | None = None
    miscellaneous: JsonObject | None = None

    @property
    def label(self) -> str:
        """Return the name, or the id without one."""
        return self.name or self.logical_id

    @property
    def is_global(self) -> bool:
        """Return whether every node has a transition to this one."""
        return self.global_node_config is not None and self.global_node_config.is_global


class EdgeConfig(WireModel):
    """One edge. ``type`` decides which of the last three fields mean something."""

    logical_id: str
    name: str | None = None
    description: str | None = None
    type: Literal["direct", "conditional", "companion"]
    disabled: bool = False
    source_node_logical_id: str | None = None
    destination_node_logical_id: str | None = None
    miscellaneous: JsonObject | None = None
    companion_thread_config: CompanionThreadConfig | None = None
    condition: ConditionConfig | None = None
    evaluate_while_waiting_config: EvaluateWhileWaitingConfig | None = None

    @property
    def label(self) -> str:
        """Return the edge's name, else its condition."""
        return self.name or (self.condition.text if self.condition else "")

    @property
    def forks_companion(self) -> bool:
        """Return whether the edge is flagged to fork a background thread."""
        return self.companion_thread_config is not None and self.companion_thread_config.is_companion_thread


class WorkflowConfig(WireModel):
    """The settings of a workflow as a whole (``platform.md#workflow-settings``)."""

    logical_id: str = ""
    name: str | None = None
    description: str | None = None
    category: str | None = "User Created"
    llms_config: JsonObject | None = None
    main_response_config: JsonObject | None = None
    default_prompt_prefix: str | None = None
    default_prompt_suffix: str | None = None
    tools_config: JsonObject | None = None
    global_condition_evaluation_method: EvaluationMethod = "tool_call"
    miscellaneous: JsonObject = Field(default_factory=dict)
    guardrail_strikes_config: GuardrailStrikesConfig | None = None

    @field_validator("miscellaneous", mode="before")
    @classmethod
    def _absent_is_empty(cls, value: Any) -> Any:
        return {} if value is None else value

    @property
    def default_dynamic_variables(self) -> JsonObject:
        """Return the default values of ``{{name}}``."""
        found = self.miscellaneous.get("default_dynamic_variables")
        return found if isinstance(found, dict) else {}

    @property
    def max_consecutive_conditional_edges(self) -> int:
        """Return the limit on conditional edges without a model's answer (``platform.md#loop-limits``)."""
        return as_number(self.miscellaneous.get("consecutive_conditional_edges_max_limit"), 3)

    @property
    def must_answer_after_return(self) -> bool:
        """Return whether a model must answer after a return (``platform.md#loop-limits``)."""
        key = "no_consecutive_conditional_edge_after_reverse_conditional_edge_taken"
        return as_bool(self.miscellaneous.get(key), True)


class Workflow(WireModel):
    """A fully hydrated workflow document."""

    workflow_config: WorkflowConfig | None = None
    node_configs: list[NodeConfig] = Field(default_factory=list)
    edge_configs: list[EdgeConfig] = Field(default_factory=list)
    dynamic_variables: JsonObject = Field(default_factory=dict)
    runtime_variables: JsonObject = Field(default_factory=dict)

    @property
    def config(self) -> WorkflowConfig:
        """Return the settings, or the defaults."""
        return self.workflow_config or WorkflowConfig()

    @property
    def name(self) -> str:
        """Return the document's name, its settings' name or ``Untitled workflow``."""
        own = (self.model_extra or {}).get("name")
        return str(own or self.config.name or "Untitled workflow")

    @classmethod
    def from_document(cls, data: Any) -> Self:
        """Read a document in any of its wrappings (``platform.md#hydrated-workflow``).

        Args:
            data: The hydrated object itself, or one around it.

        Raises:
            WorkflowError: It is no object, or nothing in it has nodes or edges.
            InputError: A node or an edge lacks what every one of them needs, or an edge has an unknown type.
        """
        return cls.from_wire(unwrap_document(data))


def unwrap_document(data: Any) -> Mapping[str, Any]:
    """Return the hydrated object inside its wrappings.

    Raises:
        WorkflowError: It is no object, or nothing in it has a list of nodes or of edges.
    """
    found = data.get("workflow", data) if isinstance(data, Mapping) else data
    for _ in range(4):
        if not isinstance(found, Mapping):
            break
        if isinstance(found.get("node_configs"), list) or isinstance(found.get("edge_configs"), list):
            return found
        found = found.get("workflow_config")
    raise WorkflowError(
        "This is not a workflow: no object in it has a list 'node_configs' or 'edge_configs'.",
        advice="Export the workflow fully hydrated (?fully_hydrate=true) and import that file.",
    )


class WorkflowSummary(AnswerModel):
    """One row of the list of workflows."""

    id: str
    name: str | None = None
    description: str | None = None
    active_version_number: int | None = None
    created_at: str | None = None
    updated_at: str | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Read a row of the API, whose name may be nested.

        Raises:
            InputError: The row has no id.
        """
        flat = dict(row)
        flat["id"] = row.get("id") or row.get("_id")
        inner = row.get("workflow_config")
        while isinstance(inner, Mapping):
            for key in ("name", "description"):
                flat[key] = flat.get(key) or inner.get(key)
            inner = inner.get("workflow_config")
        return cls.from_wire(flat)

    @property
    def label(self) -> str:
        """Return the name, or a default."""
        return self.name or "Untitled workflow"


class VersionSummary(AnswerModel):
    """One version of a workflow, without its graph."""

    version_number: int
    version_name: str | None = None
    is_active: bool = False
    created_at: str | None = None
    updated_at: str | None = None

    @property
    def label(self) -> str:
        """Return number, name and whether the version is active."""
        named = f" · {self.version_name}" if self.version_name else ""
        return f"v{self.version_number}{named}" + (" (active)" if self.is_active else "")


_MAX_DIGITS = 18


def as_bool(value: Any, default: bool) -> bool:
    """Return a flag of a document, or the default (``platform.md#workflow-flags``)."""
    flag = read_flag(value)
    return default if flag is None else flag


def as_number(value: Any, default: int) -> int:
    """Return a count of ``miscellaneous``, or the default.

    A count is a number or a text of digits, with ``.0`` or not, of at most `_MAX_DIGITS` digits; a negative
    one is none.
    """
    if value is None:
        return default
    text = str(value).strip().removesuffix(".0")
    # Python refuses to read very long numbers, and no count is one.
    return int(text) if text.isdecimal() and len(text) <= _MAX_DIGITS else default


SYSTEM_NAMES = frozenset(
    {"now", "date", "time", "year", "month", "day", "hour", "minute", "iso_datetime", "day_of_week"}
    | {"timestamp", "timestamp_ms", "rand_int", "rand_str", "rand_float", "rand_uuid", "rand_bool"}
)
"""The dynamic variables that the engine sets (``platform.md#system-variables``)."""
SYSTEM_GLOBALS = frozenset({"interactly_api_base_url", "interactly_api_token"})
"""The global variables that only the platform sets (``platform.md#secrets``)."""

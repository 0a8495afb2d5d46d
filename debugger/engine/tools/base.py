"""The base of tool types, with a call's context and result."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from pydantic import Field, ValidationInfo, field_validator

from debugger.engine.options import EngineOptions
from debugger.engine.outbound import Gateway, OutboundCall, OutboundOutcome
from debugger.engine.outbound.gateway import Answer, BlockedGateway
from debugger.engine.tools.arguments import VariableArgument
from debugger.engine.tools.results import NO_PARTS, ResultMapping, ResultParts
from debugger.expressions.references import Scope
from debugger.protocol.base import JsonObject, WireModel
from debugger.protocol.workflow import StaticMessagesConfig

RESULT_NAME = "tool_result"
"""The variable that takes a result where the author names none."""


def _default_for_null(cls: type[WireModel], value: Any, info: ValidationInfo) -> Any:
    field_info = cls.model_fields[str(info.field_name)]
    return field_info.get_default(call_default_factory=True) if value is None else value


def null_is_default(*names: str) -> Any:
    """Return a validator that replaces null by the default of fields."""
    return field_validator(*names, mode="before")(classmethod(_default_for_null))


class ToolConfig(WireModel):
    """The fields that all tools share (``platform.md#tools``)."""

    type: str
    name: str | None = None
    description: str | None = None
    """For people; a model does not get to read it."""
    signature: str | None = None
    """What a model reads about it; may hold placeholders."""
    args_schema: JsonObject | None = None
    """JSON Schema of the arguments."""
    static_messages_config: StaticMessagesConfig | None = None
    """What is said when a model calls it."""
    ignore_content_received_during_llm_tool_call_specification: bool = False
    """Whether what a model says along with a call of it stays unsaid."""
    result_runtime_variable_name: str = RESULT_NAME
    timeout_seconds: float | None = None
    """``None`` means the engine's own limit (U-53)."""
    variable_arguments: list[VariableArgument] = Field(default_factory=list)
    """Arguments that the workflow sets itself."""
    result_variable_mappings: list[ResultMapping] = Field(default_factory=list)
    """Variables that take parts of the result."""
    expand_result_into_runtime_variables: bool = False
    """Whether each top-level key of the result becomes a variable."""

    _null_defaults = null_is_default(
        "variable_arguments",
        "result_variable_mappings",
        "expand_result_into_runtime_variables",
        "ignore_content_received_during_llm_tool_call_specification",
    )

    @field_validator("variable_arguments", "result_variable_mappings")
    @classmethod
    def _no_name_twice(cls, entries: list[Any], info: ValidationInfo) -> list[Any]:
        """Return the entries of a list field unchanged.

        Raises:
            ValueError: Two have the same argument or variable.
        """
        key = "argument_name" if info.field_name == "variable_arguments" else "target_variable_name"
        names = [getattr(entry, key) for entry in entries]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the {key} {name!r} is there more than once")
        return entries


class ToolInterceptor(Protocol):
    """The interface of what may answer in the place of a tool (``mocks``)."""

    def call(self, tool: Tool, arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Call a tool, or return what answers in its place."""


@dataclass(frozen=True)
class ToolContext:
    """The data and services that a call may use."""

    scope: Scope
    """Variables, for the placeholders in the tool's own texts."""
    timeout: float
    """Seconds the call may take."""
    options: EngineOptions = field(default_factory=EngineOptions)
    """What about the engine was chosen, such as whether code in a workflow may run at all."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set when the run is stopped; a call ends as soon as it sees it."""
    outbound: Gateway = field(default_factory=BlockedGateway)
    """The gateway for every call to the outside."""
    authored: Scope = field(default_factory=Scope)
    """The variables with the workflow's own defaults alone."""
    authored_arguments: JsonObject = field(default_factory=dict)
    """The arguments that the author wrote at the call, with those defaults alone; none of a model's call."""
    node_logical_id: str = ""
    """The node on whose behalf the tool is called."""
    warnings: list[str] = field(default_factory=list)
    """What the user is to be warned of, as that an answer was made up."""
    interceptor: ToolInterceptor | None = None
    """The mocks and manual answers of the run."""
    tool_error: str = ""
    """With what the call is to fail; empty lets it be made."""
    applied_mocks: list[str] = field(default_factory=list)
    """The ids of the pins and faults that the node's run has met."""
    sleep: Callable[[float], object] = time.sleep
    """Waits some seconds, but not beyond the end of the run."""

    def reach(self, call: OutboundCall[Answer]) -> OutboundOutcome[Answer]:
        """Make a call to the outside, and warn where its answer was simulated.

        Without an answer the outcome has the error.
        """
        outcome = self.outbound.call(call, node_logical_id=self.node_logical_id, timeout=self.timeout)
        if outcome.how == "simulated":
            self.warnings.append(call.simulation_note)
        return outcome


@dataclass(frozen=True)
class ToolResult:
    """The result of a call; a failure is data for branches."""

    success: bool
    result: Any = None
    """Any JSON value; ``None`` on failure."""
    error: str | None = None
    """Why it failed; ``None`` on success."""
    is_simulated: bool = False
    """Whether a recorded answer was used instead of the call."""
    is_faulted: bool = False
    """Whether a fault let the call fail."""
    parts: ResultParts = NO_PARTS
    """The variables that the result sets besides the one that holds it whole; none of a failed call."""

    @classmethod
    def failure(cls, error: str | None) -> ToolResult:
        """Return the result of a call that failed."""
        return cls(success=False, error=error)


class Tool(ABC):
    """A type of tool; ``Config`` has the author's fields."""

    Config: ClassVar[type[ToolConfig]]

    def __init__(self, config: Any) -> None:
        self.config: Any = config

    @abstractmethod
    def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Call it with keyword arguments; errors are part of the result."""

    def local_request(self, arguments: JsonObject, context: ToolContext) -> JsonObject | None:
        """Return what a call asks of this machine, for a recording.

        ``None`` where it asks a service, whose call is recorded, or only computes.
        """
        return None

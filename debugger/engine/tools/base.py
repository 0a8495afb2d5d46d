"""What a kind of tool has to offer."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from debugger.expressions.scope import Scope
from debugger.protocol.base import JsonObject, WireModel


class ToolConfig(WireModel):
    """The fields that all tools share (``platform/engine.md`` 10.1)."""

    type: str
    name: str | None = None
    description: str | None = None
    args_schema: JsonObject | None = None
    result_runtime_variable_name: str = "tool_result"
    timeout_seconds: float | None = None
    """``None`` means the engine's own limit (U-53)."""


@dataclass(frozen=True)
class ToolContext:
    """What a call may use besides its arguments."""

    scope: Scope
    """Variables, for the placeholders in the tool's own texts."""
    timeout: float
    """Seconds the call may take."""
    enabled: bool = True
    """Whether code in a workflow may run at all: the setting ``inline_python``."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set when the run is stopped; a call ends as soon as it sees it."""


@dataclass(frozen=True)
class ToolResult:
    """How a call ended. A failure is data: the run goes on and can branch on it."""

    success: bool
    result: Any = None
    """Any JSON value; ``None`` on failure."""
    error: str | None = None
    """Why it failed; ``None`` on success."""


class Tool(Protocol):
    """A kind of tool: its ``Config`` reads the workflow, its ``call`` does the work."""

    Config: ClassVar[type[ToolConfig]]

    def __init__(self, config: Any) -> None:
        """Make the tool of one configuration, an instance of ``Config``."""

    def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Call it with keyword arguments. Never raises for what the tool itself does wrong."""

"""Answers of tools that are not called: recorded beforehand, or made up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from debugger.engine.json_paths import Path, value_at
from debugger.engine.outbound import OutboundCall, OutboundError, RecordedAnswer, Substitute
from debugger.engine.tools.base import ToolContext, ToolResult
from debugger.expressions import Scope, render_value
from debugger.expressions.patterns import Pattern
from debugger.expressions.values import are_equal
from debugger.protocol.base import JsonObject


@dataclass(frozen=True)
class ToolAnswer:
    """A recorded answer of a tool whose Python code is refused."""

    tool: str
    """The tool's name, as the author of the workflow wrote it."""
    conditions: tuple[tuple[Path, Any], ...] = ()
    """Paths into the arguments, each with a regular expression that is searched for in the text there, or
    with the value that is equal to the one there."""
    result: Any = field(default=None, repr=False)
    """Any JSON value; each ``[[path]]`` in its texts is filled from the arguments."""
    error: str | None = None
    """Why the call fails; there is no result then."""
    label: str = field(default="", compare=False)
    """Its place, for people: ``answer 2 of 'price' (line 14)``."""

    def fits(self, tool: str, arguments: JsonObject) -> bool:
        """Return whether this answers a call."""
        return tool == self.tool and all(
            _is_met(wanted, value_at(arguments, path)) for path, wanted in self.conditions
        )

    def to_result(self, arguments: JsonObject) -> Any:
        """Return the result for a call.

        Raises:
            OutboundError: The answer is an error.
        """
        if self.error is not None:
            raise OutboundError(self.error)
        return render_value(self.result, Scope(runtime=arguments), preserve_types=True)


def answer_or_default(recorded: RecordedAnswer | None, made_up: JsonObject) -> Any:
    """Return the recorded answer, else a default marked as simulated.

    Args:
        recorded: What was recorded for the call.
        made_up: What is answered otherwise; a key ``simulated`` is put before it.

    Raises:
        OutboundError: It was recorded that the call fails.
    """
    return {"simulated": True, **made_up} if recorded is None else recorded.successful_body()


def recorded_result(answer: ToolAnswer, arguments: JsonObject, context: ToolContext) -> ToolResult:
    """Return the recorded answer of a tool whose Python code does not run; an error is a failed result.

    The call is in the ledger as any other that is simulated, and the user is warned of it.
    """
    call: OutboundCall[Any] = OutboundCall(
        kind="python",
        call_class="python",
        target=f"Python tool {answer.tool}",
        request=arguments,
        simulate=lambda _: answer.to_result(arguments),
    )
    outcome = context.outbound.call(
        call,
        node_logical_id=context.node_logical_id,
        timeout=context.timeout,
        substitute=Substitute("recorded", lambda: answer.to_result(arguments)),
    )
    if outcome.how == "simulated":
        context.warnings.append(
            f"The tool {answer.tool!r} was simulated: its Python code does not run here, so that it answers "
            "with a recorded example."
        )
    return ToolResult(
        success=outcome.error is None,
        result=outcome.answer,
        error=outcome.error,
        is_simulated=outcome.how == "simulated",
    )


def _is_met(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, Pattern):
        return isinstance(value, str) and wanted.search(value) is not None
    return are_equal(value, wanted)

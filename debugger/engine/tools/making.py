"""To make the tool of a configuration."""

from __future__ import annotations

from typing import Any

from debugger.engine.tools import TOOL_TYPES
from debugger.engine.tools.base import Tool, ToolConfig, ToolContext, ToolResult
from debugger.errors import RunError
from debugger.protocol.base import JsonObject


def make_tool(given: JsonObject) -> Tool:
    """Make a tool; of a type that the engine does not run, one whose calls all fail and say so.

    Raises:
        InputError: A field has a value that it cannot have.
    """
    tool_class = TOOL_TYPES.get(str(given.get("type")), UnrunnableTool)
    return tool_class(tool_class.Config.from_wire(given))


def check_targets(config: ToolConfig, result_name: str, place: str) -> None:
    """See to it that no part of the result is put where the outcome stands (``platform/engine.md`` 10.3).

    Args:
        config: The tool's.
        result_name: The variable that takes the whole result.
        place: Whose tool it is, for the message: ``Node 'Price'``.

    Raises:
        RunError: A mapping has such a target.
    """
    outcome = outcome_names(result_name)
    for mapping in config.result_variable_mappings:
        if mapping.target_variable_name in outcome:
            raise RunError(
                f"{place} maps a result onto target_variable_name {mapping.target_variable_name!r}, where it "
                "tells whether the call succeeded.",
                advice=f"Choose another name than {' and '.join(outcome)}.",
            )


def outcome_names(result_name: str) -> tuple[str, str]:
    """The variables that tell whether a call succeeded, and why not."""
    return f"{result_name}_success", f"{result_name}_error"


class UnrunnableTool(Tool):
    """A tool of a type that the engine does not run.

    A model is offered it like any other, as on the platform, and is told when it calls it.
    """

    Config = ToolConfig

    def __init__(self, config: Any) -> None:
        self.config = config

    def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Tell that it was not called."""
        return ToolResult(
            success=False,
            error=f"The tool {self.config.name!r} is of type {self.config.type!r}, which the embedded engine "
            f"does not run; it runs {', '.join(sorted(TOOL_TYPES))}.",
        )

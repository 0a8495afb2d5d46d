"""The tool whose work is a function that the platform has built in."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from debugger.engine.tools.base import Tool, ToolConfig, ToolContext, ToolResult
from debugger.engine.tools.inbuilt import INBUILT, SEND_SMS, Inbuilt, inbuilt, listed
from debugger.errors import RunError
from debugger.protocol.base import JsonObject


class InbuiltFunctionConfig(ToolConfig):
    """Which function is called (``platform/engine.md`` 10.4)."""

    tool_id: str | None = None
    """The function's name in the platform's registry, or the id of a saved tool."""
    configurable_key: str | None = None
    extra_config: JsonObject | None = None
    """What else the platform is told of the tool, as the workflow to transfer a call to."""

    @property
    def function(self) -> Inbuilt | None:
        """The function; ``None`` where only the platform has it."""
        return inbuilt(self.function_name)

    @property
    def function_name(self) -> str:
        """The id where it is the name of a function, else the name."""
        names = [name for name in (self.tool_id, self.name) if name]
        return next((name for name in names if inbuilt(name) is not None), names[-1] if names else "")

    @model_validator(mode="after")
    def _has_what_a_model_reads(self) -> Self:
        if self.function is not None:
            self.signature = self.signature or self.function.description
            self.args_schema = self.args_schema or self.function.args_schema
        return self


class InbuiltFunctionTool(Tool):
    """Call a function that the platform has built in.

    ``math_add`` is computed here. What would reach a person or a service goes through the door to the
    outside, and only the platform can really do it. The platform's other functions are not known here.

    Args:
        config: Which function.

    Raises:
        RunError: The workflow sets an argument that the function does not have (10.2).

    Source: ``platform/engine.md`` 10.2, 10.4.
    """

    Config = InbuiltFunctionConfig

    def __init__(self, config: InbuiltFunctionConfig) -> None:
        self.config = config
        function = config.function
        for bound in config.variable_arguments:
            if function is not None and not function.takes(bound.argument_name):
                raise RunError(
                    f"The tool {config.function_name!r} sets the argument {bound.argument_name!r}, which its "
                    f"function does not have; it has {listed(function.arguments)}.",
                    advice="Correct the argument_name in the tool's variable_arguments.",
                )

    def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Call it with keyword arguments. Whatever goes wrong is told in the result, never raised."""
        function, name = self.config.function, self.config.function_name
        if function is None:
            return ToolResult(
                success=False,
                error=f"The embedded engine does not have the built-in function {name!r}; it has "
                f"{listed([*INBUILT, SEND_SMS + '<suffix>'])}. The platform has about 23, which only the "
                "hosted API runs. Run the workflow there.",
            )
        problem = function.problem(arguments)
        if problem is not None:
            return ToolResult(success=False, error=f"The function {name!r} was not called. {problem}")
        return function.call(arguments, context)

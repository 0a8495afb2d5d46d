"""The tool that calls a Python function written in the workflow."""

from __future__ import annotations

from debugger.engine.tools import sandbox
from debugger.engine.tools.base import Tool, ToolConfig, ToolContext, ToolResult
from debugger.expressions import render
from debugger.protocol.base import JsonObject


class InlinePythonConfig(ToolConfig):
    """The configuration of the tool (``platform.md#tool-types``)."""

    code: str | None = None
    """Source text with a function in it."""
    allow_code_variable_substitution: bool = True
    """Whether placeholders in the code are filled in before it runs."""


class InlinePythonTool(Tool):
    """A call of the workflow's Python function in its own process.

    The function is the one named like the tool, in any case and with underscores for spaces; without such a
    one, the last at the top level. It may be ``async``. It is called with the arguments by keyword, and
    returns a value that has a form in JSON. It finds Python's standard library and no other package, no
    environment, no network, no files but small ones of its own in ``/tmp``, and the clock in UTC.

    Source: ``platform.md#tool-types``, U-54.
    """

    Config = InlinePythonConfig

    config: InlinePythonConfig

    def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Run the function in a child process with keyword arguments; errors are part of the result.

        It fails without running where Python is refused, the code is blank, or filled placeholders change
        code that only may run as a user has read it.
        """
        name = self.config.name or ""
        status = context.options.inline_python
        if status.mode == "refused":
            return ToolResult.failure(f"{status.reason} {status.advice}")
        if not self.config.code or not self.config.code.strip():
            return ToolResult.failure(f"The tool {name!r} has no code. Write a function into its field code.")
        code, unresolved = self._filled_code(context)
        if code != self.config.code and not context.options.fills_code:
            return ToolResult.failure(
                f"The code of the tool {name!r} was not run: placeholders would put values into it, and "
                "without a sandbox only code that you have read may run. Pass the values as arguments."
            )
        request = {"code": code, "name": name, "arguments": arguments}
        limits = sandbox.Limits(context.timeout)
        answer = sandbox.run(request, limits, context.cancelled, unsafe=status.mode == "unsafe")
        if answer.error is None:
            return ToolResult(success=True, result=answer.value)
        missing = f" Placeholders without a value: {', '.join(unresolved)}." if unresolved else ""
        printed = answer.printed.strip()
        return ToolResult.failure(
            answer.error + missing + (f" It had printed: {printed!r}." if printed else "")
        )

    def _filled_code(self, context: ToolContext) -> tuple[str, tuple[str, ...]]:
        """Return the code with placeholders filled in where it allows them, and those without a value."""
        if self.config.code and self.config.allow_code_variable_substitution:
            return render(self.config.code, context.scope)
        return self.config.code or "", ()

    def local_request(self, arguments: JsonObject, context: ToolContext) -> JsonObject:
        """Return the filled code and the arguments."""
        return {"code": self._filled_code(context)[0], "arguments": arguments}

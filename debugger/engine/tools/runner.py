"""Making and calling tools, and writing their results.

A node that always runs one tool and a model that chooses one do the same here; they differ in who gives the
arguments and in the events afterwards (``platform.md#tool-execution``).
"""

from __future__ import annotations

from dataclasses import replace

from debugger.engine.state import RunState, ThreadState
from debugger.engine.tools import TOOL_TYPES
from debugger.engine.tools.arguments import bind
from debugger.engine.tools.base import Tool, ToolConfig, ToolContext, ToolResult
from debugger.engine.tools.results import split_result
from debugger.engine.variables import write
from debugger.errors import RunError
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import NodeConfig
from debugger.telemetry import spans


def call_tool(tool: Tool, arguments: JsonObject, context: ToolContext) -> ToolResult:
    """Call a tool and split its result; nothing is written, and errors are part of the result.

    A missing required argument fails before the call, a result without a required part after it. The
    interceptor, or a fault of the node, may answer in its place.

    Args:
        tool: The tool.
        arguments: What the caller gives; the workflow's own are put to them (10.2).
        context: What the call may use.
    """
    config = tool.config
    bound = bind(config.variable_arguments, arguments, context.scope)
    if bound.problem is not None:
        return ToolResult.failure(bound.problem)
    with spans.span("tool", tool_name=str(config.name), tool_type=str(config.type)) as span:
        result = _call_or_fail(tool, bound.arguments, context)
        if span is not None:
            span.set_attribute("success", result.success)
    if not result.success:
        return result
    parts = split_result(
        result.result, config.result_variable_mappings, expand=config.expand_result_into_runtime_variables
    )
    if parts.problem is not None:
        return ToolResult.failure(parts.problem)
    return replace(result, parts=parts)


def _call_or_fail(tool: Tool, arguments: JsonObject, context: ToolContext) -> ToolResult:
    """Return the failure that a fault gives, else the interceptor's answer, else that of the tool."""
    if context.tool_error:
        return ToolResult(success=False, error=context.tool_error, is_faulted=True)
    if context.interceptor is not None:
        return context.interceptor.call(tool, arguments, context)
    return tool.call(arguments, context)


def write_result(
    result: ToolResult, name: str, node: NodeConfig, state: RunState, thread: ThreadState
) -> None:
    """Write the result and its parts.

    A failed call writes ``None`` for the result (U-9) and no part. A mapping may take the name of the result;
    a key of the result that happens to be called so may not.

    Args:
        result: The result of the call.
        name: The variable that takes the whole result.
        node: The node that made the call.
        state: Has the variables of the run-wide memory.
        thread: Has the others.
    """
    parts = result.parts
    write(thread, node, parts.workflow, into=state.workflow_variables)
    write(thread, node, {**parts.expanded, name: result.result, **parts.thread})


def make_tool(config: JsonObject) -> Tool:
    """Make a tool; one of an unsupported type fails all its calls.

    Raises InputError where a field has a value that it cannot have, and RunError where the workflow sets an
    argument that the tool does not have.
    """
    tool_class = TOOL_TYPES.get(str(config.get("type")), UnsupportedTool)
    return tool_class(tool_class.Config.from_wire(config))


def check_targets(config: ToolConfig, result_name: str, place: str) -> None:
    """Reject a mapping onto the variables of the outcome (``platform.md#result-mappings``).

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
                "says whether the call succeeded.",
                advice=f"Choose another name than {' and '.join(outcome)}.",
            )


def outcome_names(result_name: str) -> tuple[str, str]:
    """Return the variables with a call's success and its error."""
    return f"{result_name}_success", f"{result_name}_error"


class UnsupportedTool(Tool):
    """A tool of an unsupported type, offered to models nevertheless."""

    Config = ToolConfig

    def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Return the failure that it was not called."""
        return ToolResult.failure(
            f"The tool {self.config.name!r} is of type {self.config.type!r}, which the embedded engine "
            f"does not run; it runs {', '.join(sorted(TOOL_TYPES))}.",
        )

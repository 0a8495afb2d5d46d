"""To call a tool: bind its arguments, call it, take its result apart, write the variables.

A node that always runs one tool and a model that chooses one do the same here; they differ in who gives the
arguments and in what is told afterwards (``platform/engine.md`` 10.6).
"""

from __future__ import annotations

from typing import NamedTuple

from debugger.engine.state import RunState, ThreadState
from debugger.engine.tools.arguments import bind
from debugger.engine.tools.base import Tool, ToolContext, ToolResult
from debugger.engine.tools.results import NOTHING, Parts, take_apart
from debugger.engine.variables import write
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import NodeConfig


class Called(NamedTuple):
    """A call that was made, or that could not be made for want of an argument."""

    result: ToolResult
    parts: Parts
    """The variables that the result gives besides the one that takes it whole; none of a failed call."""


def call_tool(tool: Tool, arguments: JsonObject, context: ToolContext) -> Called:
    """Call a tool. A result that lacks a required part counts as failed.

    Args:
        tool: The tool.
        arguments: What the caller gives; the workflow's own are put to them (10.2).
        context: What the call may use.
    """
    config = tool.config
    bound = bind(config.variable_arguments, arguments, context.scope)
    if bound.problem is not None:
        return _failed(bound.problem)
    result = _called(tool, bound.arguments, context)
    if not result.success:
        return Called(result, NOTHING)
    parts = take_apart(
        result.result, config.result_variable_mappings, expand=config.expand_result_into_runtime_variables
    )
    return _failed(parts.problem) if parts.problem is not None else Called(result, parts)


def _called(tool: Tool, arguments: JsonObject, context: ToolContext) -> ToolResult:
    if context.tool_error:
        return ToolResult(success=False, error=context.tool_error)
    return (
        tool.call(arguments, context) if context.hand is None else context.hand.call(tool, arguments, context)
    )


def write_result(called: Called, name: str, node: NodeConfig, state: RunState, thread: ThreadState) -> None:
    """Write the result and its parts; a failed call writes ``None`` for the result (U-9) and no part.

    A mapping may take the name of the result; a key of the result that happens to be called so may not.

    Args:
        called: The call.
        name: The variable that takes the whole result.
        node: The node that made the call.
        state: Has the variables of the run-wide memory.
        thread: Has the others.
    """
    parts = called.parts
    write(thread, node, parts.workflow, into=state.workflow_variables)
    write(thread, node, {**parts.expanded, name: called.result.result, **parts.thread})


def _failed(why: str) -> Called:
    return Called(ToolResult(success=False, error=why), NOTHING)

"""The node that always runs one tool (``platform.md#tool_node``)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import ClassVar, Final

from pydantic import Field

from debugger.engine.models.base import ModelError
from debugger.engine.nodes.base import Node, NodeContext, NodeResult, NodeRun
from debugger.engine.nodes.llm.model_call import call_model
from debugger.engine.tools import TOOL_TYPES
from debugger.engine.tools.base import RESULT_NAME, Tool, ToolResult
from debugger.engine.tools.runner import (
    call_tool,
    check_targets,
    make_tool,
    outcome_names,
    write_result,
)
from debugger.errors import RunError
from debugger.expressions import Scope, render_value
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.workflow import NodeConfig

_RESULT_SCHEMA: Final[JsonObject] = {
    "type": "object",
    "properties": {"success": {"type": "boolean", "default": True}, "result": {"default": ""}},
    "required": ["success"],
}
"""The result of a tool as the user answers it; a call without success has the error in ``result``."""


class ToolNodeConfig(NodeConfig):
    """The tool and what it is called with."""

    tool_config: JsonObject | None = None
    tool_arguments: JsonObject = Field(default_factory=dict)
    result_runtime_variable_name: str = RESULT_NAME
    preserve_argument_types: bool = False


class ToolNode(Node[ToolNodeConfig]):
    """A node that calls a tool and writes its result.

    A failure does not end the run. Arguments of the tool's own are put to those of the node. The result's
    parts become variables as the tool says; a call that fails changes none of those.

    Source: ``platform.md#tool_node``, ``platform.md#variable-arguments`` and ``platform.md#result-mappings``.
    """

    Config: ClassVar[type[NodeConfig]] = ToolNodeConfig
    counts_as_tool_call: ClassVar[bool] = True

    def __init__(self, config: NodeConfig) -> None:
        """Make the node's tool, if it has one.

        Raises RunError where the engine does not run its type, it writes to a variable of the outcome, or an
        argument is set that it does not have. Raises InputError where a field of the node or the tool has a
        value that it cannot have.
        """
        super().__init__(config)
        self._tool: Tool | None = None
        tool = self.config.tool_config
        if tool is not None:
            if str(tool.get("type")) not in TOOL_TYPES:
                raise RunError(
                    f"Node {self.config.label!r} calls a tool of type {tool.get('type')!r}, which the "
                    f"embedded engine does not run; it runs {', '.join(sorted(TOOL_TYPES))}.",
                    advice="Run this workflow on the hosted API.",
                )
            self._tool = make_tool(tool)
            check_targets(self._tool.config, self.result_name, f"Node {self.config.label!r}")

    def run(self, context: NodeContext) -> NodeRun:
        """Fill the arguments, call the tool, write result and outcome; a failure ends no run.

        Without a tool the call fails, unless the user answers for the node.
        """
        if self._tool is None:
            result = yield from self._missing_result(context)
        else:
            tool_context = context.for_tool(
                self.config.logical_id, self._tool.config.timeout_seconds, self._arguments(context.authored)
            )
            arguments = self._arguments(context.scope, context.fill)
            result = call_tool(self._tool, arguments, tool_context)
        write_result(result, self.result_name, self.config, context.state, context.thread)
        # After the tool's data, which may not overwrite the outcome.
        outcome = result.success, result.error
        self.write(context, dict(zip(outcome_names(self.result_name), outcome, strict=True)))
        output = {"success": result.success, "tool_result": result.result, "error_message": result.error}
        shown = {**output, "simulated": True} if result.is_simulated else output
        return NodeResult(shown, is_faulted=result.is_faulted)

    @property
    def result_name(self) -> str:
        """Return the result variable's name: the node's, else the tool's, else ``tool_result``.

        The default name of the node counts as none.
        """
        own = self.config.result_runtime_variable_name
        if own and own != RESULT_NAME:
            return own
        named = self._tool.config.result_runtime_variable_name if self._tool is not None else None
        return named or RESULT_NAME

    def _missing_result(self, context: NodeContext) -> Generator[Event, None, ToolResult]:
        """Return the user's result in place of the missing tool, else a failure with a warning.

        The user is asked where the interceptor says so; without an answer the call failed.
        """
        prompt = context.prompt(
            self.config,
            kind="work",
            system="This node has no tool. Give the result that its tool would return.",
            schema=_RESULT_SCHEMA,
        )
        missing = f"Node {self.config.label!r} has no tool_config."
        if context.interceptor is not None and context.interceptor.asks_user(prompt):
            try:
                fields = (yield from call_model(prompt, context)).fields
            except ModelError as failure:
                return ToolResult.failure(str(failure))
            result = fields.get("result")
            if fields.get("success"):
                return ToolResult(True, result)
            return ToolResult.failure(str(result) if result else missing)
        context.warnings.append(f"{missing} Its call counts as failed.")
        return ToolResult.failure(missing)

    def _arguments(self, scope: Scope, fill: Callable[[str], str] | None = None) -> JsonObject:
        """Return the node's arguments with variables filled in, typed where the node wants it.

        The result is a copy. Raises RunError where it is too long or nested too deep.
        """
        config = self.config
        preserve_types = config.preserve_argument_types
        filled = render_value(config.tool_arguments, scope, preserve_types=preserve_types, fill=fill)
        assert isinstance(filled, dict)
        return filled

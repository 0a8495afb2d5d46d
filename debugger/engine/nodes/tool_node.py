"""The node that always runs one tool (``platform/engine.md`` 2.4)."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from debugger.engine.nodes.base import Node, NodeContext, NodeRun, Outcome
from debugger.engine.tools import TOOL_TYPES
from debugger.engine.tools.base import Tool, ToolConfig, ToolContext, ToolResult
from debugger.errors import RunError
from debugger.expressions import fill_value
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import NodeConfig

_UNNAMED = "tool_result"
_OWN_ARGUMENTS_ONLY = (
    "variable_arguments",
    "result_variable_mappings",
    "expand_result_into_runtime_variables",
)


class ToolNodeConfig(NodeConfig):
    """The tool and what it is called with."""

    tool_config: JsonObject | None = None
    tool_arguments: JsonObject = Field(default_factory=dict)
    result_runtime_variable_name: str = _UNNAMED
    preserve_argument_types: bool = False


class ToolNode(Node[ToolNodeConfig]):
    """Call the tool; write its result, whether it succeeded and why not. A failure does not end the run."""

    Config: ClassVar[type[NodeConfig]] = ToolNodeConfig

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self._tool = self._make_tool()

    def run(self, context: NodeContext) -> NodeRun:
        """Fill the arguments, call, write the outcome."""
        yield from ()
        arguments = self._arguments(context)
        result = self._tool.call(arguments, self._tool_context(context))
        self.write(context, self._outcome(result))
        return Outcome(
            {"success": result.success, "tool_result": result.result, "error_message": result.error}
        )

    @property
    def result_name(self) -> str:
        """The variable that takes the result: the node's name for it, else the tool's (2.4)."""
        own = self.config.result_runtime_variable_name
        return own if own != _UNNAMED else self._tool_config.result_runtime_variable_name

    def _arguments(self, context: NodeContext) -> JsonObject:
        filled = fill_value(
            self.config.tool_arguments, context.scope, preserve_types=self.config.preserve_argument_types
        )
        assert isinstance(filled, dict)
        return filled

    def _tool_context(self, context: NodeContext) -> ToolContext:
        return ToolContext(
            scope=context.scope,
            timeout=self._tool_config.timeout_seconds or context.options.tool_timeout,
            enabled=context.options.inline_python,
            cancelled=context.cancelled,
        )

    def _outcome(self, result: ToolResult) -> dict[str, Any]:
        name = self.result_name
        return {name: result.result, f"{name}_success": result.success, f"{name}_error": result.error}

    def _make_tool(self) -> Tool:
        given = self.config.tool_config
        if given is None:
            raise RunError(f"Node {self.config.label!r} has no tool_config.", advice="Give it a tool to run.")
        kind = given.get("type")
        if not isinstance(kind, str) or kind not in TOOL_TYPES:
            raise RunError(
                f"Node {self.config.label!r} calls a tool of type {kind!r}, which the embedded engine does "
                f"not run yet; it runs {', '.join(sorted(TOOL_TYPES))}.",
                advice="Run this workflow on the hosted API.",
            )
        for field_name in _OWN_ARGUMENTS_ONLY:
            if given.get(field_name):
                raise RunError(
                    f"The tool of node {self.config.label!r} uses {field_name}, which the embedded engine "
                    "does not run yet.",
                    advice="Use tool_arguments and the result variable, or run it on the hosted API.",
                )
        tool_class = TOOL_TYPES[kind]
        self._tool_config: ToolConfig = tool_class.Config.from_wire(given)
        return tool_class(self._tool_config)

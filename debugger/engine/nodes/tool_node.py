"""The node that always runs one tool (``platform/engine.md`` 2.4)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from debugger.engine.nodes.base import Node, NodeContext, NodeRun, Outcome
from debugger.engine.tools import TOOL_TYPES
from debugger.engine.tools.arguments import bind
from debugger.engine.tools.base import Tool, ToolConfig, ToolContext, ToolResult
from debugger.engine.tools.results import NOTHING, Parts, take_apart
from debugger.engine.variables import write_workflow
from debugger.errors import RunError
from debugger.expressions import fill_value
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import NodeConfig

_UNNAMED = "tool_result"


class ToolNodeConfig(NodeConfig):
    """The tool and what it is called with."""

    tool_config: JsonObject | None = None
    tool_arguments: JsonObject = Field(default_factory=dict)
    result_runtime_variable_name: str = _UNNAMED
    preserve_argument_types: bool = False


class ToolNode(Node[ToolNodeConfig]):
    """Call the tool; write its result, whether it succeeded and why not. A failure does not end the run.

    Arguments of the tool's own are put to those of the node. The result's parts become variables as the tool
    says; a call that fails changes none of those.

    Source: ``platform/engine.md`` 2.4, 10.2, 10.3.
    """

    Config: ClassVar[type[NodeConfig]] = ToolNodeConfig

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self._tool = self._make_tool()
        self._check_targets()

    def run(self, context: NodeContext) -> NodeRun:
        """Fill the arguments, call, write the outcome."""
        yield from ()
        result, parts = self._taken_apart(self._call(context))
        self._write(context, result, parts)
        return Outcome(
            {"success": result.success, "tool_result": result.result, "error_message": result.error}
        )

    @property
    def result_name(self) -> str:
        """The variable that takes the result: the node's name for it, else the tool's (2.4)."""
        own = self.config.result_runtime_variable_name
        if own and own != _UNNAMED:
            return own
        return self._tool_config.result_runtime_variable_name or _UNNAMED

    def _call(self, context: NodeContext) -> ToolResult:
        bound = bind(self._tool_config.variable_arguments, self._arguments(context), context.scope)
        if bound.problem is not None:
            return ToolResult(success=False, error=bound.problem)
        return self._tool.call(bound.arguments, self._tool_context(context))

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
            options=context.options,
            cancelled=context.cancelled,
            outbound=context.outbound,
            node_logical_id=self.config.logical_id,
        )

    def _taken_apart(self, result: ToolResult) -> tuple[ToolResult, Parts]:
        """The result and its parts; one that lacks a required part counts as failed."""
        if not result.success:
            return result, NOTHING
        tool = self._tool_config
        parts = take_apart(
            result.result, tool.result_variable_mappings, expand=tool.expand_result_into_runtime_variables
        )
        if parts.problem is not None:
            result = ToolResult(success=False, error=parts.problem)
        return result, parts

    def _write(self, context: NodeContext, result: ToolResult, parts: Parts) -> None:
        """Write the tool's data, and the outcome last, so that no data can stand in its place.

        A mapping may take the name of the result; a key of the result that happens to be called so may not.
        """
        name = self.result_name
        write_workflow(context.state, context.thread, self.config, parts.workflow)
        self.write(context, {**parts.expanded, name: result.result, **parts.thread})
        self.write(context, dict(zip(self._outcome_names, (result.success, result.error), strict=True)))

    @property
    def _outcome_names(self) -> tuple[str, str]:
        return f"{self.result_name}_success", f"{self.result_name}_error"

    def _check_targets(self) -> None:
        for mapping in self._tool_config.result_variable_mappings:
            if mapping.target_variable_name in self._outcome_names:
                raise RunError(
                    f"Node {self.config.label!r} maps a result onto target_variable_name "
                    f"{mapping.target_variable_name!r}, where it tells whether the call succeeded.",
                    advice=f"Choose another name than {' and '.join(self._outcome_names)}.",
                )

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
        tool_class = TOOL_TYPES[kind]
        self._tool_config: ToolConfig = tool_class.Config.from_wire(given)
        return tool_class(self._tool_config)

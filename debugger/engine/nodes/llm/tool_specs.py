"""The tools that the model of a node may call.

Source: ``platform.md#llm-node-execution``, step 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from debugger.engine.models.base import Reply, ToolSpec
from debugger.engine.nodes.base import NodeContext
from debugger.engine.nodes.llm.config import LLMConfig, ToolsConfig, readable_schema, without_properties
from debugger.engine.tool_names import model_names
from debugger.engine.tools.arguments import argument_error
from debugger.engine.tools.base import Tool, ToolConfig
from debugger.engine.tools.mcp import McpTool, mcp_servers, mcp_tools
from debugger.engine.tools.runner import check_targets, make_tool
from debugger.errors import InputError, RunError
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import WorkflowConfig, as_bool

_IGNORES_TEXT = "ignore_content_received_during_llm_tool_call_specification"


@dataclass(frozen=True)
class NodeTool:
    """A tool and its specification for the model."""

    tool: Tool
    spec: ToolSpec

    def argument_error(self, arguments: JsonObject) -> str | None:
        """Return the error in a model's arguments, else ``None``.

        Arguments that the tool replaces are not checked, and those that it supplies may be missing.
        """
        bindings = self.tool.config.variable_arguments
        replaced = {binding.argument_name for binding in bindings if binding.override_provided_value}
        own = {name: value for name, value in arguments.items() if name not in replaced}
        supplied = {binding.argument_name for binding in bindings}
        return argument_error(own, self.spec.args_schema, supplied=supplied)


class NodeToolset:
    """The tools of a model node, its workflow and their MCP servers.

    Args:
        config: The node.

    Raises:
        InputError: A field of a tool of its own has a value that it cannot have.
        RunError: Such a tool puts a part of its result into a variable of the outcome, or an argument is set
            that it does not have.
    """

    def __init__(self, config: LLMConfig) -> None:
        self._config = config
        self._own = [_make(tool, f"Node {config.label!r}") for tool in config.tools]
        self._shared: list[Tool] | None = None
        self._left_out: list[str] = []

    def for_model(self, context: NodeContext) -> tuple[NodeTool, ...]:
        """Return the tools for its model: its own, the workflow's, those of servers; none if it must answer.

        Warnings and failures of left-out tools and servers go to the context.

        Raises:
            RunError: A tool of the workflow cannot be read.
        """
        if not context.may_call_tools or self._config.max_consecutive_tool_calls == 0:
            return ()
        tools = [*self._own, *self._workflow_tools(context.workflow.config)]
        context.warnings.extend(self._left_out)
        if not tools and not self._config.use_mcp_tools:
            return ()
        names = model_names([tool.config.name for tool in tools])
        from_servers: list[McpTool] = []
        if self._config.use_mcp_tools:
            servers = mcp_servers(context.workflow, self._config)
            found = mcp_tools(servers, context, node_logical_id=self._config.logical_id, taken=names)
            context.warnings.extend(found.warnings)
            for failure in found.failures:
                context.report_failure("tool", failure)
            from_servers = found.tools
        return (
            *(
                _specify(name, tool, context.fill(tool.config.signature or ""))
                for name, tool in zip(names, tools, strict=True)
            ),
            # A server's text about a tool is not filled: it could draw the run's variables into the prompt.
            *(_specify(tool.config.name, tool, tool.config.signature or "") for tool in from_servers),
        )

    def _workflow_tools(self, workflow: WorkflowConfig) -> list[Tool]:
        """Return the workflow's tools that are not the node's own, made once.

        One that breaks a rule of its type is left out and noted.

        Raises:
            RunError: The workflow's list of tools cannot be read.
        """
        if self._shared is None:
            try:
                tools = ToolsConfig.from_wire(workflow.tools_config or {}).tools
            except InputError as error:
                raise RunError(f"A tool of the workflow cannot be used: {error}") from error
            self._shared = []
            for tool in tools:
                if tool not in self._config.tools:
                    self._add_shared(tool, self._shared)
        return self._shared

    def _add_shared(self, config: JsonObject, shared: list[Tool]) -> None:
        """Add a tool of the workflow; one that breaks a rule of its type is left out with a warning.

        The warning is kept, and reported at each run of the node.
        """
        try:
            shared.append(_make(config, "The workflow"))
        except (InputError, RunError) as error:
            self._left_out.append(f"A tool of the workflow is left out, as it cannot be used: {error}")


def suppress_text(
    reply: Reply, has_calls: bool, tools: Sequence[NodeTool], config: LLMConfig, workflow: WorkflowConfig
) -> bool:
    """Return whether a text with calls is unspoken (``platform.md#text-beside-tool-calls``).

    Args:
        reply: The reply; no flag of a tool covers a transition that it chose.
        has_calls: Whether its calls of tools count.
        tools: The tools that were offered.
        config: The node; its flag covers all calls.
        workflow: The workflow's settings; their flag covers all nodes.
    """
    if reply.chosen is None and not has_calls:
        return False
    if config.ignore_content_received_during_llm_tool_call_specification:
        return True
    if as_bool((workflow.model_extra or {}).get(_IGNORES_TEXT), False):
        return True
    flagged = {each.spec.name for each in tools if getattr(each.tool.config, _IGNORES_TEXT)}
    return reply.chosen is None and all(call.name in flagged for call in reply.calls)


def _make(config: JsonObject, place: str) -> Tool:
    tool = make_tool(config)
    check_targets(tool.config, tool.config.result_runtime_variable_name, place)
    return tool


def _specify(name: str, tool: Tool, signature: str) -> NodeTool:
    """Return the tool without the arguments hidden from the model (10.2).

    A tool without a schema has none for the model either.
    """
    config: ToolConfig = tool.config
    hidden = {binding.argument_name for binding in config.variable_arguments if not binding.expose_to_llm}
    schema = config.args_schema
    shown = schema and without_properties(readable_schema(schema), hidden)
    return NodeTool(tool, ToolSpec(name, signature, shown))

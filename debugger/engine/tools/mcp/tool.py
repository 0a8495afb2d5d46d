"""The tool whose work an MCP server does."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from debugger.engine.outbound import OutboundCall, OutboundError, RecordedAnswer
from debugger.engine.outbound.gateway import HttpLimits
from debugger.engine.tools.base import Tool, ToolConfig, ToolContext, ToolResult
from debugger.engine.tools.mcp.servers import Endpoint, McpToolInfo
from debugger.engine.tools.sandbox.child.json_value import NotJsonError, to_json
from debugger.engine.tools.simulation import answer_or_default
from debugger.protocol.base import JsonObject

if TYPE_CHECKING:
    from debugger.engine.tools.mcp.connection import Connection


class McpToolConfig(ToolConfig):
    """The specification for the model, made from the server's description."""

    type: str = "mcp"
    name: str = ""
    server: str = ""
    """The server's name."""


class McpTool(Tool):
    """A tool of an MCP server; its hint decides the call class.

    Args:
        config: Its specification for the model.
        endpoint: The server.
        info: The tool as the server describes it.
    """

    Config = McpToolConfig

    def __init__(self, config: McpToolConfig, endpoint: Endpoint, info: McpToolInfo) -> None:
        super().__init__(config)
        self._endpoint = endpoint
        self._info = info

    def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Call it with keyword arguments; errors are part of the result."""
        if context.cancelled.is_set():
            return ToolResult.failure("The call was stopped.")
        call = OutboundCall(
            kind="mcp",
            call_class="read" if self._info.reads_only else "write",
            target=f"MCP {self._endpoint.masked_url} {self._info.name}",
            request=self._endpoint.to_ledger(tool=self._info.name, arguments=arguments),
            simulate=self._simulate,
            live=lambda timeout: self._live(arguments, timeout, context),
            refusal=self._endpoint.refusal,
        )
        outcome = context.reach(call)
        return outcome.answer or ToolResult.failure(outcome.error)

    def _live(self, arguments: JsonObject, timeout: float, context: ToolContext) -> ToolResult:
        connection = connect(self._endpoint, timeout, context.cancelled, context.outbound.limits)
        result = connection.call_tool(self._info.name, arguments)
        mask = self._endpoint.masked
        try:
            return ToolResult(result.success, mask(to_json(result.result)), mask(result.error))
        except NotJsonError as error:
            return ToolResult.failure(str(error))

    def _simulate(self, recorded: RecordedAnswer | None) -> ToolResult:
        text = f"The tool {self._info.name!r} was not called, and no answer is recorded for it."
        return ToolResult(success=True, result=answer_or_default(recorded, {"text": text}))


def connect(endpoint: Endpoint, timeout: float, cancelled: threading.Event, limits: HttpLimits) -> Connection:
    """Return a connection to a server.

    Args:
        endpoint: The server.
        timeout: Seconds for the whole request.
        cancelled: Ends the request as soon as it is set.
        limits: Those of the gateway.

    Raises:
        OutboundError: The package for MCP servers is not installed.
    """
    # Imported late: the package is an extra, and takes a second to import.
    try:
        from debugger.engine.tools.mcp.connection import Connection
    except ImportError as error:
        raise OutboundError(
            "MCP servers need a package that is not installed, or too old. "
            "Install it with: pip install 'workflow-debugger[mcp]'"
        ) from error
    return Connection(endpoint, timeout, cancelled, limits)

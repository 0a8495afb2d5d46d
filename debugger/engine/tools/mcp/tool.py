"""The tool whose work an MCP server does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

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
    """The specification of the tool for the model.

    Made out of a server's offer, never written by an author.
    """

    type: str = "mcp"
    name: str = ""
    server: str = ""
    """The server's name."""


class McpTool(Tool):
    """A tool of an MCP server.

    The call goes through the gateway: as one that reads where the server says that the tool
    changes nothing, else as one that writes.

    Args:
        config: Its specification for the model.
        endpoint: The server.
        offer: The tool as the server offers it.
    """

    Config = McpToolConfig

    def __init__(self, config: McpToolConfig, endpoint: Endpoint, offer: McpToolInfo) -> None:
        self.config = config
        self._endpoint = endpoint
        self._offer = offer

    def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Call it with keyword arguments; errors are part of the result."""
        if context.cancelled.is_set():
            return ToolResult.failure("The call was stopped.")
        outcome = context.reach(self._outbound(arguments, context))
        if outcome.answer is None:
            return ToolResult.failure(outcome.error)
        return outcome.answer

    def _outbound(self, arguments: JsonObject, context: ToolContext) -> OutboundCall[ToolResult]:
        return OutboundCall(
            kind="mcp",
            call_class="read" if self._offer.reads_only else "write",
            target=f"MCP {self._endpoint.masked_url} {self._offer.name}",
            request=self._endpoint.to_ledger(tool=self._offer.name, arguments=arguments),
            simulate=self._simulated,
            live=lambda timeout: self._live(arguments, timeout, context),
            refusal=self._endpoint.refusal,
        )

    def _live(self, arguments: JsonObject, timeout: float, context: ToolContext) -> ToolResult:
        limits = context.outbound.limits
        found = call_tool(self._endpoint, self._offer.name, arguments, timeout, context.cancelled, limits)
        mask = self._endpoint.masked
        try:
            return ToolResult(found.success, mask(to_json(found.result)), mask(found.error))
        except NotJsonError as error:
            return ToolResult.failure(str(error))

    def _simulated(self, recorded: RecordedAnswer | None) -> ToolResult:
        text = f"The tool {self._offer.name!r} was not called, and no answer is recorded for it."
        return ToolResult(success=True, result=answer_or_default(recorded, {"text": text}))


Answer = TypeVar("Answer")


def list_tools(
    endpoint: Endpoint, timeout: float, cancelled: threading.Event, limits: HttpLimits
) -> list[McpToolInfo]:
    """Request the tools of a server.

    Args:
        endpoint: The server.
        timeout: Seconds for all of it.
        cancelled: Ends it as soon as it is set.
        limits: Those of the gateway.

    Raises:
        OutboundError: It does not answer, or the package for it is not installed.
    """
    return _apart(_connection(endpoint, timeout, cancelled, limits).offers)


def call_tool(
    endpoint: Endpoint,
    tool: str,
    arguments: JsonObject,
    timeout: float,
    cancelled: threading.Event,
    limits: HttpLimits,
) -> ToolResult:
    """Call a tool by its name on the server.

    An error of the tool is part of the result.

    Raises:
        OutboundError: The server does not answer, or the package for it is not installed.
    """
    connection = _connection(endpoint, timeout, cancelled, limits)
    return _apart(lambda: connection.result(tool, arguments))


def _connection(
    endpoint: Endpoint, timeout: float, cancelled: threading.Event, limits: HttpLimits
) -> Connection:
    # Imported late: the package is an extra, and takes a second to import.
    try:
        from debugger.engine.tools.mcp.connection import Connection
    except ImportError as error:
        raise OutboundError(
            "MCP servers need a package that is not installed, or too old. "
            "Install it with: pip install 'workflow-debugger[mcp]'"
        ) from error
    return Connection(endpoint, timeout, cancelled, limits)


def _apart(work: Callable[[], Answer]) -> Answer:
    with ThreadPoolExecutor(1, thread_name_prefix="mcp") as threads:
        return threads.submit(work).result()

"""What is asked of an MCP server, for callers that know nothing of coroutines."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from debugger.engine.outbound import OutboundError
from debugger.engine.outbound.limits import HttpLimits
from debugger.engine.tools.base import ToolResult
from debugger.engine.tools.mcp.offers import Offer
from debugger.engine.tools.mcp.servers import Endpoint
from debugger.protocol.base import JsonObject

if TYPE_CHECKING:
    from debugger.engine.tools.mcp.connection import Connection

Answer = TypeVar("Answer")


def list_tools(
    endpoint: Endpoint, timeout: float, cancelled: threading.Event, limits: HttpLimits
) -> list[Offer]:
    """The tools that a server offers.

    Args:
        endpoint: The server.
        timeout: Seconds for all of it.
        cancelled: Ends it as soon as it is set.
        limits: The door's own, `Outbound.limits`.

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
    """Call a tool by the server's name for it; what the tool does wrong is told in the result.

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
    """Do work in a thread of its own: a thread has one event loop, and the caller's may be running it."""
    with ThreadPoolExecutor(1, thread_name_prefix="mcp") as threads:
        return threads.submit(work).result()

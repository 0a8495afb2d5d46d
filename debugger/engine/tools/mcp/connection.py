"""One connection to an MCP server, held for one question.

No other module imports the ``mcp`` package.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio
import httpx2
import mcp.types
from mcp import Client, MCPError
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from pydantic import ValidationError

from debugger.engine.outbound import OutboundError
from debugger.engine.outbound.gateway import HttpLimits
from debugger.engine.outbound.transport import CheckedTransport, checked_client
from debugger.engine.tools.base import ToolResult
from debugger.engine.tools.mcp.servers import MAX_TOOLS, Endpoint, McpToolInfo
from debugger.expressions.limits import measure
from debugger.expressions.values import shortened
from debugger.protocol.base import JsonObject, first_problem

Answer = TypeVar("Answer")

_TICK = 0.05
"""Seconds between two looks at whether the call is cancelled."""
_LARGEST_RESULT = 1_000_000
"""Characters."""
_LONGEST_ERROR = 10_000
"""Characters."""

# It logs whole URLs, with whatever keys are in them. Failures are in the result instead.
logging.getLogger("mcp").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Connection:
    """A connection to a server for one request."""

    endpoint: Endpoint
    timeout: float
    """Seconds for all of it."""
    cancelled: threading.Event
    """Ends it as soon as it is set."""
    limits: HttpLimits

    def list_tools(self) -> list[McpToolInfo]:
        """Return the tools that the server offers.

        Raises:
            OutboundError: There is no answer; the text says why, without secrets.
        """
        return self._ask(_list_tools)

    def call_tool(self, tool: str, arguments: JsonObject) -> ToolResult:
        """Call a tool and return its structured content, texts or error.

        Raises:
            OutboundError: There is no answer; the text says why, without secrets.
        """
        return self._ask(lambda client: _result(client, tool, arguments))

    def _ask(self, question: Callable[[Client], Awaitable[Answer]]) -> Answer:
        """Ask the server in an event loop of its own thread, and wait for its answer.

        Raises:
            OutboundError: There is none, for whatever reason; the text holds no keys.
        """
        endpoint = self.endpoint
        transport = CheckedTransport(
            self.limits, only=httpx2.URL(endpoint.url), masked_host=endpoint.masked_host
        )
        try:
            # In a thread of its own, since the caller's may run an event loop.
            with ThreadPoolExecutor(1, thread_name_prefix="mcp") as threads:
                return threads.submit(anyio.run, self._ask_async, question, transport).result()
        except Exception as error:
            # Without its cause, whose text may hold the URL with its keys.
            raise OutboundError(_reason(self.endpoint, error, transport)) from None

    async def _ask_async(
        self, question: Callable[[Client], Awaitable[Answer]], transport: CheckedTransport
    ) -> Answer:
        """Return the answer to a question; the client is closed, also where time runs out.

        Raises:
            OutboundError: The call was cancelled, time ran out, or the address may not be called.
        """
        answers: list[Answer] = []
        async with anyio.create_task_group() as group:
            group.start_soon(_cancel_when, self.cancelled, group.cancel_scope)
            with anyio.move_on_after(self.timeout):
                # Before the client of the package, which would tell of a refused address in other words.
                await transport.addresses(httpx2.URL(self.endpoint.url))
                async with self._client(transport) as client:
                    answers.append(await question(client))
            group.cancel_scope.cancel()
        if answers:
            return answers[0]
        if self.cancelled.is_set():
            raise OutboundError("The call was stopped.")
        raise OutboundError(f"{self.endpoint.masked_url} did not answer within {self.timeout:g} s.")

    @asynccontextmanager
    async def _client(self, transport: CheckedTransport) -> AsyncGenerator[Client]:
        """Open a client of the server, by SSE or streamable HTTP, and close it afterwards."""
        url = self.endpoint.url

        def http(*_: Any, **__: Any) -> httpx2.AsyncClient:
            return checked_client(transport, self.timeout, self.endpoint.headers)

        if self.endpoint.speaks_sse:
            async with Client(sse_client(url, httpx_client_factory=http), mode="legacy") as client:
                yield client
            return
        async with http() as inner, Client(streamable_http_client(url, http_client=inner)) as client:
            yield client


async def _list_tools(client: Client) -> list[McpToolInfo]:
    """Return the tools of all pages, at most `MAX_TOOLS`; a cursor that repeats ends the list.

    The errors of the package leave it.
    """
    found: list[McpToolInfo] = []
    cursors: list[str | None] = [None]
    while len(found) < MAX_TOOLS:
        page = await client.list_tools(cursor=cursors[-1])
        found += [_tool_info(tool) for tool in page.tools]
        if not page.next_cursor or page.next_cursor in cursors:
            break
        cursors.append(page.next_cursor)
    return found[:MAX_TOOLS]


async def _result(client: Client, tool: str, arguments: JsonObject) -> ToolResult:
    """Call a tool and return its structured content, or without one its texts.

    A reported error, or a result that is too large, is a failure.
    """
    answer = await client.call_tool(tool, arguments)
    text = "\n".join(_text(block) for block in answer.content)
    if answer.is_error:
        return ToolResult.failure(shortened(text, _LONGEST_ERROR) or "The tool failed and did not say why.")
    structured = answer.structured_content
    result = text if structured is None else structured
    if sum(measure(result, _LARGEST_RESULT, _LARGEST_RESULT)) > _LARGEST_RESULT:
        return ToolResult.failure(f"The result has more than {_LARGEST_RESULT:,} characters. Ask for less.")
    return ToolResult(success=True, result=result)


async def _cancel_when(cancelled: threading.Event, scope: anyio.CancelScope) -> None:
    while not cancelled.is_set():
        await anyio.sleep(_TICK)
    scope.cancel()


def _tool_info(tool: mcp.types.Tool) -> McpToolInfo:
    """Return a tool of the package as the engine has it, described by its title without a description."""
    hints = tool.annotations
    return McpToolInfo(
        tool.name,
        tool.description or tool.title or "",
        tool.input_schema,
        reads_only=bool(hints and hints.read_only_hint),
    )


def _text(block: Any) -> str:
    """Return a part of a result as a text; of another kind its type, media type and address in brackets."""
    if isinstance(block, mcp.types.TextContent):
        return block.text
    inner = getattr(block, "resource", None)
    if isinstance(inner, mcp.types.TextResourceContents):
        return inner.text
    kind = getattr(block, "mime_type", None) or getattr(inner, "mime_type", None) or ""
    where = getattr(block, "uri", None) or getattr(inner, "uri", None) or ""
    return "[" + " ".join(str(part) for part in (block.type, kind, where) if part) + "]"


def _reason(endpoint: Endpoint, error: Exception, transport: CheckedTransport) -> str:
    """Return why the server gave no answer, from the first error in a group; keys are masked."""
    cause = next(_leaves(error), error)
    where, reason = endpoint.masked_url, endpoint.quote(str(cause)).rstrip(".")
    if isinstance(cause, OutboundError):
        return str(cause)
    if isinstance(cause, httpx2.ConnectError):
        return f"No server answers at {where}: {reason}."
    status = cause.response.status_code if isinstance(cause, httpx2.HTTPStatusError) else transport.refusal
    if status is not None:
        hint = "; look at its api_headers" if status in (401, 403) else ""
        hint = "; look at the path of its server_url" if status in (404, 405) else hint
        return f"{where} answered with HTTP {status}{hint}."
    if isinstance(cause, ValidationError):  # the tool may have been called
        problem = endpoint.quote(first_problem(cause)).rstrip(".")
        return f"{where} gave an answer that cannot be read: {problem}."
    if isinstance(cause, MCPError):
        return f"{where} answered with an error: {endpoint.quote(cause.message).rstrip('.')}."
    return f"{where} could not be called: {type(cause).__name__} {reason}."


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors in a group, at any depth, or an error itself."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error

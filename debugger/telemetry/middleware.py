"""Middleware that sets the request of logs and traces."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from debugger.telemetry.context import (
    REQUEST_ID_HEADER,
    TRACE_HEADER,
    begin_request,
    outgoing_headers,
)
from debugger.telemetry.spans import request_span

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_STARTS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})


class RequestMiddleware:
    """Take ``X-Request-Id`` and ``traceparent`` of a request, and return both in its response.

    Without an id, or with one that could not be in a log line, a request gets a new one.

    Args:
        app: The next application.
    """

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass a request on within its context.

        Sets its id and trace for the running task, adds both to the headers of the response, and makes a span
        where there are traces. Scopes that are neither ``http`` nor ``websocket`` are passed on alone.
        """
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        sent = (headers.get(name.encode(), b"") for name in (REQUEST_ID_HEADER, TRACE_HEADER))
        begin_request(*(value.decode("latin-1") for value in sent))
        with request_span(scope.get("method", "WEBSOCKET")) as span:
            own = [(name.encode(), value.encode()) for name, value in outgoing_headers().items()]

            async def send_with_ids(message: Message) -> None:
                if message["type"] in _STARTS:
                    message = {**message, "headers": [*message.get("headers", ()), *own]}
                await send(message)

            await self._app(scope, receive, send_with_ids)
            if span is not None and (route := getattr(scope.get("route"), "path_format", "")):
                span.set_attribute("http.route", route)

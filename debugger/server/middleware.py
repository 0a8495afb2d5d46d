"""Middleware that answers unexpected errors and that counts requests."""

from __future__ import annotations

import logging
import time

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from debugger.server.log_redaction import redact_address
from debugger.server.metrics import Metrics
from debugger.server.responses import RawJsonResponse
from debugger.telemetry.context import request_id

_log = logging.getLogger(__name__)


class ErrorMiddleware:
    """Answer 500 for an unexpected error.

    The body says nothing of the cause; the log has it under the id that the response has.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and make sure that it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_started = False

        async def observe(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        path = redact_address(scope["path"])
        try:
            await self._app(scope, receive, observe)
        except ClientDisconnect:
            _log.info("%s %s: the client left (request %s)", scope["method"], path, request_id.get())
        except Exception:
            _log.exception("%s %s failed (request %s)", scope["method"], path, request_id.get())
            if has_started:
                raise
            response = RawJsonResponse({"detail": "Internal server error"}, status_code=500)
            await response(scope, receive, observe)


class MetricsMiddleware:
    """Count every request, every rejected handshake and every open socket.

    The reason for closing an open socket is counted where it is known (`TurnSocket`).

    Args:
        app: The next application.
        metrics: The counters.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it."""
        if scope["type"] == "http":
            await self._count_request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._count_socket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _count_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        status, ended = 0, 0.0

        async def observe(message: Message) -> None:
            nonlocal status, ended
            await send(message)
            if message["type"] == "http.response.start":
                status = message["status"]
            elif not message.get("more_body"):  # background work may follow, which no client waits for
                ended = time.perf_counter()

        try:
            await self._app(scope, receive, observe)
        finally:
            seconds = (ended or time.perf_counter()) - began
            route = getattr(scope.get("route"), "path_format", "")
            self._metrics.request(scope["method"], route, status, seconds)

    async def _count_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_open = False

        async def observe(message: Message) -> None:
            nonlocal is_open
            if message["type"] == "websocket.accept":
                is_open = True
                self._metrics.open_socket()
            elif message["type"] == "websocket.http.response.start":
                self._metrics.count_refusal(message["status"], "rate")  # runs begin on open sockets only
            await send(message)

        try:
            await self._app(scope, receive, observe)
        finally:
            if is_open:
                self._metrics.close_socket()

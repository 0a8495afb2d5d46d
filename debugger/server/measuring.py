"""Each request and each socket, as it is counted."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from debugger.server.metrics import Metrics


class Measure:
    """Count every request, every handshake that is refused and every open socket.

    What an open socket is closed for is counted where that is known (`LiveStream`).

    Args:
        app: What answers.
        metrics: Where they are counted.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it."""
        if scope["type"] == "http":
            await self._measure(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._watch(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _measure(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        status, ended = 0, 0.0

        async def send_and_look(message: Message) -> None:
            nonlocal status, ended
            await send(message)
            if message["type"] == "http.response.start":
                status = message["status"]
            elif not message.get("more_body"):  # background work may follow, for which nobody waits
                ended = time.perf_counter()

        try:
            await self._app(scope, receive, send_and_look)
        finally:
            seconds = (ended or time.perf_counter()) - begun
            self._metrics.request(scope["method"], _template(scope), status, seconds)

    async def _watch(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_open = False

        async def send_and_look(message: Message) -> None:
            nonlocal is_open
            if message["type"] == "websocket.accept":
                is_open = True
                self._metrics.open_socket()
            elif message["type"] == "websocket.http.response.start":
                self._metrics.refusal(message["status"], "rate")  # runs begin on open sockets only
            await send(message)

        try:
            await self._app(scope, receive, send_and_look)
        finally:
            if is_open:
                self._metrics.close_socket()


def _template(scope: Scope) -> str:
    """The template of a request's route; empty where there is none, or nobody looked for it."""
    return getattr(scope.get("route"), "path_format", "")

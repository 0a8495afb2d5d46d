"""Counters for Prometheus, and the middleware that counts requests.

Labels have values of a small fixed set: a route's template and not its path, no id, nothing that a client
chooses.
"""

from __future__ import annotations

import time
from typing import Literal

from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from debugger.telemetry.metrics import SECONDS, ProcessMetrics

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_OTHER = "other"
_NO_ROUTE = "none"
_NO_ANSWER = "none"
_REFUSALS = {401: "key", 403: "rights"}
_TOO_MANY = 429
_Measured = tuple[Counter, Histogram]
Limit = Literal["rate", "concurrency"]
"""A limit that a 429 is about: wrong keys of an address in a minute, or runs and turns at once."""


class Metrics(ProcessMetrics):
    """The counters of a server.

    Args:
        version: The version of this program.
    """

    def __init__(self, version: str) -> None:
        """Create the counters in a registry of their own."""
        super().__init__(version)
        self._requests = Counter(
            "debugger_http_requests",
            "Requests that were answered, or left before.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._latency = Histogram(
            "debugger_http_request_duration_seconds",
            "Time until an answer was sent.",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.sockets = Gauge("debugger_sockets_open", "WebSockets that are open.", registry=self.registry)
        self._refused = Counter(
            "debugger_refusals",
            "What was not let in: 'key', 'rights', 'rate' of requests without a valid key, "
            "'concurrency' of runs and turns.",
            ["reason"],
            registry=self.registry,
        )
        # Looking a labelled metric up is most of its cost.
        self._known: dict[tuple[str, str, int], _Measured] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request, and the refusal that a status 401, 403 or 429 is.

        Args:
            method: The method; an unknown one counts as ``other``.
            route: The template of the path; empty where no route was found.
            status: The status of the response; 0 where there was none.
            seconds: The time until the response was sent.
        """
        key = (method, route, status)
        measured = self._known.get(key)
        if measured is None:
            name = route or _NO_ROUTE
            known_method = method if method in _METHODS else _OTHER
            counter = self._requests.labels(known_method, name, str(status) if status else _NO_ANSWER)
            measured = (counter, self._latency.labels(name))
            if known_method == method:  # unknown methods have no bound
                self._known[key] = measured
        measured[0].inc()
        measured[1].observe(seconds)
        if status >= 400:
            # Wrong keys are rejected before the route is known, and runs beyond a limit after it.
            self.count_refusal(status, "concurrency" if route else "rate")

    def count_refusal(self, status: int, limit: Limit) -> None:
        """Count a refusal, if a status is one: 401, 403 or 429.

        Args:
            status: The status of a response, or of a socket's end.
            limit: The limit that a status 429 is about.
        """
        reason = limit if status == _TOO_MANY else _REFUSALS.get(status)
        if reason is not None:
            self._refused.labels(reason).inc()


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
        """Pass a request on, and count it.

        A WebSocket counts as open, or as refused. Scopes of another type are passed on without counting.
        """
        if scope["type"] == "http":
            await self._count_request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._count_socket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _count_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it with its status and its time, also where the application raises.

        The time ends when the last part of the response is sent, else when the application ends. A request
        without a response has status 0. Errors leave unchanged.
        """
        began = time.perf_counter()
        status, ended = 0, 0.0

        async def observe(message: Message) -> None:
            """Send a message, then note the status or the time of the response's end."""
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
        """Serve a WebSocket; count it while it is open, and its handshake if it is refused.

        An error of the application leaves unchanged; the socket does not count as open any more.
        """
        is_open = False

        async def observe(message: Message) -> None:
            """Count an accepted socket or a refusal, then send the message."""
            nonlocal is_open
            if message["type"] == "websocket.accept":
                is_open = True
                self._metrics.sockets.inc()
            elif message["type"] == "websocket.http.response.start":
                self._metrics.count_refusal(message["status"], "rate")  # runs begin on open sockets only
            await send(message)

        try:
            await self._app(scope, receive, observe)
        finally:
            if is_open:
                self._metrics.sockets.dec()

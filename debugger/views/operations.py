"""Routes of the page for operators: ``/healthz`` and ``/metrics``."""

from __future__ import annotations

import asyncio
from functools import cache

from debugger.errors import DebuggerError
from debugger.server.health import Readiness
from debugger.store import digest_of
from debugger.telemetry.metrics import MEDIA_TYPE, app_metrics
from debugger.views.asgi import Application, Receive, Scope, Send, header_values, respond
from debugger.views.auth.guard import HEALTH_PATHS, METRICS
from debugger.views.auth.login_gate import page_base
from debugger.views.auth.logins import page_logins
from debugger.views.backends import embedded_backend


class OperationsRoutes:
    """Middleware that answers operators.

    ``/healthz`` asks the database and says nothing but whether it answers. ``/metrics`` needs an API key as
    bearer token where the page needs a login.

    Args:
        app: The next application.
    """

    def __init__(self, app: Application) -> None:
        self._app = app
        self._base = page_base()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of an operator, or pass it on."""
        path = scope.get("path", "").removeprefix(self._base)
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
        elif path == HEALTH_PATHS[1]:
            is_healthy = await _is_healthy()
            await respond(scope, send, 200 if is_healthy else 503, "ok\n" if is_healthy else "unavailable\n")
        elif path == METRICS:
            await _send_metrics(scope, send)
        else:
            await self._app(scope, receive, send)


@cache
def _readiness() -> Readiness:
    return Readiness(embedded_backend())


async def _is_healthy() -> bool:
    try:
        readiness = await asyncio.to_thread(_readiness)
    except DebuggerError:
        return False
    return await readiness.problem() is None


async def _send_metrics(scope: Scope, send: Send) -> None:
    try:
        may_read = not page_logins().is_needed or await asyncio.to_thread(_has_key, scope)
    except DebuggerError:
        may_read = False
    if may_read:
        await respond(scope, send, 200, app_metrics().exposition().decode(), kind=MEDIA_TYPE)
    else:
        await respond(scope, send, 401, "Send an API key: Authorization: Bearer KEY.\n")


def _has_key(scope: Scope) -> bool:
    (sent,) = header_values(scope, b"authorization")[:1] or [""]
    kind, _, key = sent.partition(" ")
    return kind.lower() == "bearer" and page_logins().key(digest_of(key.strip().encode())) is not None

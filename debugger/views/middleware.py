"""Script and middleware of the page, with the routes for operators."""

from __future__ import annotations

import asyncio
import sys
from functools import cache
from pathlib import Path

from starlette.middleware import Middleware

from debugger.errors import DebuggerError
from debugger.server.health import Readiness
from debugger.settings import read_settings
from debugger.store import digest_of
from debugger.telemetry.logs import configure_logs
from debugger.telemetry.metrics import MEDIA_TYPE, app_metrics
from debugger.telemetry.middleware import RequestMiddleware
from debugger.telemetry.spans import start_traces
from debugger.views.asgi import Application, Receive, Scope, Send, header_values, respond
from debugger.views.auth.guard import HEALTH_PATHS, METRICS
from debugger.views.auth.login_gate import page_access, page_base
from debugger.views.auth.logins import page_logins
from debugger.views.auth.owners import OwnerCookie
from debugger.views.backends import embedded_backend
from debugger.views.downloads import DownloadRoute
from debugger.views.replicas import ProcessCookie
from debugger.views.streamlit_patches import is_enabled, middleware
from debugger.views.streamlit_patches.queued_messages import keep_queued_messages
from debugger.views.streamlit_patches.stale_widgets import ignore_stale_widgets

SCRIPT = Path(__file__).parent / "pages" / "script.py"
"""The script that Streamlit runs for each tab."""


def page_middleware() -> list[Middleware]:
    """Return the middleware of the page, the outermost first; exit where it cannot start."""
    try:
        settings = read_settings()
        configure_logs(settings.log_level, settings.log_format)
        start_traces()
        if is_enabled("stale_widgets"):
            ignore_stale_widgets()
        if is_enabled("queued_messages"):
            keep_queued_messages()
        access = page_access()
    except DebuggerError as error:
        sys.exit(f"error: {error}")
    layers = (
        RequestMiddleware,
        access,
        OperationsRoutes,
        OwnerCookie,
        ProcessCookie,
        DownloadRoute,
        *middleware(),
    )
    return [Middleware(layer) for layer in layers]  # type: ignore[arg-type]


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

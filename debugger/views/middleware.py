"""Script and middleware of the page, with the routes for operators."""

from __future__ import annotations

import asyncio
import sys
from functools import cache
from pathlib import Path

from starlette.middleware import Middleware

from debugger.boundary import register_process_secrets, release_line
from debugger.errors import DebuggerError, StoreError
from debugger.server.auth.roles import missing_role_message, required_role
from debugger.server.health import Readiness
from debugger.settings import read_settings
from debugger.store import Role, digest_of
from debugger.telemetry.logs import configure_logs
from debugger.telemetry.metrics import MEDIA_TYPE, app_metrics
from debugger.telemetry.middleware import RequestMiddleware
from debugger.telemetry.spans import start_traces
from debugger.views.asgi import Application, Receive, Scope, Send, cookies_of, header_values, respond
from debugger.views.auth.guard import HEALTH_PATHS, METRICS
from debugger.views.auth.login_gate import page_access, page_base
from debugger.views.auth.logins import page_logins
from debugger.views.auth.owners import OwnerCookie
from debugger.views.backends import embedded_backend
from debugger.views.compressed_files import CompressedFiles
from debugger.views.downloads import DownloadRoute
from debugger.views.replicas import ProcessCookie
from debugger.views.streamlit_patches import is_enabled, middleware
from debugger.views.streamlit_patches.deferred_files import keep_deferred_files
from debugger.views.streamlit_patches.finished_runs import keep_finished_runs
from debugger.views.streamlit_patches.queued_messages import keep_queued_messages
from debugger.views.streamlit_patches.stale_widgets import ignore_stale_widgets

_SESSION_METRICS = "/_stcore/metrics"
SCRIPT = Path(__file__).parent / "pages" / "script.py"
"""The script that Streamlit runs for each tab."""


def page_middleware() -> list[Middleware]:
    """Return the middleware of the page, the outermost first.

    It also registers the secrets of the process, sets up logs and traces, and applies the patches of
    Streamlit that are enabled. On a `DebuggerError`, as for a setting that cannot be used, the process exits
    with its message.
    """
    try:
        settings = read_settings()
        register_process_secrets(settings)
        configure_logs(settings.log_level, settings.log_format, release_line)
        start_traces(release_line)
        if is_enabled("stale_widgets"):
            ignore_stale_widgets()
        if is_enabled("queued_messages"):
            keep_queued_messages()
        if is_enabled("finished_runs"):
            keep_finished_runs()
        if is_enabled("deferred_files"):
            keep_deferred_files()
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
        CompressedFiles,
        *middleware(),
    )
    return [Middleware(layer) for layer in layers]  # type: ignore[arg-type]


class OperationsRoutes:
    """Middleware that answers operators.

    ``/healthz`` asks the database and says nothing but whether it answers. Where the page needs a login,
    ``/metrics`` needs an API key as bearer token with the role that it has on the server, and Streamlit's own
    counters, which are of the sessions of all users, an administrator.

    Args:
        app: The next application.
    """

    def __init__(self, app: Application) -> None:
        self._app = app
        self._base = page_base()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of an operator by its path, or pass it on.

        Methods but GET and HEAD are passed on; Streamlit's counters are refused with 403, by any method,
        unless the user is an administrator.
        """
        path = scope.get("path", "").removeprefix(self._base)
        if scope["type"] != "http" or (scope["method"] not in ("GET", "HEAD") and path != _SESSION_METRICS):
            await self._app(scope, receive, send)
        elif path == HEALTH_PATHS[1]:
            is_healthy = await _is_healthy()
            await respond(scope, send, 200 if is_healthy else 503, "ok\n" if is_healthy else "unavailable\n")
        elif path == METRICS:
            await _send_metrics(scope, send)
        elif path == _SESSION_METRICS and not await _is_administrator(scope):
            await respond(scope, send, 403, f"This needs the role {Role.ADMIN}.\n")
        else:
            await self._app(scope, receive, send)


@cache
def _readiness() -> Readiness:
    return Readiness(embedded_backend())


async def _is_healthy() -> bool:
    """Return whether the embedded engine can be opened and its store answers.

    The first call opens the engine.
    """
    try:
        readiness = await asyncio.to_thread(_readiness)
    except DebuggerError:
        return False
    return await readiness.problem() is None


async def _send_metrics(scope: Scope, send: Send) -> None:
    """Answer with the metrics; if logins are needed, only to an API key whose role may read them.

    Without a known key, and where keys cannot be read, the answer is 401; for a key without the role it is
    403.
    """
    needed = required_role("GET", METRICS)
    try:
        role = await asyncio.to_thread(_role_of_key, scope) if page_logins().is_needed else Role.ADMIN
    except DebuggerError:
        role = None
    if role is None:
        await respond(scope, send, 401, "Send an API key: Authorization: Bearer KEY.\n")
    elif not role.covers(needed):
        await respond(scope, send, 403, f"{missing_role_message(role, needed)}\n")
    else:
        await respond(scope, send, 200, app_metrics().exposition().decode(), kind=MEDIA_TYPE)


def _role_of_key(scope: Scope) -> Role | None:
    (sent,) = header_values(scope, b"authorization")[:1] or [""]
    kind, _, key = sent.partition(" ")
    found = page_logins().key(digest_of(key.strip().encode())) if kind.lower() == "bearer" else None
    return None if found is None else found.role


async def _is_administrator(scope: Scope) -> bool:
    """Return whether a request is of an administrator; true where no login is needed.

    False where the logins cannot be read.
    """
    logins = page_logins()
    if not logins.is_needed:
        return True
    try:
        login = await logins.find_nonblocking(cookies_of(scope))
    except StoreError:
        return False
    return login is not None and login.role is Role.ADMIN

"""The app that serves a backend under the hosted API's URLs."""

from __future__ import annotations

from fastapi import Depends, FastAPI

from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.urls import BASE_PATH, SESSION
from debugger.server import (
    active_versions,
    bundles,
    clones,
    concurrency,
    dynamic_variables,
    elsewhere,
    execute,
    favorites,
    feedback,
    global_variables,
    reruns,
    runs,
    schemas,
    versions,
    workflows,
)
from debugger.server.access import Access, KeyRing, check_role
from debugger.server.access.rates import Rate
from debugger.server.body import BODY_LIMIT
from debugger.server.errors import handle_errors
from debugger.server.live.routes import live_router, session_token
from debugger.server.live.tokens import SessionTokens
from debugger.server.quiet_log import keep_secrets_out_of_the_log
from debugger.server.reply import JsonReply
from debugger.server.request_ids import RequestIds
from debugger.server.teams import Teams

# Paths with a fixed word come before those that take any id in its place (``platform/wire.md`` 4.1).
ROUTERS = (
    schemas.router,
    dynamic_variables.router,
    active_versions.router,
    bundles.router,
    workflows.router,
    clones.router,
    concurrency.router,
    favorites.router,
    versions.router,
    execute.router,
    runs.router,
    feedback.router,
    reruns.router,
    global_variables.router,
    live_router,
    elsewhere.router,
)

QUICK = execute.router
"""The routes that run turns: the role of their callers is looked at in `turns_under_way`, which all of them ask
for. One more dependency would cost a twentieth of a short turn."""


def create_app(
    backend: Backend, *, api_key: str | None = None, rate_limit: int = 0, body_limit: int = BODY_LIMIT
) -> FastAPI:
    """Serve a backend, and the teams that have their data beside its own.

    Args:
        backend: What runs the workflows of those who are in no team; closing it stays with the caller, and so
            does closing ``app.state.teams``. An embedded engine is given the global variables that are kept
            here.
        api_key: A key that many may share, an administrator's. People's own are in the store. Where there is
            no key at all, the server answers only to local names.
        rate_limit: Requests a minute and key; 0 for as many as one likes.
        body_limit: Bytes that the body of a request may have.
    """
    keep_secrets_out_of_the_log()
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.backend = backend
    app.state.body_limit = body_limit
    app.state.teams = Teams(backend)
    app.state.ring = KeyRing(
        backend.store.api_keys if isinstance(backend, EmbeddedBackend) else None, api_key
    )
    app.state.rate = Rate(rate_limit)
    app.state.tokens = SessionTokens()
    guards = [Depends(check_role)]
    for router in ROUTERS:
        app.include_router(router, prefix=BASE_PATH, dependencies=[] if router is QUICK else guards)
    app.add_api_route("/healthz", healthz)
    app.add_api_route(SESSION, session_token, dependencies=guards)
    handle_errors(app)
    app.add_middleware(
        Access,
        ring=app.state.ring,
        rate=app.state.rate,
        admits=app.state.tokens.redeem,
        welcome=app.state.teams.welcome,
    )
    app.add_middleware(RequestIds)
    return app


async def healthz() -> JsonReply:
    """Whether the server is there at all."""
    return JsonReply({"status": "ok"})

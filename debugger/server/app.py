"""The app that serves a backend under the hosted API's URLs."""

from __future__ import annotations

from importlib.metadata import version

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
    probes,
    reruns,
    runs,
    schemas,
    versions,
    workflows,
)
from debugger.server.access import Access, KeyRing, check_role
from debugger.server.access.rates import Rate
from debugger.server.audit import Audit, AuditTrail
from debugger.server.body import BODY_LIMIT
from debugger.server.errors import handle_errors
from debugger.server.live.routes import live_router, session_token
from debugger.server.live.tokens import SessionTokens
from debugger.server.measuring import Measure
from debugger.server.metrics import Metrics
from debugger.server.openapi import PACKAGE, ApiDocument
from debugger.server.quiet_log import keep_secrets_out_of_the_log
from debugger.server.readiness import Readiness
from debugger.server.request_ids import RequestIds
from debugger.server.teams import Teams, team_of
from debugger.server.turn_limiter import TurnLimiter

# They are looked through in this order: turns come first, which are what a server is mostly asked for. Then
# paths with a fixed word come before those that take any id in its place (``platform/wire.md`` 4.1).
ROUTERS = (
    execute.router,
    schemas.router,
    dynamic_variables.router,
    active_versions.router,
    bundles.router,
    workflows.router,
    clones.router,
    concurrency.router,
    favorites.router,
    versions.router,
    runs.router,
    feedback.router,
    reruns.router,
    global_variables.router,
    live_router,
    elsewhere.router,
)


def create_app(
    backend: Backend,
    *,
    api_key: str | None = None,
    rate_limit: int = 0,
    body_limit: int = BODY_LIMIT,
    turns: TurnLimiter | None = None,
) -> FastAPI:
    """Serve a backend, and the teams that have their data beside its own.

    Args:
        backend: What runs the workflows of those who are in no team; closing it stays with the caller, and so
            does closing ``app.state.teams``.
        api_key: A key that many may share, an administrator's. People's own are in the store. Where there is
            no key at all, the server answers only to local names.
        rate_limit: Requests a minute and key; 0 for as many as one likes.
        body_limit: Bytes that the body of a request may have.
        turns: Bounds the turns that are executed at once; one with the default bounds unless it is set.
    """
    keep_secrets_out_of_the_log()
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        dependencies=[Depends(check_role)],
    )
    app.state.backend = backend
    app.state.body_limit = body_limit
    app.state.metrics = Metrics(version(PACKAGE))
    app.state.readiness = Readiness(backend)
    app.state.teams = Teams(backend, app.state.metrics)
    app.state.ring = KeyRing(
        backend.store.api_keys if isinstance(backend, EmbeddedBackend) else None, api_key
    )
    app.state.rate = Rate(rate_limit)
    app.state.turns = turns or TurnLimiter()
    app.state.tokens = SessionTokens()
    app.state.audit = AuditTrail()
    for router in ROUTERS:
        app.include_router(router, prefix=BASE_PATH)
    app.state.document = ApiDocument(app)
    app.include_router(probes.router)
    app.add_api_route(SESSION, session_token)
    handle_errors(app)
    app.add_middleware(
        Access,
        ring=app.state.ring,
        rate=app.state.rate,
        admits=app.state.tokens.redeem,
        welcome=app.state.teams.welcome,
    )
    app.add_middleware(Audit, trail=app.state.audit, backend_of=lambda scope: team_of(scope).backend)
    app.add_middleware(RequestIds)
    app.add_middleware(Measure, metrics=app.state.metrics)
    return app

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
from debugger.server.audit import Audit
from debugger.server.errors import handle_errors
from debugger.server.live.routes import live_router, session_token
from debugger.server.measuring import Measure
from debugger.server.metrics import Metrics
from debugger.server.openapi import PACKAGE, ApiDocument
from debugger.server.quiet_log import keep_secrets_out_of_the_log
from debugger.server.readiness import Readiness
from debugger.server.request_ids import RequestIds
from debugger.server.services import BODY_LIMIT, Services
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
)


def create_app(
    backend: Backend,
    *,
    api_key: str | None = None,
    body_limit: int = BODY_LIMIT,
    turns: TurnLimiter | None = None,
) -> FastAPI:
    """Serve a backend.

    Args:
        backend: Runs the workflows; closing it stays with the caller.
        api_key: A key that many may share, an administrator's; keys of people are in the store. Without
            any key the server answers only to local names.
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
    services = Services(
        backend=backend,
        metrics=Metrics(version(PACKAGE)),
        readiness=Readiness(backend),
        ring=KeyRing(backend.store.api_keys if isinstance(backend, EmbeddedBackend) else None, api_key),
        turns=turns or TurnLimiter(),
        body_limit=body_limit,
    )
    app.state.services = services
    for router in ROUTERS:
        app.include_router(router, prefix=BASE_PATH)
    app.state.document = ApiDocument(app)
    app.include_router(probes.router)
    app.add_api_route(SESSION, session_token)
    handle_errors(app)
    app.add_middleware(Access, ring=services.ring, admits=services.tokens.redeem)
    app.add_middleware(Audit, trail=services.audit, backend=backend)
    app.add_middleware(RequestIds)
    app.add_middleware(Measure, metrics=services.metrics)
    return app

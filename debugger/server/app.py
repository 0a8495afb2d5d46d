"""The app that serves a backend under the hosted API's URLs."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import Depends, FastAPI

from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.urls import BASE_PATH
from debugger.server import (
    execute,
    feedback,
    global_variables,
    probes,
    reruns,
    runs,
    versions,
    workflow_transfer,
    workflows,
)
from debugger.server.audit import AuditMiddleware
from debugger.server.auth import AuthMiddleware, KeyStore, check_role
from debugger.server.errors import handle_errors
from debugger.server.health import Readiness
from debugger.server.log_redaction import redact_uvicorn_log
from debugger.server.metrics import Metrics
from debugger.server.middleware import ErrorMiddleware, MetricsMiddleware
from debugger.server.openapi import PACKAGE, ApiDocument
from debugger.server.services import BODY_LIMIT, Services
from debugger.server.streaming import routes as streaming
from debugger.server.turn_limiter import TurnLimiter
from debugger.telemetry.middleware import RequestMiddleware

# Looked through in this order: turns first, the most frequent requests; within a router paths with a fixed
# word come before those with an id in its place (``platform.md#workflow-routes``).
ROUTERS = (
    execute.router,
    workflow_transfer.router,
    workflows.router,
    versions.router,
    runs.router,
    feedback.router,
    reruns.router,
    global_variables.router,
    streaming.router,
)


def create_app(
    backend: Backend,
    *,
    api_key: str | None = None,
    body_limit: int = BODY_LIMIT,
    turns: TurnLimiter | None = None,
) -> FastAPI:
    """Return the app that serves a backend.

    Args:
        backend: Runs the workflows; closing it stays with the caller.
        api_key: A key that many may share, an administrator's; keys of people are in the store. Without
            any key the server answers only to local names.
        body_limit: Bytes of a request's body.
        turns: Bounds the turns that are executed at once; one with the default bounds unless it is set.
    """
    redact_uvicorn_log()
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        dependencies=[Depends(check_role)],
        generate_unique_id_function=lambda route: route.name,
    )
    services = Services(
        backend=backend,
        metrics=Metrics(version(PACKAGE)),
        readiness=Readiness(backend),
        keys=KeyStore(backend.store.api_keys if isinstance(backend, EmbeddedBackend) else None, api_key),
        turn_limiter=turns or TurnLimiter(),
        body_limit=body_limit,
    )
    app.state.services = services
    for router in ROUTERS:
        app.include_router(router, prefix=BASE_PATH)
    app.include_router(probes.router)
    app.include_router(streaming.token_router)
    app.state.document = ApiDocument(app)
    handle_errors(app)
    app.add_middleware(AuthMiddleware, keys=services.keys, tokens=services.tokens)
    app.add_middleware(AuditMiddleware, trail=services.audit, backend=backend)
    app.add_middleware(ErrorMiddleware)
    app.add_middleware(MetricsMiddleware, metrics=services.metrics)
    app.add_middleware(RequestMiddleware)
    return app

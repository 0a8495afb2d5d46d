"""The app that serves a backend under the hosted API's URLs."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI

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
from debugger.server.access import Access
from debugger.server.body import BODY_LIMIT
from debugger.server.errors import handle_errors
from debugger.server.global_values import GlobalValues
from debugger.server.live import LiveServer, live_router, session_token
from debugger.server.measuring import Measure
from debugger.server.metrics import Metrics
from debugger.server.openapi import PACKAGE, ApiDocument
from debugger.server.readiness import Readiness
from debugger.server.request_ids import RequestIds
from debugger.server.running import RunningTurns

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


def create_app(backend: Backend, *, api_key: str | None = None, body_limit: int = BODY_LIMIT) -> FastAPI:
    """Serve a backend.

    Args:
        backend: What runs the workflows; closing it stays with the caller. An embedded engine is given the
            global variables that are kept here.
        api_key: What a request must show; without one, the server answers only to local names.
        body_limit: Bytes that the body of a request may have.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.backend = backend
    app.state.body_limit = body_limit
    app.state.metrics = Metrics(version(PACKAGE))
    app.state.readiness = Readiness(backend)
    app.state.running = RunningTurns(app.state.metrics)
    app.state.admission = concurrency.Admission()
    if isinstance(backend, EmbeddedBackend):
        app.state.global_values = GlobalValues(backend.store)
        backend.globals = app.state.global_values.dynamic
        backend.use_secrets(app.state.global_values.secrets)
    for router in ROUTERS:
        app.include_router(router, prefix=BASE_PATH)
    app.state.live = LiveServer(
        backend, app.state.running, app.state.admission, frame_limit=body_limit, has_key=bool(api_key)
    )
    app.state.document = ApiDocument(app)
    app.include_router(probes.router)
    app.add_api_route(SESSION, session_token)
    handle_errors(app)
    app.add_middleware(Access, api_key=api_key, admits=app.state.live.tokens.admit)
    app.add_middleware(RequestIds)
    app.add_middleware(Measure, metrics=app.state.metrics)
    return app

"""The app that serves a backend under the hosted API's URLs."""

from __future__ import annotations

from importlib.metadata import version
from typing import NotRequired

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from typing_extensions import TypedDict

from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.options import PythonMode
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.protocol.urls import BASE_PATH
from debugger.server import (
    execute,
    feedback,
    global_variables,
    reruns,
    runs,
    versions,
    workflow_transfer,
    workflows,
)
from debugger.server.audit import AuditMiddleware, AuditTrail
from debugger.server.auth import AuthMiddleware, KeyStore, check_role
from debugger.server.errors import ErrorMiddleware, handle_errors
from debugger.server.health import Readiness
from debugger.server.log_redaction import redact_uvicorn_log
from debugger.server.metrics import Metrics, MetricsMiddleware
from debugger.server.openapi import JSON, PACKAGE, build_document
from debugger.server.responses import RawJsonResponse
from debugger.server.services import BODY_LIMIT, Services, services_of
from debugger.server.streaming import routes as streaming
from debugger.server.turn_limiter import TurnLimiter
from debugger.telemetry.metrics import MEDIA_TYPE
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


operator_router = APIRouter(tags=["server"])
"""The routes outside the API, for the operators of the server."""


class HealthStatus(TypedDict):
    """The state of the server."""

    status: str


class ReadyStatus(HealthStatus):
    """A ready server, and its mode for Python code of workflows."""

    python: NotRequired[PythonMode]
    """Absent where another server runs the workflows."""
    python_reason: NotRequired[str]
    """The reason why the mode is not ``sandboxed``."""


@operator_router.get("/healthz", response_model=HealthStatus)
async def healthz() -> RawJsonResponse:
    """Answer as long as the process runs."""
    return RawJsonResponse({"status": "ok"})


@operator_router.get("/readyz", response_model=ReadyStatus, responses={503: {}})
async def readyz(request: Request) -> RawJsonResponse:
    """Check that the store answers and has the right tables.

    A ready server answers 200, on the embedded engine with its mode for Python code, any other one 503 with
    the reason. The response does not say where the store is or what its error is; the log does.
    """
    readiness = services_of(request.scope).readiness
    problem = await readiness.problem()
    if problem is not None:
        return RawJsonResponse({"detail": problem}, status_code=503)
    python = readiness.python
    if python is None:
        return RawJsonResponse({"status": "ready"})
    reason = {"python_reason": python.reason} if python.reason else {}
    return RawJsonResponse({"status": "ready", "python": python.mode, **reason})


@operator_router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request) -> Response:
    """Return the counters of this process, in the text format of Prometheus."""
    return Response(services_of(request.scope).metrics.exposition(), media_type=MEDIA_TYPE)


@operator_router.get("/openapi.json", response_model=JsonObject)
def openapi(request: Request) -> Response:
    """Return this document.

    It is built at the first request and kept for later ones.
    """
    state = request.app.state
    if state.document is None:
        state.document = encode(build_document(request.app))
    return Response(state.document, media_type=JSON)


def create_app(
    backend: Backend,
    *,
    api_key: str | None = None,
    body_limit: int = BODY_LIMIT,
    turns: TurnLimiter | None = None,
) -> FastAPI:
    """Return the app that serves a backend.

    Keys of people and the audit list are those of an embedded backend's store; other backends have none. Adds
    filters to uvicorn's loggers, which hold in the whole process.

    Args:
        backend: Runs the workflows; closing it stays with the caller.
        api_key: A key that many may share, an administrator's; keys of people are in the store. Without any
            key the server answers only to local names.
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
    store = backend.store if isinstance(backend, EmbeddedBackend) else None
    services = Services(
        backend=backend,
        metrics=Metrics(version(PACKAGE)),
        readiness=Readiness(backend),
        keys=KeyStore(store.api_keys if store else None, api_key),
        turn_limiter=turns or TurnLimiter(),
        audit=AuditTrail(store.audit if store else None),
        body_limit=body_limit,
    )
    app.state.services = services
    for router in ROUTERS:
        app.include_router(router, prefix=BASE_PATH)
    app.include_router(operator_router)
    app.include_router(streaming.token_router)
    app.state.document = None  # built when it is first requested
    handle_errors(app)
    app.add_middleware(AuthMiddleware, keys=services.keys, tokens=services.tokens)
    app.add_middleware(AuditMiddleware, trail=services.audit)
    app.add_middleware(ErrorMiddleware)
    app.add_middleware(MetricsMiddleware, metrics=services.metrics)
    app.add_middleware(RequestMiddleware)
    return app

"""The routes outside the API, for the operators of the server."""

from __future__ import annotations

from typing import NotRequired

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from typing_extensions import TypedDict

from debugger.engine.options import PythonMode
from debugger.protocol.base import JsonObject
from debugger.server.openapi import JSON, ApiDocument
from debugger.server.responses import RawJsonResponse
from debugger.server.services import services_of
from debugger.telemetry.metrics import MEDIA_TYPE

router = APIRouter(tags=["server"])


class HealthStatus(TypedDict):
    """The state of the server."""

    status: str


class ReadyStatus(HealthStatus):
    """A ready server, and its mode for Python code of workflows."""

    python: NotRequired[PythonMode]
    """Absent where another server runs the workflows."""
    python_reason: NotRequired[str]
    """The reason why the mode is not ``sandboxed``."""


@router.get("/healthz", response_model=HealthStatus)
async def healthz() -> RawJsonResponse:
    """Answer as long as the process runs."""
    return RawJsonResponse({"status": "ok"})


@router.get("/readyz", response_model=ReadyStatus, responses={503: {}})
async def readyz(request: Request) -> RawJsonResponse:
    """Check that the store answers and has the right tables.

    The response does not say where the store is or what its error is; the log does.
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


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request) -> Response:
    """Return the counters of this process, in the text format of Prometheus."""
    return Response(services_of(request.scope).metrics.exposition(), media_type=MEDIA_TYPE)


@router.get("/openapi.json", response_model=JsonObject)
def openapi(request: Request) -> Response:
    """Return this document."""
    document: ApiDocument = request.app.state.document
    return Response(document.text, media_type=JSON)

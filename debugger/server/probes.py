"""The routes outside the API: what those ask who run the server, not those who use it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from debugger.protocol.base import JsonObject
from debugger.server.answers import server
from debugger.server.metrics import MEDIA_TYPE
from debugger.server.openapi import ApiDocument
from debugger.server.operations import JSON, described
from debugger.server.reply import JsonReply
from debugger.server.services import services_of

router = APIRouter()


@router.get("/healthz")
@described(server.Standing)
async def healthz() -> JsonReply:
    """Whether the server is there at all."""
    return JsonReply({"status": "ok"})


@router.get("/readyz")
@described(server.Readiness, refuses=(503,))
async def readyz(request: Request) -> JsonReply:
    """Whether the server can do its work: the store answers, and holds the tables that this program needs.

    Without the key, nothing is told of where the store is or what ails it; the log tells that.
    """
    readiness = services_of(request.scope).readiness
    reason = await readiness.reason_against()
    if reason is not None:
        return JsonReply({"detail": reason}, status_code=503)
    python = readiness.python
    if python is None:
        return JsonReply({"status": "ready"})
    details = {"python_reason": python.reason} if python.reason else {}
    return JsonReply({"status": "ready", "python": python.mode, **details})


@router.get("/metrics")
@described(str, media_type="text/plain")
def metrics(request: Request) -> Response:
    """What the server has counted since it began, in the text format of Prometheus."""
    return Response(services_of(request.scope).metrics.exposition(), media_type=MEDIA_TYPE)


@router.get("/openapi.json")
@described(JsonObject)
def openapi(request: Request) -> Response:
    """This document."""
    document: ApiDocument = request.app.state.document
    return Response(document.text, media_type=JSON)

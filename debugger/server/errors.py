"""Errors as the API tells them (``platform/wire.md`` 1.8)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from math import ceil
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from debugger.errors import (
    AuthenticationError,
    DebuggerError,
    ExpressionError,
    InputError,
    NotStartableError,
    RateLimitError,
    RunEndedError,
    StaleTurnError,
    StoreError,
    TurnInProgressError,
    UnsupportedError,
    WorkflowError,
)
from debugger.protocol.base import JsonObject
from debugger.protocol.urls import BASE_PATH
from debugger.server.quiet_log import shown
from debugger.server.reply import JsonReply

logger = logging.getLogger(__name__)

NO_START = "No start node found"
STALE_TURN = "stale_turn"
TURN_IN_PROGRESS = "turn_in_progress"
"""The reasons that a 409 over a turn names, for programs."""
SESSION_NOT_FOUND = "Session not found"

_PLATFORM_ONLY = re.compile(
    r"/v1/(nodes|edges|tools|super-nodes|templates|node-libraries|workflow-categories|schemas|llm-configs"
    r"|workflow-schedules|workflow-webhooks|simulations|simulation-runs)(/.*)?"
    r"|/v1/workflows/[^/]+/(schedules|super-node-interface|super-node-dependents|super-node-snapshot-status"
    r"|expand-preview|runs/[^/]+/checkpoint-run)"
)
"""The paths of the platform's API that this server does not have (``platform/wire.md`` section 8)."""


def handle_errors(app: FastAPI) -> None:
    """Answer every error that is raised on purpose in the API's own shapes."""
    app.add_exception_handler(DebuggerError, _debugger_error)
    app.add_exception_handler(RequestValidationError, _malformed_request)
    app.add_exception_handler(404, _unknown_path)


def error_body(error: DebuggerError) -> JsonObject:
    """The body of the answer that tells of an error."""
    for kind, body in _BODIES.items():
        if isinstance(error, kind):
            return body(error)
    return {"detail": error.message}


def error_reply(error: DebuggerError) -> JsonReply:
    """The answer that tells of an error."""
    headers = {}
    if isinstance(error, RateLimitError) and error.retry_after is not None:
        headers["Retry-After"] = str(ceil(error.retry_after))
    if isinstance(error, AuthenticationError):
        headers["WWW-Authenticate"] = "Bearer"
    return JsonReply(error_body(error), status_code=error.status, headers=headers)


def _input_body(error: Any) -> JsonObject:
    return {"detail": [{"type": "value_error", "loc": ["body"], "msg": error.message}]}


def _not_startable_body(error: Any) -> JsonObject:
    known = error.message if NO_START in error.message else f"{NO_START}: {error.message}"
    return {"detail": known}


_BODIES: dict[type[DebuggerError], Callable[[Any], JsonObject]] = {
    WorkflowError: lambda error: {"message": error.category, "error": error.message},
    ExpressionError: lambda error: {"message": "Invalid expression", "error": str(error)},
    InputError: _input_body,
    RunEndedError: lambda error: {"detail": SESSION_NOT_FOUND},
    StaleTurnError: lambda error: {
        "detail": error.message,
        "reason": STALE_TURN,
        "turn_number": error.turn_number,
    },
    TurnInProgressError: lambda error: {"detail": error.message, "reason": TURN_IN_PROGRESS},
    NotStartableError: _not_startable_body,
    # Where the database is and what ails it is for the one who runs the server, who finds it in the log.
    StoreError: lambda error: {"detail": "Service unavailable"},
}


async def _debugger_error(request: Request, error: Exception) -> JsonReply:
    assert isinstance(error, DebuggerError)
    if error.status >= 500:
        logger.warning("%s %s: %s", request.method, shown(request.url.path), error)
    return error_reply(error)


async def _malformed_request(request: Request, error: Exception) -> JsonReply:
    assert isinstance(error, RequestValidationError)
    # What was sent is not sent back: it may hold secrets.
    problems = [
        {"type": problem["type"], "loc": list(problem["loc"]), "msg": problem["msg"]}
        for problem in error.errors()
    ]
    return JsonReply({"detail": problems}, status_code=422)


async def _unknown_path(request: Request, error: Exception) -> JsonReply:
    """Answer 501 where the platform has the path, else 404."""
    path = request.url.path.removeprefix(BASE_PATH)
    if _PLATFORM_ONLY.fullmatch(path):
        return error_reply(UnsupportedError(f"{path} is done on the platform only."))
    assert isinstance(error, HTTPException)
    return JsonReply({"detail": error.detail}, status_code=404)

"""Errors as responses, expected and unexpected, and unknown paths.

Source: ``platform.md#errors``.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from math import ceil
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from debugger.boundary import release_address, release_line
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
    TurnNotStoredError,
    UnsupportedError,
    WorkflowError,
)
from debugger.protocol.base import JsonObject
from debugger.protocol.urls import BASE_PATH
from debugger.server.responses import RawJsonResponse
from debugger.telemetry.context import request_id

_log = logging.getLogger(__name__)

NO_START = "No start node found"
SESSION_NOT_FOUND = "Session not found"
NOT_STORED = "turn_not_stored"
"""The reason of a turn that ran and is not on record; its calls were made."""

_PLATFORM_ONLY = re.compile(
    r"/v1/(nodes|edges|tools|super-nodes|templates|node-libraries|workflow-categories|schemas|llm-configs"
    r"|workflow-schedules|workflow-webhooks|simulations|simulation-runs)(/.*)?"
    r"|/v1/workflows/[^/]+/(schedules|super-node-interface|super-node-dependents|super-node-snapshot-status"
    r"|expand-preview|runs/[^/]+/checkpoint-run)"
)
"""Paths of the platform's API that this server does not have."""


def handle_errors(app: FastAPI) -> None:
    """Answer every error that is raised on purpose in the platform's shapes.

    Adds handlers to the app for DebuggerError, for invalid requests (422), for values that are nested too
    deeply (422), and for status 404, which is 501 on paths that only the platform has.
    """
    app.add_exception_handler(DebuggerError, _handle_debugger_error)
    app.add_exception_handler(RequestValidationError, _handle_invalid_request)
    app.add_exception_handler(RecursionError, _handle_deep_value)
    app.add_exception_handler(404, _handle_unknown_path)


def error_response(error: DebuggerError) -> RawJsonResponse:
    """Return the response for an error.

    The status is the error's. The body is that of the first kind in `_BODIES` that fits, else its message as
    ``detail``, with secrets masked. A RateLimitError with a time adds ``Retry-After`` in whole seconds, an
    AuthenticationError adds ``WWW-Authenticate``.
    """
    headers = {}
    if isinstance(error, RateLimitError) and error.retry_after is not None:
        headers["Retry-After"] = str(ceil(error.retry_after))
    if isinstance(error, AuthenticationError):
        headers["WWW-Authenticate"] = "Bearer"
    bodies = (body(error) for kind, body in _BODIES.items() if isinstance(error, kind))
    body = next(bodies, {"detail": error.message})
    return RawJsonResponse(_released(body), status_code=error.status, headers=headers)


def _released(body: Any) -> Any:
    """Return a body whose texts hold no secrets.

    Texts at any depth are masked by `release_line`; keys, and values that are no text, stay as they are.
    """
    if isinstance(body, dict):
        return {name: _released(value) for name, value in body.items()}
    if isinstance(body, list):
        return [_released(value) for value in body]
    return release_line(body) if isinstance(body, str) else body


def _not_startable_body(error: Any) -> JsonObject:
    has_prefix = NO_START in error.message
    return {"detail": error.message if has_prefix else f"{NO_START}: {error.message}"}


_BODIES: dict[type[DebuggerError], Callable[[Any], JsonObject]] = {
    WorkflowError: lambda error: {"message": error.category, "error": error.message},
    ExpressionError: lambda error: {"message": "Invalid expression", "error": str(error)},
    InputError: lambda error: {
        "detail": [{"type": "value_error", "loc": ["body"], "msg": error.message}],
    },
    RunEndedError: lambda error: {"detail": SESSION_NOT_FOUND},
    StaleTurnError: lambda error: {
        "detail": error.message,
        "reason": "stale_turn",
        "turn_number": error.turn_number,
    },
    TurnInProgressError: lambda error: {"detail": error.message, "reason": "turn_in_progress"},
    NotStartableError: _not_startable_body,
    # Not 503, after which clients and gateways send a request again: the turn ran, and its calls were made.
    TurnNotStoredError: lambda error: {
        "detail": error.message,
        "reason": NOT_STORED,
        "calls": list(error.calls),
    },
    # The place of the database and its error are for the operator, who finds them in the log.
    StoreError: lambda error: {"detail": "Service unavailable"},
}


async def _handle_debugger_error(request: Request, error: Exception) -> RawJsonResponse:
    assert isinstance(error, DebuggerError)
    if error.status >= 500:
        _log.warning("%s %s: %s", request.method, release_address(request.url.path), error)
    return error_response(error)


async def _handle_invalid_request(request: Request, error: Exception) -> RawJsonResponse:
    """Answer 422 with the type, the place and the message of each problem, without the input."""
    assert isinstance(error, RequestValidationError)
    # The input is not sent back: it may hold secrets.
    problems = [
        {"type": problem["type"], "loc": list(problem["loc"]), "msg": problem["msg"]}
        for problem in error.errors()
    ]
    return RawJsonResponse({"detail": problems}, status_code=422)


async def _handle_deep_value(request: Request, error: Exception) -> RawJsonResponse:
    problem = InputError("A value is nested too deeply.")
    path = release_address(request.url.path)
    _log.warning("%s %s: %s", request.method, path, problem, exc_info=error)
    return error_response(problem)


async def _handle_unknown_path(request: Request, error: Exception) -> RawJsonResponse:
    """Answer 501 where the platform has the path, else 404.

    The 404 has the detail of the exception.
    """
    path = request.url.path.removeprefix(BASE_PATH)
    if _PLATFORM_ONLY.fullmatch(path):
        return error_response(UnsupportedError(f"{path} is done on the platform only."))
    assert isinstance(error, HTTPException)
    return RawJsonResponse({"detail": error.detail}, status_code=404)


class ErrorMiddleware:
    """Answer 500 for an unexpected error.

    The body says nothing of the cause; the log has it under the id that the response has.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and answer an unexpected error with status 500.

        The error is logged; where the response has started already it is raised again. A client that has left
        gets no response. Other scopes than ``http`` are passed on alone.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_started = False

        async def observe(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        path = release_address(scope["path"])
        try:
            await self._app(scope, receive, observe)
        except ClientDisconnect:
            _log.info("%s %s: the client left (request %s)", scope["method"], path, request_id.get())
        except Exception:
            _log.exception("%s %s failed (request %s)", scope["method"], path, request_id.get())
            if has_started:
                raise
            response = RawJsonResponse({"detail": "Internal server error"}, status_code=500)
            await response(scope, receive, observe)

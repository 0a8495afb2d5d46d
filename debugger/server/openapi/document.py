"""The document as a whole: FastAPI's, completed operation by operation."""

from __future__ import annotations

from functools import cached_property
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.server.access.roles import OPEN_PATHS
from debugger.server.openapi import refusals
from debugger.server.openapi.schemas import TypeSchemas
from debugger.server.openapi.words import words_of
from debugger.server.operations import JSON, Operation, operation_of

PACKAGE = "workflow-debugger"

_DESCRIPTION = f"""Conversational AI workflows, stepped turn by turn.

An id is 24 lower-case hex digits. Unknown query parameters are passed over. A server that was started without
a key takes requests by local names only.

Turns also run over a WebSocket, at `{urls.BASE_PATH}{urls.STREAM}`: each frame is the `run_input` of a turn,
and each event is sent as it happens. `GET {urls.SESSION}` gives a token that opens one socket as `?token=`,
for clients that cannot send headers."""

_HEADERS: JsonObject = {
    "RequestId": {
        "description": "The id of the request, under which the log has what goes wrong.",
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    },
    "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    "Challenge": {"description": "How to show a key.", "schema": {"type": "string", "const": "Bearer"}},
}
_REQUEST_ID = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}

_PARAMETERS: JsonObject = {
    "Person": {"name": "uuid", "in": "header", "description": "Who asks.", "schema": {"type": "string"}},
    "Team": {
        "name": "teamid",
        "in": "header",
        "description": "The team of the one who asks, as the platform wants it; every one is taken.",
        "schema": {"type": "string"},
    },
    "ApiVersion": {
        "name": "X-Interactly-API-Version",
        "in": "header",
        "description": "The version of the API that the client speaks; every one is taken.",
        "schema": {"type": "string"},
        "example": "2026-04-01",
    },
}


class ApiDocument:
    """The document of an app, made when it is first asked for.

    Args:
        app: The app, all of whose routes are there by then.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    @cached_property
    def text(self) -> bytes:
        """The document as JSON."""
        return encode(_document(self._app))


def _document(app: FastAPI) -> JsonObject:
    document = get_openapi(
        title="Workflow Debugger", version=version(PACKAGE), description=_DESCRIPTION, routes=app.routes
    )
    routes = _shown_routes(app)
    operations = [operation_of(route.endpoint) for route in routes]
    schemas = TypeSchemas(
        bodies=[operation.takes for operation in operations],
        answers=[
            *(operation.gives for operation in operations),
            *(shape for _, shape in refusals.SHAPES.values()),
        ],
    )
    is_afar = not isinstance(app.state.services.backend, EmbeddedBackend)
    for route, noted in zip(routes, operations, strict=True):
        if "PATCH" in route.methods:
            schemas.forget_defaults(noted.takes)
        for method in route.methods:
            known = document["paths"][route.path_format][method.lower()]
            _complete(known, route, noted, schemas)
            known["responses"] |= refusals.references(refusals.statuses_of(route, is_afar=is_afar))
    document["components"] = {
        "schemas": schemas.definitions,
        "responses": refusals.components(schemas, _REQUEST_ID),
        "headers": _HEADERS,
        "parameters": _PARAMETERS,
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
    }
    document["security"] = [{"key": []}]
    return document


def _shown_routes(app: FastAPI) -> list[Any]:
    return [
        route
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute) and route.include_in_schema
    ]


def _complete(operation: JsonObject, route: Any, noted: Operation, schemas: TypeSchemas) -> None:
    """Say of an operation what FastAPI does not see, but for its errors."""
    operation["operationId"] = route.endpoint.__name__
    operation.pop("description", None)  # FastAPI's is the whole docstring
    operation |= words_of(route.endpoint)
    if refusals.takes_body(route):
        schema = schemas.of_body(noted.takes)
        operation["requestBody"] = {
            "content": {JSON: {"schema": schema}},
            "required": schemas.must_have(schema),
        }
    good: JsonObject = {"description": "Done.", "headers": _REQUEST_ID}
    if noted.gives is not None:
        good["content"] = {noted.media_type: {"schema": schemas.of_answer(noted.gives)}}
    operation["responses"] = {str(status): good for status in noted.statuses}
    if route.path_format in OPEN_PATHS:
        operation["security"] = []
    else:
        shared = [{"$ref": f"#/components/parameters/{name}"} for name in _PARAMETERS]
        operation["parameters"] = [*operation.get("parameters", ()), *shared]

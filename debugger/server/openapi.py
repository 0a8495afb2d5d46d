"""The document of the API: FastAPI's own, with what it does not see (OpenAPI 3.1).

FastAPI knows paths and parameters. Bodies and answers are read and written past it here, so their schemas
come from what is noted on a route's function (`described`), and the statuses of errors from what a route
depends on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from importlib.metadata import version
from inspect import getdoc
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import TypeAdapter

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.json_text import encode
from debugger.server import elsewhere
from debugger.server.access import OPEN_PATHS
from debugger.server.answers.errors import BrokenRule, Detail, Problems
from debugger.server.body import read_object
from debugger.server.operations import JSON, Operation, operation_of
from debugger.server.parameters import embedded_engine, served_backend

PATH = "/openapi.json"
PACKAGE = "workflow-debugger"

_DESCRIPTION = f"""Conversational AI workflows, stepped turn by turn.

An id is 24 lower-case hex digits. Unknown query parameters are passed over. A server that was started without
a key takes requests by local names only.

Turns also run over a WebSocket, at `{urls.BASE_PATH}{urls.STREAM}`: each frame is the `run_input` of a turn,
and each event is sent as it happens. `GET {urls.SESSION}` gives a token that opens one socket as `?token=`,
for clients that cannot send headers."""

_REFS = "#/components/schemas/{model}"

_ERRORS: dict[int, tuple[str, Any]] = {
    400: ("A rule is broken.", BrokenRule),
    401: ("The key is missing, or is not this server's.", Detail),
    403: ("Not for this caller.", Detail),
    404: ("There is no such thing, or the run is over.", Detail),
    409: ("Something else is under way, came first, or must come first.", Detail),
    413: ("The body is too large.", Detail),
    415: ("The body is not said to be JSON.", Detail),
    422: ("A parameter, or something in the body, cannot be used.", Problems),
    429: ("Too much at once.", Detail),
    500: ("What is asked for cannot begin; the sentence says why.", Detail),
    501: ("Not done by this server.", Detail),
    502: ("The API behind this server did not do as asked.", Detail),
    503: ("The store does not answer.", Detail),
    504: ("The API behind this server did not answer in time.", Detail),
}
"""What each status tells, and in which shape."""

_GUARDED = (401, 403)
"""What everything answers that is not open to all."""

_FOLLOWING: dict[Callable[..., Any], tuple[int, ...]] = {
    read_object: (413, 415, 422),
    served_backend: (503,),
    embedded_engine: (503,),
}
"""What can be answered by whatever depends on these."""

_FOLLOWING_AFAR: dict[Callable[..., Any], tuple[int, ...]] = {
    served_backend: (501, 502, 504),
    embedded_engine: (501,),
}
"""The same, besides, where the backend is none that keeps its runs here."""

_HEADERS: JsonObject = {
    "RequestId": {
        "description": "The id of the request, under which the log has what goes wrong.",
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    },
    "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
}
_REQUEST_ID = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
_RETRY_AFTER = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}

_PARAMETERS: JsonObject = {
    "Person": {
        "name": "uuid",
        "in": "header",
        "description": "Who asks.",
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

_SOURCES = re.compile(r"\s*\([^()]*(?:``platform/|\b(?:section )?\d+\.\d+\b)[^()]*\)")
"""Where a docstring says what its rule comes from."""
_FOR_READERS_OF_CODE = re.compile(r"\n\n(?:Args|Raises|Returns|Source|Source of it):.*", re.DOTALL)


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
    shown = _shown_routes(app)
    schemas, definitions = _schemas(shown)
    is_afar = not isinstance(app.state.backend, EmbeddedBackend)
    for route in shown:
        for method in route.methods:
            known = document["paths"][route.path_format][method.lower()]
            _complete(known, route, schemas, is_afar=is_afar)
    document["paths"] |= dict(_elsewhere())
    document["components"] = {
        "schemas": {name: _for_readers(definitions[name]) for name in sorted(definitions)},
        "responses": {str(status): _refusal(status, schemas) for status in _ERRORS},
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


Schemas = dict[tuple[str, Any], JsonObject]
"""The schema of a type, by whether it is what comes (``takes``) or what goes (``gives``)."""


def _schemas(routes: list[Any]) -> tuple[Schemas, JsonObject]:
    """The schema of every body, and the definitions that they refer to."""
    operations = [operation_of(route.endpoint) for route in routes]
    wanted: dict[str, tuple[str, Any, Any]] = {}
    for way, mode, types in (
        ("takes", "validation", [operation.takes for operation in operations]),
        ("gives", "serialization", [operation.gives for operation in operations]),
        ("gives", "serialization", [kind for _, kind in _ERRORS.values()]),
    ):
        for kind in types:
            if kind is not None:
                wanted[f"{way} {kind}"] = (way, mode, kind)
    found, rest = TypeAdapter.json_schemas(
        [(name, mode, TypeAdapter(kind)) for name, (_, mode, kind) in wanted.items()], ref_template=_REFS
    )
    by_name = {name: schema for (name, _), schema in found.items()}
    return {(way, _key(kind)): by_name[name] for name, (way, _, kind) in wanted.items()}, rest["$defs"]


def _key(kind: Any) -> Any:
    return str(kind)


def _complete(operation: JsonObject, route: Any, schemas: Schemas, *, is_afar: bool) -> None:
    """Say of an operation what FastAPI does not see."""
    noted = operation_of(route.endpoint)
    operation["operationId"] = route.endpoint.__name__
    operation.pop("description", None)  # FastAPI's is the whole docstring
    operation |= _words(route.endpoint)
    depends_on = set(_dependencies(route.dependant))
    if read_object in depends_on:
        operation["requestBody"] = _body(noted, schemas)
    operation["responses"] = {
        **{str(status): _good(noted, schemas) for status in noted.statuses},
        **_refusals(sorted(_statuses(route, noted, depends_on, is_afar=is_afar))),
    }
    if route.path_format in OPEN_PATHS:
        operation["security"] = []
    else:
        operation.setdefault("parameters", []).extend(
            {"$ref": f"#/components/parameters/{name}"} for name in _PARAMETERS
        )


def _statuses(route: Any, noted: Operation, depends_on: set[Any], *, is_afar: bool) -> set[int]:
    found = set(noted.refuses)
    if route.path_format not in OPEN_PATHS:
        found.update(_GUARDED)
    if route.dependant.path_params:
        found.update((404, 422))
    if route.dependant.query_params:
        found.add(422)
    for following in (_FOLLOWING, _FOLLOWING_AFAR if is_afar else {}):
        for dependency in depends_on & following.keys():
            found.update(following[dependency])
    return found


def _dependencies(dependant: Dependant) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _dependencies(inner)


def _body(noted: Operation, schemas: Schemas) -> JsonObject:
    schema = schemas["takes", _key(noted.takes)] if noted.takes is not None else {"type": "object"}
    return {"content": {JSON: {"schema": schema}}, "required": False}


def _good(noted: Operation, schemas: Schemas) -> JsonObject:
    told: JsonObject = {"description": "Done.", "headers": _REQUEST_ID}
    if noted.gives is not None:
        told["content"] = {noted.media_type: {"schema": schemas["gives", _key(noted.gives)]}}
    return told


def _refusals(statuses: Iterable[int]) -> JsonObject:
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _refusal(status: int, schemas: Schemas) -> JsonObject:
    description, kind = _ERRORS[status]
    return {
        "description": description,
        "headers": _REQUEST_ID | (_RETRY_AFTER if status == 429 else {}),
        "content": {JSON: {"schema": schemas["gives", _key(kind)]}},
    }


def _elsewhere() -> Iterator[tuple[str, JsonObject]]:
    """What is not here, which FastAPI would give one name for all methods of a path."""
    for path, sentence in elsewhere.refusals():
        names = re.findall(r"{(\w+)", path)
        place = re.sub(r"{(\w+):path}", r"{\1}", path)
        yield (
            urls.BASE_PATH + place,
            {
                "parameters": [
                    {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                    for name in names
                ],
                **{
                    method.lower(): {
                        "summary": "Not here",
                        "description": sentence,
                        "operationId": f"{method.lower()}_{re.sub(r'[^a-z]+', '_', place)}".rstrip("_"),
                        # 404 is for a path with a line break in it, which no route has.
                        "responses": _refusals((*_GUARDED, 404, 413, 415, 422, 501)),
                    }
                    for method in elsewhere.METHODS
                },
            },
        )


def _words(handler: Callable[..., Any]) -> JsonObject:
    """What a route's docstring says to those who call it."""
    text = _for_callers(getdoc(handler) or "")
    first, _, rest = text.partition("\n\n")
    sentence, _, more = first.replace("\n", " ").partition(". ")
    words = {"summary": sentence.rstrip(".")}
    description = "\n\n".join(part for part in (more, rest) if part)
    return {**words, "description": description} if description else words


def _for_callers(text: str) -> str:
    return _SOURCES.sub("", _FOR_READERS_OF_CODE.sub("", text)).replace("``", "`")


def _for_readers(schema: Any) -> Any:
    """A schema whose descriptions are for those who call."""
    if isinstance(schema, list):
        return [_for_readers(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _for_callers(part) if key == "description" and isinstance(part, str) else _for_readers(part)
        for key, part in schema.items()
    }

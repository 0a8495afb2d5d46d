"""OpenAPI document: FastAPI's own, with bodies, errors and headers.

Handlers read bodies and write responses without FastAPI, since both keep the exact JSON. So the models of
bodies (`body.BodyReader`) and errors are documented by routes that are never served (`_documented_models`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import Body, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.server.auth.roles import OPEN_PATHS
from debugger.server.body import BodyReader
from debugger.server.dependencies import embedded_engine, served_backend
from debugger.server.responses import BrokenRule, Conflict, Detail, Problems

PACKAGE = "workflow-debugger"
JSON = "application/json"

_DESCRIPTION = f"""Conversational AI workflows, stepped turn by turn.

An id is 24 lower-case hex digits. Unknown query parameters are ignored. A server that was started without a
key accepts requests by local host names only.

Turns also run over a WebSocket, at `{urls.BASE_PATH}{urls.STREAM}`: each frame is the `run_input` of a turn,
and each event is sent as it happens. `GET {urls.SESSION}` returns a token that opens one socket as `?token=`,
for clients that cannot send headers."""

_TAGS = {
    "workflows": "Workflows, their limits, variables and transfer.",
    "versions": "Versions of workflows.",
    "turns": "Execution of turns and of background work.",
    "runs": "Records of runs.",
    "feedback": "Comments and ratings.",
    "reruns": "Runs that repeat a turn of another run.",
    "global variables": "Variables that every run starts with.",
    "server": "The state of the server, for its operators.",
}
_REQUEST_ID = {
    "X-Request-Id": {
        "description": "The id of the request in the log: the client's own, or else a new one.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"},
    }
}
_RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
}
_CHALLENGE = {
    "WWW-Authenticate": {"description": "The scheme.", "schema": {"type": "string", "const": "Bearer"}}
}
_HEADERS = [
    ("uuid", "The user.", None),
    ("teamid", "The team of the user on the platform; any is accepted.", None),
    ("X-Interactly-API-Version", "The API version of the client; any is accepted.", "2026-04-01"),
]

_ERRORS: dict[int, tuple[str, Any]] = {
    400: ("A rule is broken.", BrokenRule),
    401: ("The key is missing, or is not this server's.", Detail),
    403: ("The key or the host name does not allow it.", Detail),
    404: ("It does not exist, or the run has ended.", Detail),
    409: ("It conflicts with another turn or with the state.", Conflict),
    413: ("The body is too large.", Detail),
    415: ("The content type of the body is not JSON.", Detail),
    422: ("A parameter or a part of the body is not valid.", Problems),
    429: ("A limit is reached.", Detail),
    500: ("It cannot be started.", Detail),
    501: ("This server does not do it.", Detail),
    502: ("The API behind this server failed.", Detail),
    503: ("The store does not answer.", Detail),
    504: ("The API behind this server did not answer in time.", Detail),
}
"""Description and shape of each error status (``platform.md#errors``)."""
AUTH_STATUSES = (401, 403, 429, 503)
"""Errors of the authentication, which all but the open paths can give."""

_FOR_CODE_READERS = re.compile(
    r"\n\n(?:Args|Raises|Returns|Source):.*"
    r"|\s*\((?:[^()]*(?:``platform[/.]|\b\d+\.\d+\b)[^()]*|(?:section )?\d+, \d+)\)",
    re.DOTALL,
)
"""Sections of docstrings, and references to the rules of the platform."""
_LINE_END = re.compile(r"(?<!\n)\n(?!\n)")


def build_document(app: FastAPI) -> JsonObject:
    """Return the document of an app with all its routes.

    FastAPI's document gets the bodies, the errors, the headers and the key; sections and references for
    readers of the code are removed. It depends on whether the app's backend is embedded. The app stays as it
    is.
    """
    routes = [
        route
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute) and route.include_in_schema
    ]
    document = get_openapi(
        title="Workflow Debugger",
        version=version(PACKAGE),
        description=_DESCRIPTION,
        routes=app.routes,
        webhooks=list(_documented_models(routes)),
        tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
    )
    models = {name.strip("/"): item["post"] for name, item in document.pop("webhooks").items()}
    schemas = document["components"]["schemas"]
    is_remote = not isinstance(app.state.services.backend, EmbeddedBackend)
    for route in routes:
        for method in route.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            _complete(operation, route, is_remote=is_remote)
            if route.name in models:
                operation["requestBody"] = body = models[route.name]["requestBody"]
                schema = schemas.get(body["content"][JSON]["schema"].get("$ref", "").rpartition("/")[2], {})
                body["required"] = bool(schema.get("required"))
                if method == "PATCH":  # a field that is left out keeps its value
                    for field in schema["properties"].values():
                        field.pop("default", None)
    errors = models["errors"]["responses"]
    document["components"] |= {
        "responses": {status: answer for status, answer in errors.items() if int(status) >= 400},
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
    }
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    document["security"] = [{"key": []}]
    cleaned: JsonObject = _map_descriptions(document, strip_code_notes)
    return cleaned


def _documented_models(routes: list[Any]) -> Iterator[APIRoute]:
    """Yield unserved routes that document the models of bodies and errors.

    The first, ``/errors``, has all error statuses as responses. One for each route that reads a body follows,
    under that route's name.
    """
    responses: dict[int | str, JsonObject] = {
        status: {
            "description": description,
            "model": model,
            "headers": _REQUEST_ID | {401: _CHALLENGE, 429: _RETRY_AFTER}.get(status, {}),
        }
        for status, (description, model) in _ERRORS.items()
    }
    yield APIRoute("/errors", lambda: None, methods=["POST"], responses=responses)
    for route in routes:
        reader = _body_reader(route)
        if reader is not None:
            yield APIRoute(f"/{route.name}", _endpoint_with(reader), methods=["POST"])


def _endpoint_with(reader: BodyReader) -> Callable[..., None]:
    """Return a function whose ``body`` has a reader's model, and its example if it has one."""

    def endpoint(body: Any) -> None: ...

    examples: Any = {"example": {"value": reader.example}} if reader.example else None
    endpoint.__annotations__["body"] = Annotated[reader.model, Body(openapi_examples=examples)]
    return endpoint


def _complete(operation: JsonObject, route: Any, *, is_remote: bool) -> None:
    """Complete an operation in place: headers of the response, errors, and headers of the request.

    An operation of an open path needs no key and gets no headers of the request.
    """
    statuses = _error_statuses(route, is_remote=is_remote)
    success = {status: answer for status, answer in operation["responses"].items() if int(status) < 400}
    for answer in success.values():
        answer["headers"] = _REQUEST_ID
    references = {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)}
    operation["responses"] = success | references
    if route.path_format in OPEN_PATHS:
        operation["security"] = []
        return
    parameters = operation.setdefault("parameters", [])
    for name, description, example in _HEADERS:
        header = {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}
        parameters.append(header | ({"example": example} if example else {}))


def _error_statuses(route: Any, *, is_remote: bool) -> set[int]:
    """Return the error statuses of a route.

    Args:
        route: A route of the app.
        is_remote: The backend stores its runs on another server.
    """
    statuses = {int(status) for status in route.responses if int(status) >= 400}
    calls = set(_dependencies(route.dependant))
    takes_body = _body_reader(route) is not None
    if route.path_format not in OPEN_PATHS:
        statuses.update(AUTH_STATUSES)
    if route.dependant.path_params:
        statuses.update((404, 422))
    if route.dependant.query_params:
        statuses.add(422)
    if takes_body:
        statuses.update((413, 415, 422))
    if embedded_engine in calls:
        statuses.update((501, 503) if is_remote else (503,))
    elif served_backend in calls or takes_body:
        statuses.update((501, 502, 503, 504) if is_remote else (503,))
    return statuses


def _body_reader(route: Any) -> BodyReader | None:
    return next((call for call in _dependencies(route.dependant) if isinstance(call, BodyReader)), None)


def _dependencies(dependant: Any) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _dependencies(inner)


def _map_descriptions(value: Any, change: Callable[[str], str]) -> Any:
    """Return a copy of a JSON value whose descriptions are changed, at any depth.

    A ``description`` that is no text is searched like any other value. Values that are neither objects nor
    lists are returned as they are.
    """
    if isinstance(value, list):
        return [_map_descriptions(part, change) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        key: change(part)
        if key == "description" and isinstance(part, str)
        else _map_descriptions(part, change)
        for key, part in value.items()
    }


def strip_code_notes(text: str) -> str:
    """Return a docstring without what is for readers of the code."""
    return _LINE_END.sub(" ", _FOR_CODE_READERS.sub("", text)).replace("``", "`")

"""The answers that tell of an error: which ones an operation can give, and what is in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi.dependencies.models import Dependant

from debugger.protocol.base import JsonObject
from debugger.server.access.roles import OPEN_PATHS
from debugger.server.answers.errors import BrokenRule, Conflict, Detail, Problems
from debugger.server.body import read_object
from debugger.server.openapi.schemas import TypeSchemas
from debugger.server.operations import JSON, operation_of
from debugger.server.parameters import embedded_engine, served_backend

SHAPES: dict[int, tuple[str, Any]] = {
    400: ("A rule is broken.", BrokenRule),
    401: ("The key is missing, or is not this server's.", Detail),
    403: ("Not for this caller.", Detail),
    404: ("There is no such thing, or the run is over.", Detail),
    409: ("Something else is under way, came first, or must come first.", Conflict),
    413: ("The body is too large.", Detail),
    415: ("The body is not said to be JSON.", Detail),
    422: ("A parameter, or something in the body, cannot be used.", Problems),
    429: ("Too much at once, or too often.", Detail),
    500: ("What is asked for cannot begin; the sentence says why.", Detail),
    501: ("Not done by this server.", Detail),
    502: ("The API behind this server did not do as asked.", Detail),
    503: ("The store does not answer.", Detail),
    504: ("The API behind this server did not answer in time.", Detail),
}
"""What each status tells, and in which shape (``platform/wire.md`` 1.8)."""

GUARDED = (401, 403, 429, 503)
"""What everything answers that is not open to all: for want of a key or a role, or to one who comes too
often, and while the store does not tell whose a key is."""
TAKING_A_BODY = (413, 415, 422)

_OF_THE_STORE = (503,)
_OF_ANOTHER_BACKEND = (501, 502, 504)
"""What can be answered where the backend is none that keeps its runs here."""

_OWN_HEADERS: dict[int, JsonObject] = {
    401: {"WWW-Authenticate": {"$ref": "#/components/headers/Challenge"}},
    429: {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}},
}


def statuses_of(route: Any, *, is_afar: bool) -> list[int]:
    """Which statuses of errors a route can give.

    Args:
        route: A route of the app, in FastAPI's words.
        is_afar: Whether the backend is none that keeps its runs here.
    """
    found = set(operation_of(route.endpoint).refuses)
    depends_on = set(_dependencies(route.dependant))
    if route.path_format not in OPEN_PATHS:
        found.update(GUARDED)
    if route.dependant.path_params:
        found.update((404, 422))
    if route.dependant.query_params:
        found.add(422)
    if takes_body(route):
        found.update(TAKING_A_BODY)
    if embedded_engine in depends_on:
        found.update((*_OF_THE_STORE, 501) if is_afar else _OF_THE_STORE)
    elif served_backend in depends_on or takes_body(route):
        found.update(_OF_ANOTHER_BACKEND if is_afar else (), _OF_THE_STORE)
    return sorted(found)


def takes_body(route: Any) -> bool:
    """Whether a route reads the body, by itself or by what it depends on.

    Args:
        route: A route of the app, in FastAPI's words.
    """
    return operation_of(route.endpoint).takes is not None or read_object in _dependencies(route.dependant)


def _dependencies(dependant: Dependant) -> Iterator[Any]:
    """Everything that a route depends on, however far away."""
    for inner in dependant.dependencies:
        yield inner.call
        yield from _dependencies(inner)


def references(statuses: Iterable[int]) -> JsonObject:
    """The answers of some statuses, as an operation refers to them."""
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def components(schemas: TypeSchemas, headers: JsonObject) -> JsonObject:
    """All answers that can be referred to.

    Args:
        schemas: Has those of all shapes.
        headers: What every answer has.
    """
    return {
        str(status): {
            "description": description,
            "headers": headers | _OWN_HEADERS.get(status, {}),
            "content": {JSON: {"schema": schemas.of_answer(shape)}},
        }
        for status, (description, shape) in SHAPES.items()
    }

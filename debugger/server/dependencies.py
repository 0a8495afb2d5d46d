"""Parameters and dependencies that routes share."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field

from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import UnsupportedError
from debugger.protocol.runs import EXPECTED_TURN_HEADER
from debugger.server.auth import principal_of
from debugger.server.services import services_of
from debugger.store import Store

ID_PATTERN = "^[0-9a-f]{24}$"
MAX_NUMBER = 2**31 - 1
"""The largest number of a version or of a turn."""
MAX_EVENT_ID = 128
"""Characters of an event's id; no database column of ours takes more."""
MAX_PERSON = 200
"""Characters of a user's name that a client sends."""
DEFAULT_SIZE = 100
"""Rows of a page when a request names no size (``platform.md#paging``)."""
ANONYMOUS = "me"
"""The user when a request does not name one."""

WorkflowId = Annotated[str, Path(pattern=ID_PATTERN)]
RunId = Annotated[str, Path(pattern=ID_PATTERN)]
RunIdQuery = Annotated[str | None, Query(pattern=ID_PATTERN)]
VersionNumber = Annotated[int, Path(ge=0, le=MAX_NUMBER)]
VersionField = Annotated[int, Field(ge=0, le=MAX_NUMBER)]
VersionQuery = Annotated[int | None, Query(ge=0, le=MAX_NUMBER)]
ExpectedTurn = Annotated[
    int | None,
    Header(
        alias=EXPECTED_TURN_HEADER,
        ge=1,
        le=MAX_NUMBER,
        description="The number that the caller expects the turn to get, from 1; any where it is left out.",
    ),
]
EventId = Annotated[str, Path(max_length=MAX_EVENT_ID)]
CommentId = Annotated[str, Path(max_length=MAX_EVENT_ID)]
TurnIndex = Annotated[int, Path(ge=0, le=MAX_NUMBER)]
"""A turn of the user, from 0 (``platform.md#feedback``)."""
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
PageSize = Annotated[int, Query(ge=1, le=1_000)]
QueryDate = Annotated[datetime | None, Query()]
"""A date in ISO 8601, in UTC where it names no zone."""


def in_utc(date: datetime) -> datetime:
    """Return a date with a zone, UTC where it has none."""
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


async def served_backend(request: Request) -> Backend:
    """Return the backend of the app."""
    return services_of(request.scope).backend


async def embedded_engine(request: Request) -> EmbeddedBackend:
    """Return the backend, if it is one that stores its runs here.

    Raises:
        UnsupportedError: It is another one.
    """
    backend = services_of(request.scope).backend
    if isinstance(backend, EmbeddedBackend):
        return backend
    raise UnsupportedError("Only a server on the embedded engine does this: it keeps the runs itself.")


ServedBackend = Annotated[Backend, Depends(served_backend)]
Engine = Annotated[EmbeddedBackend, Depends(embedded_engine)]


async def served_store(engine: Engine) -> Store:
    """Return the store of the backend."""
    return engine.store


ServedStore = Annotated[Store, Depends(served_store)]


async def current_person(request: Request) -> str:
    """Return the owner of the key, else the header ``uuid``, else `ANONYMOUS`.

    The header counts for a shared key and on a server without keys only, so no user can pass for another one
    who has a key.

    Raises:
        RequestValidationError: The header is too long for an index of PostgreSQL.

    Source: ``platform.md#headers``.
    """
    sent = request.headers.get("uuid", "").strip()
    with suppress(UnicodeDecodeError):  # where it is no UTF-8, it is Latin-1
        sent = sent.encode("latin-1").decode()
    person = principal_of(request.scope).person or sent or ANONYMOUS
    if len(person) > MAX_PERSON:
        message = f"A user's name has {MAX_PERSON} characters at most"
        raise RequestValidationError([{"type": "string_too_long", "loc": ("header", "uuid"), "msg": message}])
    return person


Person = Annotated[str, Depends(current_person)]


async def base_url(request: Request) -> str:
    """Return the URL by which the server was reached."""
    return str(request.base_url)


BaseUrl = Annotated[str, Depends(base_url)]

"""What routes take besides a body: ids in a path, who asks, the backend and what belongs to it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request

from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import UnsupportedError
from debugger.protocol.runs import EXPECTED_TURN_HEADER
from debugger.server.access import caller_of
from debugger.server.admission import Admission
from debugger.server.metrics import Metrics
from debugger.server.services import services_of
from debugger.store import Store

ID_PATTERN = "^[0-9a-f]{24}$"
LARGEST_VERSION = 2**31 - 1
LARGEST_TURN_NUMBER = 2**31 - 1
LONGEST_KEY = 128
"""Characters of an event's id; no database column of ours takes more."""

WorkflowId = Annotated[str, Path(pattern=ID_PATTERN)]
RunId = Annotated[str, Path(pattern=ID_PATTERN)]
VersionNumber = Annotated[int, Path(ge=0, le=LARGEST_VERSION)]
AskedVersion = Annotated[int | None, Query(ge=0, le=LARGEST_VERSION)]
ExpectedTurn = Annotated[
    int | None,
    Header(
        alias=EXPECTED_TURN_HEADER,
        ge=1,
        le=LARGEST_TURN_NUMBER,
        description="The number that the caller expects the turn to get, from 1; any where it is left out.",
    ),
]
EventId = Annotated[str, Path(max_length=LONGEST_KEY)]
CommentId = Annotated[str, Path(max_length=LONGEST_KEY)]
TurnIndex = Annotated[int, Path(ge=0, le=LARGEST_VERSION)]
"""A turn of the user, from 0 (``platform/wire.md`` 5.5)."""

NOBODY = "me"
"""Who asks when no request says who."""


async def served_backend(request: Request) -> Backend:
    """Return the backend of the app."""
    return services_of(request.scope).backend


ServedBackend = Annotated[Backend, Depends(served_backend)]


async def embedded_engine(request: Request) -> EmbeddedBackend:
    """The backend, where it is one that keeps its runs here.

    Raises:
        UnsupportedError: It is another one.
    """
    backend = services_of(request.scope).backend
    if isinstance(backend, EmbeddedBackend):
        return backend
    raise UnsupportedError("Only a server on the embedded engine does this: it keeps the runs itself.")


Engine = Annotated[EmbeddedBackend, Depends(embedded_engine)]


async def served_store(engine: Engine) -> Store:
    """The store of the backend."""
    return engine.store


ServedStore = Annotated[Store, Depends(served_store)]


async def person_asking(request: Request) -> str:
    """Who asks: whose key was shown and, where that is not known, who the header ``uuid`` says.

    Nobody can so pass for another who has a key of their own. A stand-in where the header says nothing.

    Source: ``platform/wire.md`` 1.2.
    """
    return caller_of(request.scope).person or request.headers.get("uuid", "").strip() or NOBODY


Person = Annotated[str, Depends(person_asking)]


async def admission_of(request: Request) -> Admission:
    """Return the limiter of runs."""
    return services_of(request.scope).admission


Admitting = Annotated[Admission, Depends(admission_of)]


async def metrics_of(request: Request) -> Metrics:
    """Return the counters of the server."""
    return services_of(request.scope).metrics


Counting = Annotated[Metrics, Depends(metrics_of)]


async def base_url(request: Request) -> str:
    """Where the server was reached."""
    return str(request.base_url)


BaseUrl = Annotated[str, Depends(base_url)]

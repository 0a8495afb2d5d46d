"""What routes take besides a body: the ids in a path, the backend that is served, its turns under way."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from debugger.backends.base import Backend
from debugger.server.running import RunningTurns

ID_PATTERN = "^[0-9a-f]{24}$"
LARGEST_VERSION = 2**31 - 1

WorkflowId = Annotated[str, Path(pattern=ID_PATTERN)]
RunId = Annotated[str, Path(pattern=ID_PATTERN)]
VersionNumber = Annotated[int, Path(ge=0, le=LARGEST_VERSION)]
AskedVersion = Annotated[int | None, Query(ge=0, le=LARGEST_VERSION)]


async def served_backend(request: Request) -> Backend:
    """The backend that the app was created for."""
    backend: Backend = request.app.state.backend
    return backend


ServedBackend = Annotated[Backend, Depends(served_backend)]


async def turns_under_way(request: Request) -> RunningTurns:
    """The turns that the app is running."""
    running: RunningTurns = request.app.state.running
    return running


TurnsUnderWay = Annotated[RunningTurns, Depends(turns_under_way)]

"""What the server tells of itself."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from debugger.engine.options import PythonMode


class Standing(TypedDict):
    """Whether the server does what it should."""

    status: str


class Readiness(Standing):
    """A server that is ready, and the mode in which Python code of workflows runs on it."""

    python: NotRequired[PythonMode]
    """Absent where the server does not run workflows itself."""
    python_reason: NotRequired[str]
    """Why the mode is not ``sandboxed``."""


class SessionToken(TypedDict):
    """A token that opens one socket."""

    id: str


class SessionTokenAnswer(TypedDict):
    """A token for a socket."""

    data: SessionToken

"""What the server tells of itself."""

from __future__ import annotations

from typing_extensions import TypedDict


class Standing(TypedDict):
    """Whether the server does what it should."""

    status: str


class SessionToken(TypedDict):
    """A token that opens one socket."""

    id: str


class SessionTokenAnswer(TypedDict):
    """A token for a socket."""

    data: SessionToken

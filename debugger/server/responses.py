"""JSON responses, the envelope of lists, and the bodies of errors."""

from __future__ import annotations

from math import ceil
from typing import Any, Literal, NotRequired

from fastapi.responses import JSONResponse
from typing_extensions import TypedDict

from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode


class RawJsonResponse(JSONResponse):
    """Response whose JSON is sent unchanged.

    FastAPI would drop, rename or convert fields.
    """

    run_id = ""
    """The run of the response, where the path of the request may not name it."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return encode(content)


class Page(TypedDict):
    """Envelope of a list, whose rows have a key of their own."""

    total: int
    page: int
    size: int
    pages: int
    has_next: bool


def page_envelope(name: str, rows: list[Any], *, page: int, size: int, total: int) -> JsonObject:
    """Return a page of rows in the envelope of a list; without rows it has 0 pages.

    Args:
        name: The key of the rows.
        rows: The rows of this page.
        page: Its number, from 1.
        size: The rows of a full page, at least 1.
        total: The rows of all pages.

    Source: ``platform.md#paging``.
    """
    return {
        name: rows,
        "total": total,
        "page": page,
        "size": size,
        "pages": ceil(total / size),
        "has_next": page * size < total,
    }


class Message(TypedDict):
    """A message about what was done."""

    message: str


class Detail(TypedDict):
    """An error, in a sentence."""

    detail: str


class Conflict(Detail):
    """A conflict; one about a turn has a reason."""

    reason: NotRequired[Literal["stale_turn", "turn_in_progress", "turn_not_stored"]]
    turn_number: NotRequired[int | None]
    """The number of the run's last finished turn, where the caller has not seen the newest."""
    calls: NotRequired[list[JsonObject]]
    """The calls to the outside of a turn that ran and is not on record."""


class BrokenRule(TypedDict):
    """A rule that a workflow, a condition or a bundle breaks."""

    message: str
    """The kind of rule."""
    error: str


class Problem(TypedDict):
    """A part of a request that is not valid."""

    type: str
    loc: list[str | int]
    """The path to it, from ``path``, ``query`` or ``body`` on."""
    msg: str


class Problems(TypedDict):
    """The parts of a request that are not valid."""

    detail: list[Problem]

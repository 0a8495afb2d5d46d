"""Errors as answers tell them (``platform/wire.md`` 1.8); `debugger.server.errors` writes them."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict


class Detail(TypedDict):
    """What went wrong, in a sentence."""

    detail: str


class Conflict(Detail):
    """A conflict, in a sentence; over a turn with its reason."""

    reason: NotRequired[Literal["stale_turn", "turn_in_progress"]]
    turn_number: NotRequired[int | None]
    """The number of the run's last finished turn, where the caller has not seen the newest."""


class BrokenRule(TypedDict):
    """A rule that a workflow, a condition or a bundle breaks."""

    message: str
    """Of which kind it is."""
    error: str


class Problem(TypedDict):
    """One thing that cannot be used."""

    type: str
    loc: list[str | int]
    """The way to it, from ``path``, ``query`` or ``body`` on."""
    msg: str


class Problems(TypedDict):
    """What of a request cannot be used."""

    detail: list[Problem]

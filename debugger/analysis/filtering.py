"""Which events of a run are shown, and in which density: by turn, by step, or each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from debugger.analysis.timeline import TimelineRow

Density = Literal["Turns", "Steps", "Events", "Raw"]
DENSITIES: tuple[Density, ...] = ("Turns", "Steps", "Events", "Raw")
"""A row a turn; a row a step; the events without the bookkeeping; every event as it was recorded."""


@dataclass(frozen=True)
class Filter:
    """What a person wants to see. Failures are shown whatever else is asked for, but for turn and thread."""

    text: str = ""
    """Words that summary, type or node must contain, in any case."""
    types: frozenset[str] = frozenset()
    """Event types; none means all."""
    node: str | None = None
    """A node's id; only its events."""
    thread: str | None = None
    """A thread as people know it; only its events, failures among them."""
    turn: int | None = None
    """A turn's number; only its events, failures among them."""
    failures_only: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it lets everything through."""
        return self == Filter()


class SearchTexts:
    """What each row is searched by, made when a search first asks for it and kept.

    Rows of turns that are over stay; those of the last turns may be other ones at the next search.
    """

    def __init__(self) -> None:
        self._rows: Sequence[TimelineRow] = []
        self._texts: list[str] = []

    def of(self, rows: Sequence[TimelineRow]) -> list[str]:
        """The texts of rows, in any case."""
        same = min(len(self._rows), len(rows))
        while same and self._rows[same - 1] is not rows[same - 1]:
            same -= 1
        self._texts = self._texts[:same] + [_search_text(row) for row in rows[same:]]
        self._rows = rows
        return self._texts


def matching(rows: Sequence[TimelineRow], wanted: Filter, texts: SearchTexts | None = None) -> list[int]:
    """The places of the rows that are let through, whatever the density.

    Args:
        rows: All events of a run.
        wanted: The filter.
        texts: Keeps what was worked out for an earlier search of the same run.
    """
    if wanted.is_empty:
        return list(range(len(rows)))
    places = _within(rows, wanted)
    failures = [at for at in places if rows[at].is_failure]
    if wanted.failures_only:
        return failures
    asked = _asked_for(rows, places, wanted, texts or SearchTexts())
    return asked if not failures else sorted({*asked, *failures})


def important(rows: Sequence[TimelineRow], places: Sequence[int], wanted: Filter) -> list[int]:
    """Those of the places that density ``Events`` shows: no bookkeeping, unless its type was asked for."""
    types = wanted.types
    return [at for at in places if rows[at].importance == "high" or rows[at].type in types]


def _within(rows: Sequence[TimelineRow], wanted: Filter) -> list[int]:
    """The places that turn and thread leave."""
    turn, thread = wanted.turn, wanted.thread
    places = list(range(len(rows)))
    if turn is not None:
        places = [at for at in places if rows[at].turn_number == turn]
    if thread is not None:
        places = [at for at in places if rows[at].thread == thread]
    return places


def _asked_for(
    rows: Sequence[TimelineRow], places: list[int], wanted: Filter, texts: SearchTexts
) -> list[int]:
    types, node = wanted.types, wanted.node
    if types:
        places = [at for at in places if rows[at].type in types]
    if node is not None:
        places = [at for at in places if node in (rows[at].drawn_node, rows[at].node_logical_id)]
    words = wanted.text.casefold().split()
    if words:
        known = texts.of(rows)
        for word in words:
            places = [at for at in places if word in known[at]]
    return places


def _search_text(row: TimelineRow) -> str:
    return f"{row.summary} {row.type} {row.node_name or ''} {row.node_logical_id or ''}".casefold()

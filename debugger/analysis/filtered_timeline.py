"""The filtered timeline: rows per turn, step or event, and steps along them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from debugger.analysis.run_projection import Projections
from debugger.analysis.timeline import SearchTexts, TimelineRow
from debugger.analysis.trouble import Severity

Density = Literal["Turns", "Steps", "Key events", "All events"]
DENSITIES: tuple[Density, ...] = ("Turns", "Steps", "Key events", "All events")
"""A row per turn; a row per step; the events without bookkeeping; every event as it was recorded."""

_NOUNS: dict[Density, str] = {"Turns": "turn", "Steps": "step", "Key events": "event", "All events": "event"}


@dataclass(frozen=True)
class Filter:
    """A filter of events. Only turn and thread hide failures and warnings."""

    text: str = ""
    """Words that summary, type or node must contain, in any case."""
    types: frozenset[str] = frozenset()
    """Event types; none means all."""
    node: str | None = None
    """A node's id; only its events."""
    thread: str | None = None
    """``"0"``, or the configured id of a companion; only its events, failures among them."""
    turn: int | None = None
    """A turn's number; only its events, failures among them."""
    failures_only: bool = False

    @property
    def is_empty(self) -> bool:
        """True if it hides nothing."""
        return self == Filter()


def matching_rows(rows: Sequence[TimelineRow], wanted: Filter, texts: SearchTexts | None = None) -> list[int]:
    """Return the indexes of the rows that match, in ascending order, whatever the density.

    A row with trouble matches any text, node and type; every word of a text must be found in the others.
    """
    matches: Sequence[int] = range(len(rows))
    if not replace(wanted, text="").is_empty:
        matches = [index for index in matches if _matches(rows[index], wanted)]
    words = wanted.text.casefold().split()
    row_texts = (texts or SearchTexts()).of(rows) if words else []
    for word in words:
        matches = [index for index in matches if word in row_texts[index] or rows[index].trouble]
    return list(matches)


def _matches(row: TimelineRow, wanted: Filter) -> bool:
    """Return whether a row matches a filter apart from its text.

    One with trouble only needs turn and thread.
    """
    if wanted.turn not in (None, row.turn_number) or wanted.thread not in (None, row.thread):
        return False
    if row.trouble is not None or wanted.failures_only:
        return row.trouble is not None
    if wanted.types and row.type not in wanted.types:
        return False
    return wanted.node in (None, row.drawn_node, row.node_logical_id)


def important_rows(rows: Sequence[TimelineRow], indexes: Sequence[int], wanted: Filter) -> list[int]:
    """Return the indexes that density ``Key events`` shows.

    No bookkeeping, unless its type is in the filter.
    """
    types = wanted.types
    return [index for index in indexes if rows[index].importance == "high" or rows[index].type in types]


@dataclass(frozen=True)
class FilteredTimeline:
    """Rows by index.

    Among the turns, the steps or the events, depending on the density.
    """

    density: Density
    places: Sequence[int]
    total: int
    """Number of rows without any filter; each piece of background work counts as a turn."""
    trouble: Counter[Severity]
    """How many of the matching events are failures, and how many are warnings."""

    @property
    def noun(self) -> str:
        """The name of one row, in the singular."""
        return _NOUNS[self.density]

    @property
    def hidden(self) -> int:
        """Number of rows that do not match."""
        return self.total - len(self.places)

    def row_of(self, event: int, run: Projections) -> tuple[int | None, bool]:
        """Return the row of an event, or the last one before it.

        Args:
            event: The index of the event in the run.
            run: The run that was filtered.

        Returns:
            The row's number from 0, ``None`` before the first, and whether it holds the event.
        """
        place = _owner(event, self.density, run)
        number = bisect_right(self.places, place) - 1
        return (number, self.places[number] == place) if number >= 0 else (None, False)

    def including(self, event: int, run: Projections) -> FilteredTimeline:
        """Return the same rows with the row of an event that does not match.

        Nothing is added where no row holds the event in this density.
        """
        place = _owner(event, self.density, run)
        if place < 0 or self.row_of(event, run)[1]:
            return self
        number = bisect_right(self.places, place)
        return replace(self, places=[*self.places[:number], place, *self.places[number:]])


def filter_timeline(
    run: Projections, wanted: Filter, density: Density, texts: SearchTexts | None = None
) -> FilteredTimeline:
    """Return the rows of a run that match a filter; turns and steps need one matching event.

    Args:
        run: The run.
        wanted: The filter.
        density: What a row is.
        texts: Texts of earlier searches, to be used again.
    """
    rows = run.timeline.rows
    total = {"Turns": len(run.turn_rows), "Steps": len(run.steps)}.get(density, len(rows))
    if wanted.is_empty:  # without reading a long run
        places = run.timeline.important if density == "Key events" else range(total)
        return FilteredTimeline(density, places, total, run.timeline.trouble)
    events = matching_rows(rows, wanted, texts)
    trouble = Counter(found.severity for event in events if (found := rows[event].trouble) is not None)
    if density == "Key events":
        return FilteredTimeline(density, important_rows(rows, events, wanted), total, trouble)
    if density == "All events":
        return FilteredTimeline(density, events, total, trouble)
    owners = {_owner(event, density, run) for event in events} - {-1}
    return FilteredTimeline(density, sorted(owners), total, trouble)


def _owner(event: int, density: Density, run: Projections) -> int:
    """Return the index of an event's turn or step, or its own."""
    if density == "Turns":
        return run.timeline.rows[event].place
    return run.step_of_event[event] if density == "Steps" else event


def next_event(
    rows: Sequence[TimelineRow],
    shown: Sequence[int],
    current: int | None,
    kind: Literal["event", "node", "turn"],
) -> int | None:
    """Return the event after a step; ``None`` where no further one is.

    Without a current event the step is the first in the last turn.

    Args:
        rows: All events of the run.
        shown: The events that the timeline shows, by their indexes in ascending order.
        current: The index of the event to step from.
        kind: To the next event shown, the next node run or the end of the turn.
    """
    if not rows:
        return None
    if current is None:
        current = bisect_left(rows, rows[-1].turn_number, key=lambda row: row.turn_number) - 1
    if kind == "event":
        place = bisect_right(shown, current)
        return shown[place] if place < len(shown) else None
    if kind == "node":
        return next((row.index for row in rows[current + 1 :] if row.type == "start_node_run"), None)
    if current + 1 == len(rows):
        return None
    # The turn's background work has its number, too.
    return bisect_right(rows, rows[current + 1].turn_number, key=lambda row: row.turn_number) - 1

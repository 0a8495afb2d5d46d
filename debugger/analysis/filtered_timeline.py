"""What the timeline shows: the rows of one density that a filter lets through, and how many it keeps back."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from debugger.analysis.run_projection import Projections
from debugger.analysis.timeline import SearchTexts, TimelineRow, Trouble, trouble_of

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


def matching_rows(rows: Sequence[TimelineRow], wanted: Filter, texts: SearchTexts | None = None) -> list[int]:
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


def important_rows(rows: Sequence[TimelineRow], places: Sequence[int], wanted: Filter) -> list[int]:
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


_NOUNS: dict[Density, str] = {"Turns": "turn", "Steps": "step", "Events": "event", "Raw": "event"}


@dataclass(frozen=True)
class FilteredTimeline:
    """Rows by their places: among the turns, the steps or the events, as the density says."""

    density: Density
    places: Sequence[int]
    total: int
    """How many there are without any filter; of background work each piece counts as a turn."""
    trouble: Counter[Trouble]
    """How many events let through tell of a failure, and how many warn."""

    @property
    def noun(self) -> str:
        """What is counted, in the singular."""
        return _NOUNS[self.density]

    @property
    def hidden(self) -> int:
        """How many are kept back."""
        return self.total - len(self.places)

    def row_of(self, event: int, run: Projections) -> tuple[int | None, bool]:
        """The row that holds an event, or the last one before it.

        Args:
            event: The event, counted over the run from 0.
            run: The run that was filtered.

        Returns:
            The row's number from 0, ``None`` before the first, and whether it holds the event.
        """
        place = _owner(event, self.density, run)
        number = bisect_right(self.places, place) - 1
        return (number, self.places[number] == place) if number >= 0 else (None, False)


def filter_timeline(
    run: Projections, wanted: Filter, density: Density, texts: SearchTexts | None = None
) -> FilteredTimeline:
    """Filter a run. A turn, or a step, is shown when one of its events is let through.

    Args:
        run: The run as it was read.
        wanted: What a person wants to see.
        density: In which density.
        texts: See `matching`.
    """
    rows = run.timeline.rows
    total = {"Turns": len(run.turn_rows), "Steps": len(run.steps.steps)}.get(density, len(rows))
    if wanted.is_empty:  # nothing of a long run is gone through
        places = run.timeline.important if density == "Events" else range(total)
        return FilteredTimeline(density, places, total, run.timeline.trouble)
    events = matching_rows(rows, wanted, texts)
    wrong = Counter(told for at in events if (told := trouble_of(rows[at])) is not None)
    if density == "Events":
        return FilteredTimeline(density, important_rows(rows, events, wanted), total, wrong)
    if density == "Raw":
        return FilteredTimeline(density, events, total, wrong)
    owners = {_owner(at, density, run) for at in events} - {-1}
    return FilteredTimeline(density, sorted(owners), total, wrong)


def _owner(event: int, density: Density, run: Projections) -> int:
    """The place of what an event belongs to, among the rows of a density."""
    if density == "Turns":
        return run.timeline.rows[event].place
    return run.steps.of_event[event] if density == "Steps" else event

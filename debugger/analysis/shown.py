"""What the timeline shows: the rows of one density that a filter lets through, and how many it keeps back."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from debugger.analysis.filtering import Density, Filter, SearchTexts, important, matching
from debugger.analysis.run_index import RunReaders
from debugger.analysis.timeline import Trouble, trouble_of

_NOUNS: dict[Density, str] = {"Turns": "turn", "Steps": "step", "Events": "event", "Raw": "event"}


@dataclass(frozen=True)
class Shown:
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

    def row_of(self, event: int, run: RunReaders) -> tuple[int | None, bool]:
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


def shown(run: RunReaders, wanted: Filter, density: Density, texts: SearchTexts | None = None) -> Shown:
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
        return Shown(density, places, total, run.timeline.trouble)
    events = matching(rows, wanted, texts)
    wrong = Counter(told for at in events if (told := trouble_of(rows[at])) is not None)
    if density == "Events":
        return Shown(density, important(rows, events, wanted), total, wrong)
    if density == "Raw":
        return Shown(density, events, total, wrong)
    owners = {_owner(at, density, run) for at in events} - {-1}
    return Shown(density, sorted(owners), total, wrong)


def _owner(event: int, density: Density, run: RunReaders) -> int:
    """The place of what an event belongs to, among the rows of a density."""
    if density == "Turns":
        return run.timeline.rows[event].place
    return run.steps.of_event[event] if density == "Steps" else event

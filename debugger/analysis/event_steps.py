"""Steps over events that a run has already produced."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Literal

from debugger.analysis.timeline import TimelineRow


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
    before = _first_of_last_turn(rows) - 1 if current is None else current
    if kind == "event":
        place = bisect_right(shown, before)
        return shown[place] if place < len(shown) else None
    if kind == "node":
        return next((row.index for row in rows[before + 1 :] if row.type == "start_node_run"), None)
    return next(_ends(rows, before + 1), None)


def _first_of_last_turn(rows: Sequence[TimelineRow]) -> int:
    number = rows[-1].turn_number
    first = len(rows)
    while first and rows[first - 1].turn_number == number:
        first -= 1
    return first


def _ends(rows: Sequence[TimelineRow], start: int) -> Iterator[int]:
    """Return the last event of each turn, with its background work, from an event on."""
    last = len(rows) - 1
    for index in range(start, len(rows)):
        if index == last or rows[index].turn_number != rows[index + 1].turn_number:
            yield index

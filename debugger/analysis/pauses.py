"""The pauses of a turn, as its events record them: times that belong to no node, model or turn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from debugger.analysis.facts import field
from debugger.protocol.events import Event

LABELS = {"paused": "Paused", "manual_answer": "Waited for manual answer"}
"""Labels by kind; an unknown kind counts as ``paused``."""

_KEY = "paused_intervals"


@dataclass(frozen=True, slots=True)
class Pause:
    """Time in which a turn waited for the user of the debugger."""

    kind: str
    began_at: float
    """Seconds since the epoch."""
    ended_at: float

    @property
    def label(self) -> str:
        """Return the kind in words."""
        return LABELS.get(self.kind, LABELS["paused"])


def pauses_of(event: Event) -> list[Pause]:
    """Return the pauses that an event records, all before it; what is malformed is left out."""
    intervals = field(event, _KEY)
    if not isinstance(intervals, list):
        return []
    found = [_pause(interval) for interval in intervals if isinstance(interval, dict)]
    return [pause for pause in found if pause is not None]


def paused_ms(pauses: Iterable[Pause], began: float, ended: float) -> float:
    """Return how many milliseconds of a span, given in seconds since the epoch, were paused."""
    shared = (min(pause.ended_at, ended) - max(pause.began_at, began) for pause in pauses)
    return sum(seconds for seconds in shared if seconds > 0) * 1000


def _pause(interval: dict[str, object]) -> Pause | None:
    began, ended = interval.get("began_at"), interval.get("ended_at")
    if not isinstance(began, int | float) or not isinstance(ended, int | float) or ended < began:
        return None
    return Pause(str(interval.get("kind") or ""), float(began), float(ended))

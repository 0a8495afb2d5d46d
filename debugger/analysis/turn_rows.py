"""The turns of a run, a row each: what was said, the path, the time, the tokens, what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from debugger.analysis.bubbles import Bubble
from debugger.analysis.facts import field
from debugger.analysis.pauses import Pause, paused_ms, pauses_of
from debugger.analysis.steps import Step
from debugger.analysis.timeline import TimelineRow, short
from debugger.protocol.runs import TurnLog

_CLOSING = "end_workflow_iteration"


@dataclass(slots=True)  # not frozen, for the reason that `TimelineRow` has
class TurnRow:
    """One turn, or one piece of background work."""

    place: int
    """Counts both from 0."""
    number: int
    is_background: bool
    first: int
    """Its first event, counted over the run from 0."""
    events: int
    steps: int
    user: str
    """What the user said."""
    agent: str
    """What was answered."""
    path: str
    """The nodes that ran, in order."""
    at_ms: float | None
    """When it began, since the run's first event."""
    time: float | None
    """Seconds since the epoch."""
    duration_ms: float | None
    """Without pauses: as the turn's accounts have it (``engine.md`` 13), else first to last event."""
    pauses: tuple[Pause, ...]
    calls: int
    """Of models."""
    tokens: int
    failures: int
    warnings: int

    @property
    def last(self) -> int:
        """The event that it is looked at by: its last one."""
        return self.first + max(self.events - 1, 0)


def turn_row(
    turn: TurnLog,
    place: int,
    first: int,
    rows: Sequence[TimelineRow],
    steps: Sequence[Step],
    said: list[Bubble],
) -> TurnRow:
    """One turn as a row.

    Args:
        turn: The turn.
        place: Its place among the run's turns, from 0.
        first: How many events the run has before it.
        rows: Its rows of the timeline.
        steps: Its steps.
        said: Its bubbles.
    """
    pauses = tuple(pause for event in turn.events for pause in pauses_of(event))
    warnings = len([row for row in rows if row.type == "workflow_warning"])
    return TurnRow(
        place=place,
        number=turn.number,
        is_background=turn.is_background,
        first=first,
        events=len(rows),
        steps=len(steps),
        user=_words(said, "user"),
        agent=_words(said, "agent"),
        path=short(" → ".join(_path(steps))),
        at_ms=rows[0].at_ms if rows else None,
        time=rows[0].time if rows else None,
        duration_ms=_duration(turn, rows, pauses),
        pauses=pauses,
        calls=sum(len(step.calls) for step in steps),
        tokens=sum(step.tokens for step in steps),
        failures=len([row for row in rows if row.is_failure]) - warnings,
        warnings=warnings,
    )


def _words(said: list[Bubble], role: str) -> str:
    return short(" / ".join(bubble.text for bubble in said if bubble.role == role))


def _path(steps: Sequence[Step]) -> Iterator[str]:
    ran = ((step.node_logical_id, step.node_name) for step in steps if step.kind == "node")
    for (_, name), times in groupby(ran):
        count = len(list(times))
        yield f"{name} ×{count}" if count > 1 else name


def _duration(turn: TurnLog, rows: Sequence[TimelineRow], pauses: Sequence[Pause]) -> float | None:
    closing = next((event for event in reversed(turn.events) if event.type == _CLOSING), None)
    metrics = field(closing, "iteration_metrics") if closing else None
    told = metrics.get("e2e_latency_milliseconds") if isinstance(metrics, dict) else None
    if isinstance(told, int | float):
        return float(told)
    last = next((row for row in reversed(rows) if row.since_turn_ms is not None), None)
    if last is None or last.since_turn_ms is None or last.time is None or not pauses:
        return last.since_turn_ms if last else None
    return round(last.since_turn_ms - paused_ms(pauses, last.time - last.since_turn_ms / 1000, last.time), 3)

"""Bars of a turn's Gantt chart.

They are node runs, model calls, calls outside and pauses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from debugger.analysis.side_effects import SideEffect
from debugger.analysis.steps import Step
from debugger.analysis.timeline import Pause
from debugger.protocol.runs import MAIN_THREAD

BarKind = Literal["node run", "model call", "external call", "pause"]

_SHORTEST = 0.01
"""Milliseconds; a shorter rest of a node run behind a pause is what rounding left."""


@dataclass(frozen=True)
class Bar:
    """One bar. Times are milliseconds since the turn's first event."""

    kind: BarKind
    lane: str
    """The thread and the node, as in ``Ask`` or ``labpoll: Poll``; of a pause its kind in words."""
    name: str
    begin_ms: float
    end_ms: float
    index: int | None
    """The event that it is looked at by; ``None`` for a pause, and for a call that no event reports."""
    is_failure: bool = False

    @property
    def duration_ms(self) -> float:
        """The duration in milliseconds."""
        return self.end_ms - self.begin_ms


def bars(
    steps: Sequence[Step],
    effects: Iterable[SideEffect],
    pauses: Sequence[Pause] = (),
) -> list[Bar]:
    """Return the bars of one turn, ordered by their begin.

    A pause has a bar of its own, and a node that it interrupted one before and one after it. What has no time
    has no bar; where no step has one, pauses and calls outside have none either.

    Args:
        steps: The turn's steps.
        effects: Its calls outside. Those of models are left out: they have events.
        pauses: Its pauses.
    """
    clocks = ((step.time, step.since_turn_ms) for step in steps)
    starts = (time - since / 1000 for time, since in clocks if time is not None and since is not None)
    start = next(starts, None)
    paused = [] if start is None else [_pause_bar(pause, start) for pause in pauses]
    found = [*paused, *_node_runs(steps, paused), *_model_calls(steps)]
    if start is not None:
        found += _outside(effects, steps, start)
    return sorted(found, key=lambda bar: bar.begin_ms)


def _node_runs(steps: Iterable[Step], paused: Sequence[Bar]) -> Iterator[Bar]:
    """Yield the bars of node runs with a time, one for each part that no pause interrupts."""
    for step in steps:
        if step.kind == "node" and step.since_turn_ms is not None:
            took = step.duration_ms or 0.0
            lane = _lane(step.thread, step.node_name)
            failed = step.trouble == "failure"
            name = step.summary
            for begin, end in _parts(step.since_turn_ms, took, paused):
                yield Bar("node run", lane, name, begin, end, step.last, failed)
                name = f"{step.summary} (continued)"


def _parts(begin: float, took: float, paused: Sequence[Bar]) -> Iterator[tuple[float, float]]:
    """Yield begin and end of each unpaused part of a node run, in milliseconds.

    Args:
        begin: When it began.
        took: How long it took without pauses.
        paused: The bars of the pauses.
    """
    rest = took
    for pause in sorted(paused, key=lambda bar: bar.begin_ms):
        if begin <= pause.begin_ms < begin + rest:
            yield begin, pause.begin_ms
            rest -= pause.begin_ms - begin
            begin = pause.end_ms
            if rest < _SHORTEST:
                return
    yield begin, begin + rest


def _pause_bar(pause: Pause, start: float) -> Bar:
    began, ended = ((each - start) * 1000 for each in (pause.began_at, pause.ended_at))
    return Bar("pause", pause.label, pause.label, max(began, 0.0), max(ended, 0.0), None)


def _model_calls(steps: Iterable[Step]) -> Iterator[Bar]:
    """Yield the bars of model calls whose time and latency are known; they end with the answer."""
    for call in (call for step in steps for call in step.calls):
        if call.since_turn_ms is not None and call.latency_ms is not None:
            end = call.since_turn_ms
            lane = _lane(call.thread, call.node_name)
            name = f"{call.model or 'model'}, {call.total_tokens} tokens"
            yield Bar("model call", lane, name, max(end - call.latency_ms, 0.0), end, call.index)


def _outside(effects: Iterable[SideEffect], steps: Sequence[Step], start: float) -> Iterator[Bar]:
    """Yield the bars of calls outside with time and duration, those of models left out.

    Args:
        effects: The calls.
        steps: The turn's steps, for their lanes.
        start: When the turn began, in seconds since the epoch.
    """
    lanes = {step.node_logical_id: _lane(step.thread, step.node_name) for step in steps}
    for effect in effects:
        if effect.kind != "model" and effect.time and effect.duration_milliseconds is not None:
            began = datetime.fromisoformat(effect.time).timestamp()
            begin = max((began - start) * 1000, 0.0)
            lane = lanes.get(effect.node_logical_id, effect.node_name)
            end = begin + effect.duration_milliseconds
            yield Bar("external call", lane, effect.target, begin, end, None, effect.outcome == "failed")


def _lane(thread: str | None, name: str) -> str:
    return name if thread in (None, MAIN_THREAD) else f"{thread}: {name}"

"""The bars of a turn's Gantt chart: node runs, model calls and calls outside, each with begin and end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from debugger.analysis.side_effects import SideEffect
from debugger.analysis.steps import Step

BarKind = Literal["node run", "model call", "call outside"]


@dataclass(frozen=True)
class Bar:
    """One bar. Times are milliseconds since the turn's first event."""

    kind: BarKind
    lane: str
    """The thread and the node, as in ``Ask`` or ``labpoll: Poll``."""
    name: str
    begin_ms: float
    end_ms: float
    index: int | None
    """The event that it is looked at by; ``None`` for a call that no event tells of."""
    is_failure: bool = False

    @property
    def duration_ms(self) -> float:
        """From begin to end."""
        return self.end_ms - self.begin_ms


def bars(steps: Sequence[Step], effects: Iterable[SideEffect], main_thread: str = "0") -> list[Bar]:
    """The bars of one turn, in the order in which they begin.

    Args:
        steps: The turn's steps.
        effects: Its calls outside. Those of models are left out: the events tell them.
        main_thread: The thread that is not named in the lanes.
    """
    found = [*_node_runs(steps, main_thread), *_model_calls(steps, main_thread)]
    start = _start(steps)
    if start is not None:
        found += _outside(effects, steps, start, main_thread)
    return sorted(found, key=lambda bar: bar.begin_ms)


def _node_runs(steps: Iterable[Step], main_thread: str) -> Iterator[Bar]:
    for step in steps:
        if step.kind == "node" and step.since_turn_ms is not None:
            begin, took = step.since_turn_ms, step.duration_ms or 0.0
            lane = _lane(step.thread, step.node_name, main_thread)
            failed = step.trouble == "failure"
            yield Bar("node run", lane, step.summary, begin, begin + max(took, 0.0), step.last, failed)


def _model_calls(steps: Iterable[Step], main_thread: str) -> Iterator[Bar]:
    for call in (call for step in steps for call in step.calls):
        if call.since_turn_ms is not None and call.latency_ms is not None:
            end = call.since_turn_ms
            lane = _lane(call.thread, call.node_name, main_thread)
            name = f"{call.model or 'model'}, {call.total_tokens} tokens"
            yield Bar("model call", lane, name, max(end - call.latency_ms, 0.0), end, call.index)


def _outside(
    effects: Iterable[SideEffect], steps: Sequence[Step], start: float, main_thread: str
) -> Iterator[Bar]:
    lanes = {step.node_logical_id: _lane(step.thread, step.node_name, main_thread) for step in steps}
    for effect in effects:
        if effect.kind != "model" and effect.time and effect.duration_milliseconds is not None:
            began = datetime.fromisoformat(effect.time).timestamp()
            begin = max((began - start) * 1000, 0.0)
            lane = lanes.get(effect.node_logical_id, effect.node_name)
            end = begin + effect.duration_milliseconds
            yield Bar("call outside", lane, effect.target, begin, end, None, effect.outcome == "failed")


def _start(steps: Iterable[Step]) -> float | None:
    """When the turn began, in seconds since the epoch."""
    known = (step for step in steps if step.time is not None and step.since_turn_ms is not None)
    return next((step.time - step.since_turn_ms / 1000 for step in known), None)  # type: ignore[operator]


def _lane(thread: str | None, name: str, main_thread: str) -> str:
    return name if thread in (None, main_thread) else f"{thread}: {name}"

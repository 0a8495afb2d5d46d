"""The steps of a run: a node run with all that came of it, a message of the user, a wait for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from debugger.analysis.chat import ChatMessage
from debugger.analysis.event_fields import field
from debugger.analysis.timeline import Pause, TimelineRow, paused_ms, pauses_of, shorten
from debugger.analysis.transitions import TRANSITION_TYPES
from debugger.protocol.events import Event
from debugger.protocol.turn_logs import TurnLog

MODEL_TYPES = frozenset({"worker_llm", "say_llm", "condition_evaluator_llm"})
"""The types that count as a call (``platform/engine.md`` 13)."""


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a model, or of what stands in for one."""

    index: int
    """The event that tells of it, counted over the run from 0; of a reply in chunks the last one."""
    node_logical_id: str
    node_name: str
    thread: str | None
    model: str
    at_ms: float | None
    """When the answer was there, since the run's first event."""
    since_turn_ms: float | None
    """The same since the turn's first event."""
    latency_ms: float | None
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


def model_calls(rows: Sequence[TimelineRow], events: Sequence[Event]) -> list[ModelCall]:
    """The calls of one turn.

    Chunks of one reply share an ``llm_response_id`` and count once, with the last latency.

    Args:
        rows: The turn's rows of the timeline.
        events: The same events.

    Source: ``platform/engine.md`` 13.
    """
    found: dict[str, ModelCall] = {}
    for row, event in zip(rows, events, strict=True):
        if row.type in MODEL_TYPES:
            usage = field(event, "llm_usage_info")
            told = usage if isinstance(usage, dict) else {}
            found[str(told.get("llm_response_id") or f"event {row.index}")] = _call(row, told)
    return list(found.values())


def _call(row: TimelineRow, told: dict[str, object]) -> ModelCall:
    prompt, completion = _count(told.get("prompt_tokens")), _count(told.get("completion_tokens"))
    return ModelCall(
        index=row.index,
        node_logical_id=row.node_logical_id or "",
        node_name=row.node_name or row.node_logical_id or "",
        thread=row.thread,
        model=str(told.get("response_model") or ""),
        at_ms=row.at_ms,
        since_turn_ms=row.since_turn_ms,
        latency_ms=_number(told.get("response_latency_milliseconds")),
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=_count(told.get("total_tokens")) or prompt + completion,
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _count(value: object) -> int:
    return int(_number(value) or 0)


StepKind = Literal["node", "user", "wait", "note"]
Trouble = Literal["", "warning", "failure"]

_OWN: dict[str, StepKind] = {"user_messages": "user", "busy_wait_for_user_message": "wait"}
"""Events that are a step of their own."""

_TELLING = ("assistant_response", "http_request", "say_static", "say_llm", "worker_llm", "end_node_run")
"""What a node run is told by, the most telling first."""


@dataclass(slots=True)  # not frozen, for the reason that `TimelineRow` has
class Step:
    """One step. A node run lasts until its thread does the next thing: how it was left belongs to it."""

    index: int
    """Counts the run's steps from 0."""
    kind: StepKind
    """``note`` is what went wrong outside of any node run."""
    turn_number: int
    place: int
    """Which of the run's turns and pieces of background work it is in, from 0."""
    is_background: bool
    first: int
    """Its first event, counted over the run from 0."""
    last: int
    """The event that it is looked at by: the end of the node run, else its last one."""
    node_logical_id: str | None
    node_name: str
    drawn_node: str | None
    thread: str | None
    at_ms: float | None
    """When it began, since the run's first event."""
    since_turn_ms: float | None
    time: float | None
    """Seconds since the epoch."""
    duration_ms: float | None
    """How long the node ran."""
    summary: str
    trouble: Trouble
    calls: tuple[ModelCall, ...]

    @property
    def tokens(self) -> int:
        """Of all its model calls."""
        return sum(call.total_tokens for call in self.calls)


class StepBuilder:
    """The steps so far, followed from turn to turn."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.of_event: list[int] = []
        """For each event of the run the step that it belongs to; -1 in a turn that has none."""

    def take(self, turn: TurnLog, rows: Sequence[TimelineRow]) -> list[Step]:
        """Take in the next turn, or piece of background work.

        Args:
            turn: The turn.
            rows: Its rows of the timeline.

        Returns:
            Its steps.
        """
        parts, owners = _parts(rows)
        for call in model_calls(rows, turn.events):
            owner = owners[call.index - rows[0].index]
            if owner >= 0:
                parts[owner].calls.append(call)
        base = len(self.steps)
        made = [part.step(index) for index, part in enumerate(parts, start=base)]
        self.steps += made
        self.of_event += [base + max(owner, 0) if parts else -1 for owner in owners]
        return made

    def copy(self) -> StepBuilder:
        """Another one that stands here, to go on by itself."""
        other = StepBuilder()
        other.steps, other.of_event = self.steps.copy(), self.of_event.copy()
        return other


def _parts(rows: Sequence[TimelineRow]) -> tuple[list[_Part], list[int]]:
    """A turn's steps in the making, and for each row the number of its step; -1 before the first."""
    parts: list[_Part] = []
    current: dict[str | None, int] = {}
    owners: list[int] = []
    for row in rows:
        kind = "node" if row.type == "start_node_run" else _OWN.get(row.type)
        owner = current.get(row.thread, len(parts) - 1 if row.thread is None else -1)
        if kind is None and row.is_failure and owner < 0:
            kind = "note"
        if kind is not None:
            owner = current[row.thread] = len(parts)
            parts.append(_Part(kind, row))
        elif owner >= 0:
            parts[owner].add(row)
        owners.append(owner)
    return parts, owners


class _Part:
    """A step in the making."""

    def __init__(self, kind: StepKind, row: TimelineRow) -> None:
        self._kind: StepKind = kind
        self._begin = self._last = row
        self._end: TimelineRow | None = None
        self._told: dict[str, str] = {}
        self._led = ""
        self._wrong: list[TimelineRow] = []
        self.calls: list[ModelCall] = []
        self.add(row)

    def add(self, row: TimelineRow) -> None:
        self._last = row
        if row.type in _TELLING:
            self._told[row.type] = row.summary
        elif row.type in TRANSITION_TYPES:
            self._led = row.summary.partition(" → ")[2]
        if row.type == "end_node_run" and self._end is None:
            self._end = row
        if row.is_failure:
            self._wrong.append(row)

    def step(self, index: int) -> Step:
        begin, end = self._begin, self._end
        return Step(
            index,
            self._kind,
            begin.turn_number,
            begin.place,
            begin.is_background,
            begin.index,
            (end or (self._last if self._kind == "node" else begin)).index,
            begin.node_logical_id,
            begin.node_name or begin.node_logical_id or "",
            begin.drawn_node,
            begin.thread,
            begin.at_ms,
            begin.since_turn_ms,
            begin.time,
            end.duration_ms if end else None,
            self._summary(),
            self._trouble(),
            tuple(self.calls),
        )

    def _summary(self) -> str:
        """What went wrong, else what was done, and where it led."""
        wrong = self._wrong[0].summary if self._wrong else None
        if wrong is not None or self._kind != "node":
            return wrong or self._begin.summary
        told = next((self._told[kind] for kind in _TELLING if kind in self._told), self._begin.summary)
        return shorten(f"{told} → {self._led}") if self._led else told

    def _trouble(self) -> Trouble:
        if not self._wrong:
            return ""
        return "warning" if all(row.type == "workflow_warning" for row in self._wrong) else "failure"


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
    said: list[ChatMessage],
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
        path=shorten(" → ".join(_path(steps))),
        at_ms=rows[0].at_ms if rows else None,
        time=rows[0].time if rows else None,
        duration_ms=_duration(turn, rows, pauses),
        pauses=pauses,
        calls=sum(len(step.calls) for step in steps),
        tokens=sum(step.tokens for step in steps),
        failures=len([row for row in rows if row.is_failure]) - warnings,
        warnings=warnings,
    )


def _words(said: list[ChatMessage], role: str) -> str:
    return shorten(" / ".join(bubble.text for bubble in said if bubble.role == role))


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

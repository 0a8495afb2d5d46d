"""The steps of a run: a node run with all that came of it, a message of the user, a wait for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from debugger.analysis.hops import HOP_TYPES
from debugger.analysis.model_calls import ModelCall, model_calls
from debugger.analysis.timeline import TimelineRow, short
from debugger.protocol.runs import TurnLog

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


class StepReader:
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

    def copy(self) -> StepReader:
        """Another one that stands here, to go on by itself."""
        other = StepReader()
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
        elif row.type in HOP_TYPES:
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
        return short(f"{told} → {self._led}") if self._led else told

    def _trouble(self) -> Trouble:
        if not self._wrong:
            return ""
        return "warning" if all(row.type == "workflow_warning" for row in self._wrong) else "failure"

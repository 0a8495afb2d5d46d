"""A recorded run as the steps of a presentation, and their player."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from debugger.analysis.chat import ChatMessage, chat_messages
from debugger.analysis.position import Position, position
from debugger.analysis.thread_positions import ThreadPositions, input_hint, last_hint
from debugger.analysis.transitions import Transition, transition_reason, transition_title
from debugger.graph.graph import Graph
from debugger.protocol.runs import TERMINAL_STATUSES, RunStatus
from debugger.protocol.turn_logs import TurnLog

StepKind = Literal["start", "said", "moved", "failed", "end"]

_SPEAKERS = {"user": "The user says", "agent": "The agent says"}


@dataclass(frozen=True)
class Step:
    """One thing that an audience sees happen."""

    kind: StepKind
    turn_number: int
    title: str
    reason: str
    """Why it went on like that; empty where there is nothing to say."""
    words: int
    """How many there are to read."""
    seen: int
    """How many of the run's events have happened when it is shown."""
    bubbles: int
    """How many bubbles of the conversation are shown with it."""


@dataclass(frozen=True)
class _Moment:
    """A step before it is known which one follows."""

    at: int
    """The event that tells of it, or the first of its turn; counts the run's from 0."""
    step: Step


class Recording:
    """The steps of a run, independent of later changes to the run.

    Args:
        turns: The run's turns, and the background work between them.
        graph: The workflow.
        status: The status of the run.
    """

    def __init__(self, turns: Sequence[TurnLog], graph: Graph, status: RunStatus) -> None:
        self.graph = graph
        self.status = status
        self.names = {node.logical_id: node.label for node in graph.nodes.values()}
        self._turns = [replace(turn, events=list(turn.events)) for turn in turns]
        self._ends = list(accumulate(len(turn.events) for turn in self._turns))
        # Warnings are for the author of the workflow.
        self.bubbles = [said for said in chat_messages(self._turns, self.names) if said.role != "warning"]
        self.steps = list(self._steps())
        self._position: tuple[int, Position] | None = None

    @property
    def last(self) -> int:
        """The number of the last step, counted from 0."""
        return len(self.steps) - 1

    @property
    def turn_starts(self) -> dict[int, int]:
        """Return the number of the first step of each turn."""
        found: dict[int, int] = {}
        for number, step in enumerate(self.steps):
            if step.kind != "start":
                found.setdefault(step.turn_number, number)
        return found

    def bubbles_at(self, number: int) -> list[ChatMessage]:
        """Return the messages up to a step."""
        return self.bubbles[: self.steps[number].bubbles]

    def position_at(self, number: int) -> Position:
        """Return the position of the run at a step."""
        if self._position is None or self._position[0] != number:
            is_last = number == self.last
            status = self.status if is_last else None
            result = position(self._until(self.steps[number].seen), self.graph, status)
            self._position = (number, result)
        return self._position[1]

    def turn_after(self, number: int, by: int) -> int:
        """Return the first step of the next (1) or previous (-1) turn.

        At the ends it is the last or the first step.

        From within a turn, the one before is its own beginning.
        """
        starts = sorted(self.turn_starts.values())
        later = [start for start in starts if start > number]
        earlier = [start for start in starts if start < number]
        if by > 0:
            return later[0] if later else self.last
        return earlier[-1] if earlier else 0

    def _until(self, seen: int) -> list[TurnLog]:
        """The turns as they were when so many events had happened."""
        place = bisect_right(self._ends, seen)
        shown = self._turns[:place]
        start = self._ends[place - 1] if place else 0
        if place < len(self._turns) and seen > start:
            turn = self._turns[place]
            shown = [*shown, replace(turn, events=turn.events[: seen - start])]
        return shown

    def _steps(self) -> Iterator[Step]:
        first = self._turns[0].number if self._turns else 0
        yield Step("start", first, "Before the first word", "", 0, 0, 0)
        moments = sorted([*self._said(), *self._moved()], key=lambda moment: moment.at)
        shown = 0
        for place, moment in enumerate(moments):
            shown += moment.step.kind in ("said", "failed")
            following = moments[place + 1].at if place + 1 < len(moments) else self._count
            seen = max(moment.at, min(following, self._end_after(moment.at)))
            yield replace(moment.step, seen=seen, bubbles=shown)
        yield self._end()

    def _said(self) -> Iterator[_Moment]:
        starts: dict[int, int] = {}
        for turn, end in zip(self._turns, self._ends, strict=True):
            starts.setdefault(turn.number, end - len(turn.events))
        for said in self.bubbles:
            at = starts[said.turn_number] if said.event_index is None else said.event_index
            title = _SPEAKERS.get(said.role, "Something went wrong")
            kind: StepKind = "failed" if said.role == "error" else "said"
            yield _Moment(at, Step(kind, said.turn_number, title, "", len(said.text.split()), 0, 0))

    def _moved(self) -> Iterator[_Moment]:
        for transition in position(self._turns, self.graph).transitions:
            yield _Moment(transition.event_index, self._move(transition))

    def _move(self, transition: Transition) -> Step:
        title, reason = transition_title(transition, self.names), transition_reason(transition, self.graph)
        words = len(title.split()) + len(reason.split())
        return Step("moved", transition.turn_number, title, reason, words, 0, 0)

    def _end(self) -> Step:
        number = self._turns[-1].number if self._turns else 0
        waits = self.status == "waiting_for_user_input"
        hint = last_hint(ThreadPositions.after(self._turns)) if waits else None
        result = input_hint(hint, self.status, names=self.names).sentence
        title = "The end" if self.status in TERMINAL_STATUSES else "So far"
        return Step("end", number, title, result, len(result.split()), self._count, len(self.bubbles))

    @property
    def _count(self) -> int:
        return self._ends[-1] if self._ends else 0

    def _end_after(self, at: int) -> int:
        """Return the number of events to the end of an event's turn."""
        place = bisect_right(self._ends, at)
        return self._ends[place] if place < len(self._ends) else self._count


SPEEDS = (0.5, 1.0, 2.0, 4.0)
"""How much faster than somebody reads."""

_START_SECONDS, _SHORTEST, _LONGEST, _WORD_SECONDS = 0.8, 1.6, 7.0, 0.28


def seconds_of(step: Step) -> float:
    """Return the seconds that a step is shown at normal speed."""
    if step.kind == "start":
        return _START_SECONDS
    return min(_LONGEST, _SHORTEST + step.words * _WORD_SECONDS)


class Player:
    """Shows one step after the other each time it is polled.

    A call advances by one step at most, also after a long pause, as while a laptop slept.

    Args:
        edition: Tells which run it plays, and how far that had come.
        recording: Its steps.
        now: Gives the time in seconds, from any beginning.
    """

    def __init__(
        self, edition: str, recording: Recording, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.edition = edition
        self.recording = recording
        self.speed = 1.0
        self._now = now
        self._number = 0
        self._shown_at = now()
        self._is_playing = False

    @property
    def is_playing(self) -> bool:
        """Return whether it is playing."""
        return self._is_playing

    @property
    def number(self) -> int:
        """The step that is shown, from 0."""
        return self._number

    @property
    def step(self) -> Step:
        """The step that is shown."""
        return self.recording.steps[self._number]

    @property
    def is_at_end(self) -> bool:
        """Return whether the last step is shown."""
        return self._number == self.recording.last

    def look(self) -> None:
        """Show the next step when this one was shown long enough."""
        if self._is_playing and self._now() - self._shown_at >= seconds_of(self.step) / self.speed:
            self._show(self._number + 1)

    def play_or_pause(self) -> None:
        """Play or pause; at the end it starts again."""
        if self.is_at_end and not self._is_playing:
            self._show(0)
        self._is_playing = not self._is_playing and not self.is_at_end
        self._shown_at = self._now()

    def pause(self) -> None:
        """Stand still."""
        self._is_playing = False

    def step_by(self, by: int) -> None:
        """Show the step so many further on, or back, and stand still."""
        self.go_to(self._number + by)

    def turn_by(self, by: int) -> None:
        """Show the start of the next or previous turn without pausing."""
        self._show(self.recording.turn_after(self._number, by))

    def go_to_turn(self, turn_number: int) -> None:
        """Show the start of a turn without pausing; ignore unknown turns."""
        self._show(self.recording.turn_starts.get(turn_number, self._number))

    def go_to(self, number: int) -> None:
        """Show a step, or the nearest one, and pause."""
        self.pause()
        self._show(number)

    def _show(self, number: int) -> None:
        self._number = max(0, min(number, self.recording.last))
        self._shown_at = self._now()
        if self.is_at_end:
            self._is_playing = False

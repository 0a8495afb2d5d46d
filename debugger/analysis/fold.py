"""To follow a run as it grows: each event is looked at once, however often the run is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from debugger.protocol.events import Event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog


class EventFold:
    """Takes in the events of a run in order; what a subclass makes of them is kept from look to look.

    A run only grows, so a look costs what is new since the last one. Where a turn was taken back, or another
    run is shown, everything is taken in anew: events are known by identity.
    """

    def __init__(self) -> None:
        self.count = 0
        """How many events were taken in."""
        self._begun = 0
        self._taken = 0
        self._ends: tuple[Event | None, Event | None, TurnInput | None] = (None, None, None)

    def follow(self, turns: Sequence[TurnLog]) -> Self:
        """Take in what is new.

        Args:
            turns: The run's turns; the last one may still be growing.
        """
        if not self._is_continued_by(turns):
            self.forget()
            EventFold.__init__(self)
        for place in range(max(self._begun - 1, 0), len(turns)):
            turn = turns[place]
            if place == self._begun:
                self._begun, self._taken = place + 1, 0
                self.begin(turn, place)
            self._take_new(turn)
        return self

    def add(self, turn: TurnLog) -> None:
        """Take in a turn that is over for good, right after the ones before it."""
        self._begun, self._taken = self._begun + 1, 0
        self.begin(turn, self._begun - 1)
        self._take_new(turn)

    def forget(self) -> None:
        """Go back to the beginning."""
        raise NotImplementedError

    def begin(self, turn: TurnLog, place: int) -> None:
        """Take in that a turn, or a piece of background work, has begun; ``place`` counts them from 0."""

    def take(self, event: Event, index: int, turn: TurnLog) -> None:
        """Take in an event; ``index`` counts those of the run from 0."""
        raise NotImplementedError

    def _take_new(self, turn: TurnLog) -> None:
        new = turn.events[self._taken :]
        for event in new:
            self.take(event, self.count, turn)
            self.count += 1
        self._taken += len(new)
        first, last, _ = self._ends
        self._ends = (first or (new[0] if new else None), new[-1] if new else last, turn.run_input)

    def _is_continued_by(self, turns: Sequence[TurnLog]) -> bool:
        if self._begun == 0:
            return True
        if self._begun > len(turns) or len(turns[self._begun - 1].events) < self._taken:
            return False
        first, last, given = self._ends
        now = turns[self._begun - 1]
        begins = next((turn.events[0] for turn in turns if turn.events), None)
        is_same_turn = now.run_input is given and (not self._taken or now.events[self._taken - 1] is last)
        return is_same_turn and (first is None or begins is first)

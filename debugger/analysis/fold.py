"""The base of every projection that is folded from a run's events."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import ClassVar, Self

from debugger.analysis.event_fields import EventFields
from debugger.protocol.events import Event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog


class EventFold:
    """A projection of a run's events, updated event by event.

    A subclass overrides `apply`, and `begin_turn` if it reads the turn itself. Its attributes are immutable
    values, other folds, or lists, dictionaries and sets of immutable values: then `snapshot` is right for it.
    """

    TYPES: ClassVar[frozenset[str] | None] = None
    """Types of the events that are applied, others are only counted; ``None`` applies all."""

    def __init__(self) -> None:
        """Begin before the first turn."""
        self.event_count = 0
        """Events applied so far: the index of the next event in the run."""
        self.turn_count = 0
        """Turns begun so far, pieces of background work included."""
        self.turn = TurnLog(0, TurnInput())
        """The turn of the events that are applied now."""
        self.turn_events = 0
        """Events of that turn applied so far: the index of the next event in the turn."""
        self._ends: tuple[Event | None, Event | None, TurnInput | None] = (None, None, None)

    @property
    def turn_index(self) -> int:
        """The index of the current turn, with background work counted."""
        return self.turn_count - 1

    def apply(self, event: EventFields) -> None:
        """Apply the next event of the run."""
        raise NotImplementedError

    def begin_turn(self, turn: TurnLog) -> None:
        """Begin the next turn or background work, of index `turn_index`."""

    def reset(self) -> None:
        """Return to the state before the first turn; only needed for `catch_up`."""
        raise NotImplementedError

    def add_turn(self, turn: TurnLog, events: Sequence[EventFields] | None = None) -> None:
        """Apply a whole turn that follows those before it.

        Args:
            turn: The turn.
            events: Its events, if their fields have been read already.
        """
        self._begin(turn)
        self._apply_all(turn.events if events is None else events)

    def catch_up(self, turns: Sequence[TurnLog]) -> Self:
        """Apply what is new in a growing run.

        It starts again if it is another run, or if a turn was taken back.

        Args:
            turns: The run's turns; the last one may still be growing.
        """
        if not self._is_continued_by(turns):
            self.reset()
            EventFold.__init__(self)
        for index in range(max(self.turn_count - 1, 0), len(turns)):
            if index == self.turn_count:
                self._begin(turns[index])
            self.turn = turns[index]
            self._apply_all(self.turn.events[self.turn_events :])
        return self

    def snapshot(self) -> Self:
        """Return an independent copy, which can be continued by itself."""
        other = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, EventFold):
                setattr(other, name, value.snapshot())
            elif isinstance(value, list | dict | set):
                setattr(other, name, value.copy())
        return other

    def _begin(self, turn: TurnLog) -> None:
        self.turn, self.turn_events = turn, 0
        self.turn_count += 1
        self.begin_turn(turn)

    def _apply_all(self, events: Sequence[Event | EventFields]) -> None:
        """Apply events of the current turn, those of other types than `TYPES` only counted.

        Remember the last.
        """
        types = self.TYPES
        for event in events:
            if types is None or event.type in types:
                self.apply(event if isinstance(event, EventFields) else EventFields(event))
            self.event_count += 1
            self.turn_events += 1
        first, last, _ = self._ends
        if events:
            first, last = first or _event(events[0]), _event(events[-1])
        self._ends = (first, last, self.turn.run_input)

    def _is_continued_by(self, turns: Sequence[TurnLog]) -> bool:
        """Return whether turns go on from those applied, by identity of two events and the last input."""
        if self.turn_count == 0:
            return True
        if self.turn_count > len(turns) or len(turns[self.turn_count - 1].events) < self.turn_events:
            return False
        first, last, run_input = self._ends
        current = turns[self.turn_count - 1]
        if current.run_input is not run_input:
            return False
        if self.turn_events and current.events[self.turn_events - 1] is not last:
            return False
        return first is None or next((turn.events[0] for turn in turns if turn.events), None) is first


def _event(event: Event | EventFields) -> Event:
    return event.event if isinstance(event, EventFields) else event

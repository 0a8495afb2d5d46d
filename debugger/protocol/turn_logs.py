"""Views of recorded turns, whose events are parsed again on demand.

Tens of thousands of parsed events take hundreds of megabytes, and every full round of Python's garbage
collector visits all of them: seconds in which nothing else runs.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self, cast, overload

from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.json_codec import decode, encode
from debugger.protocol.runs import BACKGROUND, Run, Turn, TurnInput

_MOST_TURNS = 24
"""How many turns of the whole process have their events in memory."""

_recent: deque[LazyEvents] = deque()
_lock = threading.Lock()


class LazyEvents(Sequence[Event]):
    """A list of events that is in memory only while in use.

    Its length is always known.

    Args:
        read: Reads them from the record.
        events: What it gave just now; the number of them never changes.
    """

    __slots__ = ("_count", "_ends", "_loaded", "_read")

    def __init__(self, read: Callable[[], list[Event]], events: list[Event]) -> None:
        """Keep the events in memory until they are dropped; the first and the last always stay."""
        self._read = read
        self._count = len(events)
        # Never dropped: a reader that remembers its last event finds the same object again.
        self._ends = events[0:1], events[-1:]
        self._loaded: list[Event] | None = None
        self._keep_loaded(events)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        return self._events()[index]

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events())

    def __reversed__(self) -> Iterator[Event]:
        return reversed(self._events())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._events() == list(other)

    __hash__ = None  # type: ignore[assignment]  # as of any list

    def _events(self) -> list[Event]:
        """Return the events, read from the record again where they are not in memory.

        The first and the last are the same objects each time. Errors of reading leave unchanged.
        """
        events = self._loaded
        if events is None:
            events = self._read()
            events[0:1], events[-1:] = self._ends
            self._keep_loaded(events)
        return events

    def _keep_loaded(self, events: list[Event]) -> None:
        """Keep the events in memory, until `_MOST_TURNS` other lists have been read in this process."""
        with _lock:
            self._loaded = events
            _recent.append(self)
            if len(_recent) > _MOST_TURNS:
                _recent.popleft()._loaded = None


_BACKGROUND_TYPES = frozenset({"companion_step_boundary", "waiting_condition_matched"})


def _is_background(turn_input: TurnInput, events: Sequence[Event]) -> bool:
    """Return whether a pair of the record is background work.

    Our own records mark it. In those of another backend it is a pair without a user message and without the
    end of an iteration, whose events background work has: a turn that starts a companion thread may have a
    step of it, too.
    """
    if turn_input.command != "data" or turn_input.messages:
        return False
    if turn_input.miscellaneous.get(BACKGROUND) is True:
        return True
    types = {event.type for event in events}
    return "end_workflow_iteration" not in types and not types.isdisjoint(_BACKGROUND_TYPES)


@dataclass
class TurnLog:
    """One turn, finished or in progress.

    Background work is looked at in the same way. It takes no turn of the user
    (``platform.md#background-work``), so
    it bears the number of the turn after which it was done: a turn lasts until the user's next one.
    """

    number: int
    """Counts the user's turns from 1."""
    run_input: TurnInput
    events: Sequence[Event] = field(default_factory=list)
    """A list that grows while the turn is pulled; of a recorded turn what reads them when they are needed."""
    is_background: bool = False
    """Whether it is background work."""

    @property
    def message(self) -> str:
        """Return the user's text; empty without one."""
        return self.run_input.message

    def add(self, event: Event) -> None:
        """Append an event to a turn in progress."""
        cast("list[Event]", self.events).append(event)


def _numbered(
    turns: Iterable[tuple[Turn, Sequence[Event]]], number: int = 0
) -> Iterator[tuple[Turn, TurnLog | None]]:
    """Yield pairs with their logs; background work counts as the turn before.

    Background work without events has no log. Before the first turn there is none: such a pair is a turn. The
    argument `number` is that of the turn before the first pair.
    """
    for turn, events in turns:
        turn_input = TurnInput.from_record(turn.run_input)
        is_background = number > 0 and _is_background(turn_input, events)
        number += not is_background
        log = TurnLog(number, turn_input, events, is_background) if events or not is_background else None
        yield turn, log


def number_turns(turns: Iterable[Turn]) -> Iterator[tuple[Turn, TurnLog | None]]:
    """Yield each pair of a record with its log; ``None`` of empty background work."""
    return _numbered((turn, turn.parsed_events()) for turn in turns)


def numbered_turns(run: Run) -> list[tuple[Turn, TurnLog]]:
    """Return each finished pair with its log, without empty background work."""
    return [(turn, log) for turn, log in number_turns(run.finished_turns) if log is not None]


def turn_logs(run: Run) -> list[TurnLog]:
    """Return the logs of a record's finished turns.

    Background work that left no event is passed over: there is nothing to see of it.
    """
    return [log for _, log in numbered_turns(run)]


def holds_events(events: Sequence[JsonObject], others: Sequence[JsonObject]) -> bool:
    """Return whether each event of the second list is in the first; without a second one it is true.

    Events are compared by their ids, those without one as they are.
    """
    return {_identity(event) for event in others} <= {_identity(event) for event in events}


def _identity(event: JsonObject) -> object:
    return event.get("logical_id") or encode(event)


ReadTurn = Callable[[], Turn]
"""Reads one turn of a record, anew each time."""


def _packed(turn: Turn) -> ReadTurn:
    text = encode(turn.to_wire())
    return lambda: Turn.from_wire(decode(text))


@dataclass(frozen=True)
class LazyRun:
    """The record of a run, read turn by turn."""

    run: Run
    """Without its turns."""
    turns: Sequence[ReadTurn]

    @classmethod
    def of(cls, run: Run) -> Self:
        """Pack a run that was read whole; its turns become JSON."""
        turns = [_packed(turn) for turn in run.finished_turns]
        return cls(run.model_copy(update={"input_output_pairs": []}), turns)


def lazy_turn_logs(turns: Iterable[ReadTurn], *, after: int = 0) -> Iterator[tuple[Turn, TurnLog | None]]:
    """Yield each turn with its log, events parsed on demand.

    For a run that is too long to be held as a whole.

    Args:
        turns: The turns of a record, or the last of them.
        after: The number of the turn before them.

    Returns:
        Each turn of the record, and how it is looked at: ``None`` where there is nothing to see of it. The
        events of the log are in memory when it is yielded, and not for long.
    """
    return _numbered(map(_with_lazy_events, turns), after)


def _with_lazy_events(read: ReadTurn) -> tuple[Turn, LazyEvents]:
    turn = read()
    return turn, LazyEvents(lambda: read().parsed_events(), turn.parsed_events())

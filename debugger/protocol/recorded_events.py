"""The events of a recorded turn, read again whenever they are asked for, so that a long run fits into memory.

Tens of thousands of parsed events take hundreds of megabytes, and every full round of Python's garbage
collector walks through all of them: seconds in which nothing else happens.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import overload

from debugger.protocol.events import Event

_MOST_TURNS = 24
"""How many turns of the whole process keep their events at hand."""

_recent: deque[RecordedEvents] = deque()
_lock = threading.Lock()


class RecordedEvents(Sequence[Event]):
    """A list of events that is at hand only while it is in use. Their number is always known.

    Args:
        read: Reads them from the record.
        events: What it gave just now; the number of them never changes.
    """

    __slots__ = ("_count", "_ends", "_held", "_read")

    def __init__(self, read: Callable[[], list[Event]], events: list[Event]) -> None:
        self._read = read
        self._count = len(events)
        # Kept for good, so that whoever remembers how far a turn was read finds the very event again.
        self._ends = events[0:1], events[-1:]
        self._held: list[Event] | None = None
        self._hold(events)

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
        events = self._held
        if events is None:
            events = self._read()
            events[0:1], events[-1:] = self._ends
            self._hold(events)
        return events

    def _hold(self, events: list[Event]) -> None:
        with _lock:
            self._held = events
            _recent.append(self)
            if len(_recent) > _MOST_TURNS:
                _recent.popleft()._held = None

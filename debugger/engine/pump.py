"""One pump under way: background work goes on without a turn of the user (``engine.md`` 7.1, 7.2 (h))."""

from __future__ import annotations

from collections.abc import Generator

from debugger.engine.announcer import Events
from debugger.engine.segment import Segment, TurnEnd
from debugger.engine.threads import Threads
from debugger.errors import RunError
from debugger.protocol.events import Event


class PumpRun:
    """One pump."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._threads = Threads(segment)

    def events(self) -> Generator[Event, None, TurnEnd]:
        """The pump's events in order, none where nothing is due; returns how it ended."""
        segment, error, is_kept = self._segment, None, False
        if segment.state.paused:
            segment.status = "paused"
            return segment.end(None)
        events = self._advance()
        while True:
            try:
                event = next(events)
            except StopIteration:
                break
            except RunError as failure:
                error = str(failure)
                event = segment.failed(error)
            is_kept = is_kept or event.is_kept
            yield event
            while segment.edit_events:
                yield segment.edit_events.popleft()
        segment.state.segments += is_kept
        return segment.end(error)

    def _advance(self) -> Events:
        segment = self._segment
        moved = yield from self._threads.pump()
        if segment.cancelled.is_set() and segment.status is None:
            segment.status = "cancelled"
        if moved or not segment.state.active_threads:
            yield from segment.settled()

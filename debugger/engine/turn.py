"""One turn of the user under way: take the input in, run nodes until the user is needed, close the accounts.

The order of events is that of ``platform/engine.md`` 7.1 and 7.2.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from itertools import chain

from debugger.engine.announcer import Events
from debugger.engine.control import edit_events
from debugger.engine.segment import Segment, TurnEnd, input_output_pair
from debugger.engine.threads import Threads
from debugger.errors import RunError
from debugger.protocol.events import (
    EndWorkflowIterationEvent,
    Event,
    StartThreadEvent,
    StartWorkflowEvent,
    UserMessagesEvent,
)
from debugger.protocol.messages import normal_message


class TurnRun:
    """One turn of the user."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._stamped = segment.announcer.stamped
        self._threads = Threads(segment)

    def events(self, transfer_to: str | None = None) -> Generator[Event, None, TurnEnd]:
        """The turn's events in order; returns how it ended.

        Args:
            transfer_to: A node that the thread is moved to before it goes on.
        """
        error = None
        edits = self._segment.edit_events
        try:
            for event in chain(self._take_in(), self._commanded(transfer_to)):
                yield event
                while edits:
                    yield edits.popleft()
            if self._segment.cancelled.is_set() and self._segment.status is None:
                self._segment.status = "cancelled"
        except RunError as failure:
            error = str(failure)
            yield self._segment.failed(error)
        else:
            for event in self._close():
                yield event
                while edits:
                    yield edits.popleft()
        self._segment.state.turn_number += 1
        self._segment.state.segments += 1
        return self._segment.end(error)

    def _take_in(self) -> Events:
        segment, thread = self._segment, self._segment.state.main
        if segment.state.turn_number == 0 and segment.options.start_events:
            yield self._stamped(StartWorkflowEvent())
            yield self._stamped(StartThreadEvent(), thread)
        if segment.state.turn_number == 0:
            for note in segment.interpreter.notes:
                yield from segment.announcer.warning(note, thread)
        yield from edit_events(segment.state.untold, segment)
        segment.state.untold = []
        given = segment.log.run_input.messages
        messages = [normal_message(message, message_id=segment.world.uuid()) for message in given]
        if messages:
            thread.pending += messages
            thread.hops_in_a_row = 0
            for edge in thread.waiting_edges.values():
                edge.transitions = 0
            event = UserMessagesEvent(messages=messages)
            yield self._stamped(event, thread, segment.config(thread))
        thread.parked = segment.state.paused = False

    def _commanded(self, transfer_to: str | None) -> Iterable[Event]:
        """What the input's command asks for."""
        segment, thread = self._segment, self._segment.state.main
        if segment.log.run_input.command == "stop":
            segment.status = "cancelled"
            return ()
        if segment.log.run_input.command == "pause":
            return self._threads.pause(thread)
        if transfer_to is not None:
            return self._threads.transfer(thread, transfer_to)
        return self._threads.advance(thread)

    def _close(self) -> Events:
        segment = self._segment
        pair = input_output_pair(segment.run_input, segment.outputs, segment.end_state)
        yield self._stamped(
            EndWorkflowIterationEvent(
                iteration_number=segment.state.turn_number + 1,
                run_input_output_pair=pair,
                iteration_metrics=segment.accounts.metrics(segment.pauses.active_time()),
            )
        )
        yield from segment.settled()

"""Execution of one turn or background step for a socket."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from debugger.backends.base import TurnStream
from debugger.errors import DebuggerError
from debugger.protocol.events import Event
from debugger.protocol.runs import TurnResult
from debugger.server.metrics import Metrics
from debugger.server.streaming.frames import event_frame
from debugger.server.streaming.outbox import Outbox
from debugger.server.turn_limiter import QueueFullError

_log = logging.getLogger(__name__)

_FINAL_EVENTS = frozenset(
    {"end_workflow_iteration", "workflow_ready_for_input", "end_workflow", "workflow_error"}
)
"""Events that end a turn: clients may reply to them at once, so they are sent once the turn is stored."""


class TurnWorker:
    """Execution of a turn to its end, with or without a client.

    Args:
        begin: Claims the turn.
        run_on_thread: Calls a function on a thread for turns, as soon as one is free.
        outbox: Takes the frames of the events.
        metrics: Counts the turn.
        on_started: Called on the thread with run id and turn number once the turn is claimed; for a backend
            without claims, with the first event.
        on_stored: Called on the thread once the turn is stored, before the client hears that it is over.
    """

    def __init__(
        self,
        begin: Callable[[], TurnStream],
        run_on_thread: Callable[[Callable[[], None]], Awaitable[None]],
        outbox: Outbox,
        metrics: Metrics,
        on_started: Callable[[str, int | None], None] = lambda run_id, turn_number: None,
        on_stored: Callable[[], None] = lambda: None,
    ) -> None:
        """Start the turn as a task of the running event loop."""
        self.result: TurnResult | None = None
        """The result; ``None`` until the end, and after an error."""
        self.error: DebuggerError | None = None
        self._begin = begin
        self._outbox = outbox
        self._metrics = metrics
        self._on_started = on_started
        self._on_stored = on_stored
        self._has_started = False
        self._frames = 0
        self._task = asyncio.create_task(self._execute(run_on_thread))

    async def wait(self) -> None:
        """Wait for the end."""
        await asyncio.wait((self._task,))

    async def _execute(self, run_on_thread: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
        try:
            await run_on_thread(self._run)
        except QueueFullError as error:
            self.error = error

    def _run(self) -> None:
        """Execute the turn in this thread; leave result or error in the attributes, never raise.

        Unexpected errors, and those with a status of 500 or above, are logged; an unexpected one is replaced
        by a DebuggerError that does not name the cause.
        """
        try:
            self.result = self._run_turn()
        except DebuggerError as error:
            if error.status >= 500:
                _log.warning("a turn over a WebSocket: %s", error)
            self.error = error
        except Exception:  # the client gets an answer in any case
            _log.exception("a turn over a WebSocket broke off")
            self.error = DebuggerError("Internal server error")

    def _run_turn(self) -> TurnResult:
        """Claim the turn, execute it, and return its result; it is counted also where it fails.

        Final events are sent once the turn is stored and the callback for that has returned. Errors of the
        backend and of the callbacks leave unchanged.
        """
        # The claim is within: a turn that is refused there is counted like any other.
        with self._metrics.turn() as turn:
            stream = self._begin()
            if stream.turn_number is not None:
                self._start(stream.run_id, stream.turn_number)
            final_events = self._send_events(stream)
            turn.result = stream.finish()
        self._start(turn.result.run_id, turn.result.turn_number)
        self._on_stored()
        for event in final_events:
            self._send(event)
        return turn.result

    def _send_events(self, stream: TurnStream) -> list[Event]:
        """Send events as they happen, and return the final ones.

        From the first final event on none is sent; the list is empty where there is none.
        """
        waiting: list[Event] = []
        for event in stream:
            self._start(stream.run_id, stream.turn_number)
            if waiting or event.type in _FINAL_EVENTS:
                waiting.append(event)
            else:
                self._send(event)
        return waiting

    def _send(self, event: Event) -> None:
        self._frames += 1
        self._outbox.put(event_frame(event, self._frames))

    def _start(self, run_id: str | None, turn_number: int | None) -> None:
        if run_id is not None and not self._has_started:
            self._has_started = True
            self._on_started(run_id, turn_number)

"""The thread that pulls one turn, or one step of background work, for a socket."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from debugger.backends.base import TurnStream
from debugger.errors import DebuggerError
from debugger.protocol.events import Event
from debugger.protocol.runs import TurnResult
from debugger.server.live.frames import event_frame
from debugger.server.live.outbox import Outbox
from debugger.server.metrics import Metrics
from debugger.server.turn_limiter import QueueFullError

_log = logging.getLogger(__name__)

_LAST_WORDS = frozenset(
    {"end_workflow_iteration", "workflow_ready_for_input", "end_workflow", "workflow_error"}
)
"""Events that say that a turn is over: a client may answer them at once, so they go out when it is kept."""


class Pull:
    """Pulls until the end, whether or not anybody listens. Made on the loop.

    Args:
        begin: Claims what is pulled.
        on_thread: Calls a function on a thread for turns, as soon as one may be used.
        outbox: Where its events go.
        metrics: Where it is counted.
        on_begun: Called on the thread with run id and turn number once the turn is claimed; where a backend
            claims nothing itself, with the first event.
        on_kept: Called on the thread once the turn is kept, before the client is told that it is over.
    """

    def __init__(
        self,
        begin: Callable[[], TurnStream],
        on_thread: Callable[[Callable[[], None]], Awaitable[None]],
        outbox: Outbox,
        metrics: Metrics,
        on_begun: Callable[[str, int | None], None] = lambda run_id, turn_number: None,
        on_kept: Callable[[], None] = lambda: None,
    ) -> None:
        self.result: TurnResult | None = None
        """How it ended; ``None`` until then, and for good when it ended in an error."""
        self.error: DebuggerError | None = None
        """Why it could not be done."""
        self._begin = begin
        self._outbox = outbox
        self._metrics = metrics
        self._on_begun = on_begun
        self._on_kept = on_kept
        self._has_begun = False
        self._frames = 0
        self._task = asyncio.create_task(self._execute(on_thread))

    async def over(self) -> None:
        """Wait for the end."""
        await asyncio.wait((self._task,))

    async def _execute(self, on_thread: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
        try:
            await on_thread(self._work)
        except QueueFullError as error:
            self._metrics.refuse_turn()
            self.error = error

    def _work(self) -> None:
        try:
            self.result = self._pulled()
        except DebuggerError as error:
            if error.status >= 500:
                _log.warning("a turn over a WebSocket: %s", error)
            self.error = error
        except Exception:  # the client must be told something, whatever broke
            _log.exception("a turn over a WebSocket broke off")
            self.error = DebuggerError("Internal server error")

    def _pulled(self) -> TurnResult:
        # The beginning is within: a turn that is refused there is counted like any other.
        with self._metrics.turn() as turn:
            stream = self._begin()
            if stream.turn_number is not None:
                self._announce(stream.run_id, stream.turn_number)
            last_words = self._say(stream)
            turn.result = stream.finish()
        self._announce(turn.result.run_id, turn.result.turn_number)
        self._on_kept()
        for event in last_words:
            self._send(event)
        return turn.result

    def _say(self, stream: TurnStream) -> list[Event]:
        """Send events as they happen; those that are to wait for the end are given back."""
        waiting: list[Event] = []
        for event in stream:
            self._announce(stream.run_id, stream.turn_number)
            if waiting or event.type in _LAST_WORDS:
                waiting.append(event)
            else:
                self._send(event)
        return waiting

    def _send(self, event: Event) -> None:
        self._frames += 1
        self._outbox.put(event_frame(event, self._frames))

    def _announce(self, run_id: str | None, turn_number: int | None) -> None:
        """Report once that something happens in the run, as soon as the run is known."""
        if run_id is not None and not self._has_begun:
            self._has_begun = True
            self._on_begun(run_id, turn_number)

"""The thread that pulls one turn, or one step of background work, for a socket."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from debugger.backends.base import TurnStream
from debugger.errors import DebuggerError
from debugger.protocol.events import Event
from debugger.protocol.runs import TurnResult
from debugger.server.live.frames import event_frame
from debugger.server.live.outbox import Outbox
from debugger.server.running import RunningTurns

_log = logging.getLogger(__name__)

_LAST_WORDS = frozenset(
    {"end_workflow_iteration", "workflow_ready_for_input", "end_workflow", "workflow_error"}
)
"""Events that say that a turn is over: a client may answer them at once, so they go out when it is kept."""


class Pull:
    """Pulls until the end, whether or not anybody listens. Made on the loop.

    Args:
        begin: Begins what is pulled; left when that is over.
        cancelled: Set to end it early.
        outbox: Where its events go.
        running: Where other requests find it, to stop it.
        on_begun: Called on the thread with the run's id, once it is sure that something happens in it.
        on_kept: Called on the thread once the turn is kept, before the client is told that it is over.
    """

    def __init__(
        self,
        begin: Callable[[], AbstractContextManager[TurnStream]],
        cancelled: threading.Event,
        outbox: Outbox,
        running: RunningTurns,
        on_begun: Callable[[str], None] = lambda run_id: None,
        on_kept: Callable[[], None] = lambda: None,
    ) -> None:
        self.result: TurnResult | None = None
        """How it ended; ``None`` until then, and for good when it ended in an error."""
        self.error: DebuggerError | None = None
        """Why it could not be done."""
        self._begin = begin
        self._cancelled = cancelled
        self._outbox = outbox
        self._running = running
        self._on_begun = on_begun
        self._on_kept = on_kept
        self._has_begun = False
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        threading.Thread(target=self._work, name="live-turn", daemon=True).start()

    async def over(self) -> None:
        """Wait for the end."""
        await self._over.wait()

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
        finally:
            self._tell_the_loop()

    def _pulled(self) -> TurnResult:
        # The beginning is within: a turn that is refused there is counted like any other.
        with self._running.turn(None, self._cancelled) as turn, self._begin() as stream:
            if stream.run_id is not None:
                self._running.name(turn, stream.run_id)
            last_words = self._say(stream)
            turn.result = stream.finish()
        if not self._has_begun:
            self._on_begun(turn.result.run_id)
        self._on_kept()
        for event in last_words:
            self._outbox.put(event_frame(event))
        return turn.result

    def _say(self, stream: TurnStream) -> list[Event]:
        """Send events as they happen; those that are to wait for the end are given back."""
        waiting: list[Event] = []
        for event in self._announced(stream):
            if waiting or event.type in _LAST_WORDS:
                waiting.append(event)
            else:
                self._outbox.put(event_frame(event))
        return waiting

    def _announced(self, stream: TurnStream) -> Iterator[Event]:
        for event in stream:
            if not self._has_begun and stream.run_id is not None:
                self._has_begun = True
                self._on_begun(stream.run_id)
            yield event

    def _tell_the_loop(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._over.set)
        except RuntimeError:  # the server has ended meanwhile
            _log.info("a turn has ended after the server")

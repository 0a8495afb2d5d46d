"""Threads of a session: one that executes a turn, and one that makes a single call."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from debugger.backends.base import TurnProgress, TurnStream
from debugger.engine.control import Control
from debugger.errors import DebuggerError, OutcomeUnknownError
from debugger.protocol.events import Event
from debugger.protocol.runs import TurnLog, TurnResult

_log = logging.getLogger(__name__)

Outcome = TypeVar("Outcome")


class TurnWorker:
    """Executes one turn, or one step of background work, on a thread of its own.

    It never touches a user interface: listeners put the events where a page reads them.

    Args:
        log: The turn.
        start: Starts it; called on the thread, since it may have to wait.
        on_event: Called on the thread with each event; the next one is pulled when it returns.
        on_end: Called on the thread once the turn has ended.
        control: The session's access to the turn's state.
    """

    def __init__(
        self,
        log: TurnLog,
        start: Callable[[TurnWorker], TurnStream],
        on_event: Callable[[TurnWorker, Event], None],
        on_end: Callable[[TurnWorker, TurnResult], None],
        control: Control,
    ) -> None:
        self.log = log
        self.cancelled = threading.Event()
        """Set to end it early."""
        self.control = control
        self.run_id: str | None = None
        """Its run, as soon as that is known."""
        self.progress = TurnProgress()
        """What the backend does between sending and the end."""
        self.result: TurnResult | None = None
        """How it ended; ``None`` until then, and for good when it could not be executed."""
        self.error: DebuggerError | None = None
        """Why it could not be executed."""
        self._start = start
        self._on_event = on_event
        self._on_end = on_end
        self._done = threading.Event()
        self._started_at = time.monotonic()
        self._ended_at: float | None = None
        threading.Thread(target=self._run, name="turn", daemon=True).start()

    @property
    def busy(self) -> bool:
        """Return whether it is still being executed."""
        return not self._done.is_set()

    @property
    def elapsed(self) -> float:
        """Return the seconds since it started, or that it took."""
        return (time.monotonic() if self._ended_at is None else self._ended_at) - self._started_at

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, and return whether it came in time (seconds)."""
        return self._done.wait(timeout)

    def _run(self) -> None:
        try:
            stream = self._start(self)
            self.run_id, self.progress = stream.run_id, stream.progress
            for event in stream:
                self._on_event(self, event)
            self.result = stream.finish()
            self._on_end(self, self.result)
        except DebuggerError as error:
            self.error = error
        except Exception as error:  # a page must report something, whatever broke
            _log.exception("a turn failed")
            self.result = None
            reason = f"The turn failed unexpectedly ({type(error).__name__})."
            if self.progress.sent is not None:
                self.error = OutcomeUnknownError(reason, advice="Check whether the record holds it.")
            else:
                self.error = DebuggerError(reason, advice="The log of the program says more.")
        finally:
            self._ended_at = time.monotonic()
            self._done.set()


class BackgroundCall(Generic[Outcome]):
    """A call on a thread of its own, whose outcome is collected later.

    Args:
        call: The call; it may raise a `DebuggerError`.
    """

    def __init__(self, call: Callable[[], Outcome]) -> None:
        self.outcome: Outcome | None = None
        self.error: DebuggerError | None = None
        self._call = call
        self._done = threading.Event()
        threading.Thread(target=self._run, name="session-read", daemon=True).start()

    @property
    def busy(self) -> bool:
        """Return whether the call has not returned."""
        return not self._done.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, and return whether it came in time (seconds)."""
        return self._done.wait(timeout)

    def _run(self) -> None:
        try:
            self.outcome = self._call()
        except DebuggerError as error:
            self.error = error
        except Exception as error:  # a page must report something, whatever broke
            _log.exception("reading a record failed")
            self.error = DebuggerError(f"The record could not be read ({type(error).__name__}).")
        finally:
            self._done.set()

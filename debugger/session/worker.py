"""The thread that pulls a turn, so that a slow one never blocks a page.

It never touches a user interface: it hands its events to a function that puts them where whoever looks reads
them when it likes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from debugger.backends.base import TurnStream
from debugger.engine.control import Control
from debugger.errors import DebuggerError
from debugger.protocol.events import Event
from debugger.protocol.runs import TurnLog, TurnResult

_log = logging.getLogger(__name__)


class Worker:
    """Pulls one turn, or some background work, on a thread of its own.

    Args:
        log: What is pulled, as it is looked at.
        begin: Begins it; called on the thread, since it may already have to wait.
        receive: Takes each event as it is pulled, on the thread; the next is pulled when it returns.
        control: The person's hand on it.
    """

    def __init__(
        self,
        log: TurnLog,
        begin: Callable[[Worker], TurnStream],
        receive: Callable[[Worker, Event], None],
        control: Control,
    ) -> None:
        self.log = log
        self.cancelled = threading.Event()
        """Set to end it early."""
        self.control = control
        """The hand on it, bound once it has begun on a backend that lets one in."""
        self.run_id: str | None = None
        """Its run, as soon as that is known."""
        self._begin = begin
        self._receive = receive
        self._done = threading.Event()
        self.result: TurnResult | None = None
        """How it ended; ``None`` until then, and for good when it could not be run."""
        self.error: DebuggerError | None = None
        """Why it could not be run."""
        self._began = time.monotonic()
        self._ended: float | None = None
        threading.Thread(target=self._pull, name="turn", daemon=True).start()

    @property
    def busy(self) -> bool:
        """Whether it is still under way."""
        return not self._done.is_set()

    @property
    def elapsed(self) -> float:
        """Seconds since it began, or that it took."""
        return (time.monotonic() if self._ended is None else self._ended) - self._began

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; whether it came in time (seconds)."""
        return self._done.wait(timeout)

    def _pull(self) -> None:
        try:
            stream = self._begin(self)
            self.run_id = stream.run_id
            for event in stream:
                self._receive(self, event)
            self.result = stream.result
        except DebuggerError as error:
            self.error = error
        except Exception as error:  # a page must say something, whatever broke
            _log.exception("a turn broke off")
            self.error = DebuggerError(
                f"The turn broke off unexpectedly ({type(error).__name__}).",
                advice="The run stands at its last finished turn; the log of the program says more.",
            )
        finally:
            self._ended = time.monotonic()
            self._done.set()

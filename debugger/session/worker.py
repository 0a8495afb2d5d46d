"""The thread that pulls a turn, so that a slow one never blocks a page.

It never touches a user interface: it appends to a list that whoever looks reads when it likes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from debugger.backends.base import TurnStream
from debugger.errors import DebuggerError
from debugger.protocol.events import Event
from debugger.protocol.runs import TurnResult

_log = logging.getLogger(__name__)


class Worker:
    """Pulls one turn on a thread of its own.

    Args:
        begin: Begins the turn; called on the thread, since it may already have to wait.
        receive: Takes each event as it is pulled.
    """

    def __init__(self, begin: Callable[[], TurnStream], receive: Callable[[Event], None]) -> None:
        self._begin = begin
        self._receive = receive
        self._done = threading.Event()
        self.result: TurnResult | None = None
        """How the turn ended; ``None`` until then, and for good when it could not be run."""
        self.error: DebuggerError | None = None
        """Why the turn could not be run."""
        self._began = time.monotonic()
        self._ended: float | None = None
        threading.Thread(target=self._pull, name="turn", daemon=True).start()

    @property
    def busy(self) -> bool:
        """Whether the turn is still under way."""
        return not self._done.is_set()

    @property
    def elapsed(self) -> float:
        """Seconds since the turn began, or that it took."""
        return (time.monotonic() if self._ended is None else self._ended) - self._began

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the turn's end; whether it came in time (seconds)."""
        return self._done.wait(timeout)

    def _pull(self) -> None:
        try:
            stream = self._begin()
            for event in stream:
                self._receive(event)
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

"""Long runs read before a page asks for them: while a browser still loads what draws the page."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.session.recent_runs import recent_runs
from debugger.session.session import DebugSession


class ReadingAhead:
    """Reads one run at a time, in a thread of its own. Any number of threads may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def is_reading(self) -> bool:
        """Whether a run is being read."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self, backend: Callable[[], Backend], run_id: str) -> None:
        """Begin to read a run, unless another one is being read.

        Args:
            backend: Gives what has the run. What is read is kept as `debugger.session.recent_runs` keeps it.
            run_id: The run. One that there is not, or that cannot be read, is left to whoever opens it.
        """
        with self._lock:
            if not self.is_reading:
                self._thread = threading.Thread(target=_read, args=(backend, run_id), daemon=True)
                self._thread.start()


def _read(backend: Callable[[], Backend], run_id: str) -> None:
    try:
        session = DebugSession.opening(backend(), run_id)
        if recent_runs.keeps(session.unread):
            session.read(after_each=_let_others)
    except DebuggerError:
        return


def _let_others() -> None:
    time.sleep(0)  # lets go of Python's lock: the server sends the page meanwhile


reading_ahead = ReadingAhead()
"""That of this process."""

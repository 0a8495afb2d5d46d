"""Sessions and runs that this process shares between pages."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable

from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.session.loading import gc_paused, run_cache
from debugger.session.session import DebugSession

_UNTIL_DRAWN = 1.0
"""Seconds in which the page is drawn; the garbage collector runs after them."""


class RunPrefetcher:
    """Reads one long run at a time before a page opens it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: tuple[str, threading.Event] | None = None
        """The run that is read, or was last, and whether that is done."""

    @property
    def is_reading(self) -> bool:
        """Return whether a run is being read."""
        return self._under_way is not None and not self._under_way[1].is_set()

    def begin(self, backend: Callable[[], Backend], run_id: str) -> None:
        """Start to read a run on a thread, unless another one is being read.

        Args:
            backend: Returns the backend of the run. The result is in the cache of `debugger.session.loading`.
            run_id: The run. Errors are left to the page that opens it.
        """
        with self._lock:
            if self.is_reading:
                return
            done = threading.Event()
            self._under_way = run_id, done
        threading.Thread(target=_read, args=(backend, run_id, done), name="run-prefetch", daemon=True).start()

    def wait(self, run_id: str, timeout: float) -> None:
        """Wait until this run is read, for so many seconds at most."""
        with self._lock:
            name, done = self._under_way or ("", None)
        if done is not None and name == run_id:
            done.wait(timeout)


def _read(backend: Callable[[], Backend], run_id: str, done: threading.Event) -> None:
    """Read a long run into the cache, so that opening it finds its turns; set `done` at the end.

    A short run is not read. The backend's errors are swallowed: the page that opens the run reports them.
    """
    try:
        session = DebugSession.open_lazily(backend(), run_id)
        if run_cache.is_long(session.turns_to_load):
            with gc_paused():
                session.read(after_each=_let_others)
                done.set()
                time.sleep(_UNTIL_DRAWN)
    except DebuggerError:
        return
    finally:
        done.set()


def _let_others() -> None:
    time.sleep(0)  # lets go of Python's lock: the server sends the page meanwhile


prefetcher = RunPrefetcher()
"""That of this process."""


class LiveSessions:
    """Running sessions by tokens that cannot be guessed.

    Whoever has the link of a session shares it.

    A session is registered while a turn is executed or paused; all else can be read from the record.
    """

    def __init__(self) -> None:
        self._sessions: dict[str, DebugSession] = {}
        self._lock = threading.Lock()

    def token_of(self, session: DebugSession) -> str:
        """Return the token of a running session, made at the first call; ``""`` for an idle one.

        Idle sessions are forgotten, with their tokens.
        """
        with self._lock:
            self._sessions = {token: live for token, live in self._sessions.items() if live.is_executing}
            if not session.is_executing:
                return ""
            known = next((token for token, live in self._sessions.items() if live is session), None)
            if known is None:
                known = secrets.token_urlsafe(16)
                self._sessions[known] = session
            return known

    def find(self, token: str) -> DebugSession | None:
        """Return the running session of a token, else ``None``."""
        with self._lock:
            found = self._sessions.get(token)
        return found if found is not None and found.is_executing else None

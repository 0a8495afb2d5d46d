"""Readiness of the server."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.tools.sandbox import PythonStatus, python_status
from debugger.errors import DebuggerError, StoreDamagedError, StoreFileError

_log = logging.getLogger(__name__)

STORE_TIMEOUT_SECONDS = 2.0

SHUTTING_DOWN = "The server is shutting down."
NO_ANSWER = "The store does not answer."
UNUSABLE = "The store cannot be used."
FILE_GONE = "The file of the store was deleted, moved or replaced while it was open."
DAMAGED = "The store has a damaged page."
OTHER_TABLES = "The tables of the store are those of another version of this program."


class Readiness:
    """Checks whether requests can be answered.

    Args:
        backend: The backend of the app.
        timeout_seconds: Seconds until its store must have answered.
    """

    def __init__(self, backend: Backend, timeout_seconds: float = STORE_TIMEOUT_SECONDS) -> None:
        """Find out in which mode Python code runs, on an embedded backend; the store is not asked yet."""
        embedded = backend if isinstance(backend, EmbeddedBackend) else None
        self._store = embedded.store if embedded else None
        self.python: PythonStatus | None = (
            python_status(embedded.settings.inline_python) if embedded else None
        )
        """The mode in which Python code of workflows runs; ``None`` on another backend."""
        self._timeout_seconds = timeout_seconds
        self._is_shutting_down = False
        self._check: asyncio.Future[str | None] | None = None

    def shut_down(self) -> None:
        """Report from now on that the server is shutting down."""
        self._is_shutting_down = True

    async def problem(self) -> str | None:
        """Return the reason why the server is not ready, or ``None``.

        A server that is shutting down is not ready; a backend without a store here always is, otherwise. A
        store that does not answer in time gives `NO_ANSWER` and a warning in the log; the check goes on, and
        later calls wait for the same one. Errors of the store are reasons, and are not raised.
        """
        if self._is_shutting_down:
            return SHUTTING_DOWN
        if self._store is None:
            return None
        # One check at a time: while a store does not answer, all requests wait for the same check.
        if self._check is None or self._check.done():
            self._check = _run_on_thread(self._check_store)
        try:
            return await asyncio.wait_for(asyncio.shield(self._check), self._timeout_seconds)
        except TimeoutError:
            _log.warning("not ready: the store has not answered within %s seconds", self._timeout_seconds)
            return NO_ANSWER

    def _check_store(self) -> str | None:
        """Return why the store cannot be used, or ``None``; log its error instead of raising it.

        Tables of another version, a lost file and a damaged page have reasons of their own; all else is
        `UNUSABLE`.
        """
        assert self._store is not None
        try:
            return None if self._store.has_present_tables() else OTHER_TABLES
        except DebuggerError as error:
            _log.warning("not ready: %s", error)
            if isinstance(error, StoreFileError):
                return FILE_GONE
            if isinstance(error, StoreDamagedError):
                return DAMAGED
        except Exception:  # the probe is answered in any case
            _log.exception("not ready")
        return UNUSABLE


def _run_on_thread(check: Callable[[], str | None]) -> asyncio.Future[str | None]:
    """Run a check on a thread of its own, and return the future of its result on the running event loop.

    The threads for requests may all wait for the same store. The check must not raise: the future would never
    be done.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[str | None] = loop.create_future()

    def set_result(problem: str | None) -> None:
        if not future.done():
            future.set_result(problem)

    def run() -> None:
        problem = check()
        with suppress(RuntimeError):  # the server has ended meanwhile
            loop.call_soon_threadsafe(set_result, problem)

    threading.Thread(target=run, name="readiness", daemon=True).start()
    return future

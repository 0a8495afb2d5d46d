"""Whether the server can do its work."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.tools.sandbox import PythonStatus, python_status
from debugger.errors import DebuggerError

logger = logging.getLogger(__name__)

ANSWERS_WITHIN = 2.0
"""Seconds that the store may take to answer."""

ENDING = "The server is shutting down."
SILENT = "The store does not answer."
BROKEN = "The store cannot be used."
OTHER_TABLES = "The tables of the store are those of another version of this program."


class Readiness:
    """Looks whether requests can be answered.

    Args:
        backend: What runs the workflows.
        answers_within: Seconds that its store may take to answer.
    """

    def __init__(self, backend: Backend, answers_within: float = ANSWERS_WITHIN) -> None:
        embedded = backend if isinstance(backend, EmbeddedBackend) else None
        self._store = embedded.store if embedded else None
        self.python: PythonStatus | None = (
            python_status(embedded.settings.inline_python) if embedded else None
        )
        """The mode in which Python code of workflows runs; ``None`` where they run elsewhere."""
        self._answers_within = answers_within
        self._is_ending = False
        self._look: asyncio.Future[str | None] | None = None

    def end(self) -> None:
        """The server takes no further work."""
        self._is_ending = True

    async def reason_against(self) -> str | None:
        """Why the server is not ready, in a sentence that does not tell where the store is."""
        if self._is_ending:
            return ENDING
        if self._store is None:
            return None
        # One look at a time: those who ask while a store is silent wait for the same answer.
        if self._look is None or self._look.done():
            self._look = _on_thread(self._reason_in_store)
        try:
            return await asyncio.wait_for(asyncio.shield(self._look), self._answers_within)
        except TimeoutError:
            logger.warning("not ready: the store has not answered within %s seconds", self._answers_within)
            return SILENT

    def _reason_in_store(self) -> str | None:
        assert self._store is not None
        try:
            return None if self._store.has_present_tables() else OTHER_TABLES
        except DebuggerError as error:
            logger.warning("not ready: %s", error)
        except Exception:  # whoever asks must be answered, whatever broke
            logger.exception("not ready")
        return BROKEN


def _on_thread(look: Callable[[], str | None]) -> asyncio.Future[str | None]:
    """What comes of a look on a thread of its own: those for requests may all wait for the same store."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[str | None] = loop.create_future()

    def tell(reason: str | None) -> None:
        if not found.done():
            found.set_result(reason)

    def work() -> None:
        reason = look()
        with suppress(RuntimeError):  # the server has ended meanwhile
            loop.call_soon_threadsafe(tell, reason)

    threading.Thread(target=work, name="readiness", daemon=True).start()
    return found

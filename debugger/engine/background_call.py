"""Calls on threads of their own, waited for until they are cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Generic, TypeVar

Outcome = TypeVar("Outcome")

POLL_SECONDS = 0.05
"""Time between two checks of whether a wait was cancelled."""


class BackgroundCall(Generic[Outcome]):
    """A call on a thread of its own.

    Args:
        call: The call.
        name: The name of the thread.
    """

    def __init__(self, call: Callable[[], Outcome], name: str) -> None:
        """Start the call at once, on a daemon thread and in a copy of the caller's context variables."""
        self.done = threading.Event()
        """Set once the call has returned or raised."""
        self._call = call
        self._outcomes: list[Outcome] = []
        self._error: Exception | None = None
        # In the caller's context, by which the log of a browser tab knows its lines.
        threading.Thread(target=copy_context().run, args=(self._run,), name=name, daemon=True).start()

    @property
    def busy(self) -> bool:
        """Return whether the call has not returned."""
        return not self.done.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, and return whether it came in time (seconds)."""
        return self.done.wait(timeout)

    def result(self) -> Outcome:
        """Return the outcome of a call that has ended.

        Raises:
            Exception: The call raised it.
        """
        if self._error is not None:
            raise self._error
        return self._outcomes[0]

    def _run(self) -> None:
        """Make the call, keep its outcome or its exception for `result`, and set `done` in either case."""
        try:
            self._outcomes.append(self._call())
        except Exception as error:  # raised again where the outcome is used
            self._error = error
        finally:
            self.done.set()


def call_cancellable(cancelled: threading.Event, call: Callable[[], Outcome]) -> Outcome | None:
    """Make a call on a thread of its own and return its outcome; ``None`` when cancelled first.

    The cancellation is checked before the call is started, and every `POLL_SECONDS`. A cancelled call
    continues on its thread; its outcome, or its exception, is dropped.

    Raises:
        Exception: The call raised it.
    """
    if cancelled.is_set():
        return None
    running = BackgroundCall(call, "cancellable call")
    while not running.wait(POLL_SECONDS):
        if cancelled.is_set():
            return None
    return running.result()

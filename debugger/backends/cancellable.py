"""Calls that are waited for until they are cancelled."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

Outcome = TypeVar("Outcome")

POLL_SECONDS = 0.1
"""Time between two checks of whether a call was cancelled."""


def call_cancellable(cancelled: threading.Event, call: Callable[[], Outcome]) -> Outcome | None:
    """Call a function on a thread and return its outcome, or ``None`` as soon as the call is cancelled.

    A cancelled call continues on its thread; its outcome is dropped.

    Raises:
        Exception: The call raised it.
    """
    if cancelled.is_set():
        return None
    outcomes: queue.SimpleQueue[Outcome | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            outcomes.put(call())
        except Exception as error:
            outcomes.put(error)

    threading.Thread(target=work, name="hosted-turn", daemon=True).start()
    while not cancelled.is_set():
        try:
            outcome = outcomes.get(timeout=POLL_SECONDS)
        except queue.Empty:
            continue
        if isinstance(outcome, Exception):
            raise outcome
        return outcome
    return None

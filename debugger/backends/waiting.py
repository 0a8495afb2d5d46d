"""Waiting for a call, for only as long as someone wants its outcome."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

Outcome = TypeVar("Outcome")

LOOK_EVERY = 0.1
"""Seconds between two looks at whether a call was cancelled."""


def wait_unless(cancelled: threading.Event, call: Callable[[], Outcome]) -> Outcome | None:
    """What a call gives, or ``None`` as soon as it is cancelled: the call then goes on unheard.

    Raises:
        DebuggerError: The call raised it.
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
            outcome = outcomes.get(timeout=LOOK_EVERY)
        except queue.Empty:
            continue
        if isinstance(outcome, Exception):
            raise outcome
        return outcome
    return None

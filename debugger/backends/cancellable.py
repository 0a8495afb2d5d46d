"""Calls that are waited for until they are cancelled."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeVar

Outcome = TypeVar("Outcome")

POLL_SECONDS = 0.1
"""Time between two checks of whether a call was cancelled."""


MAX_IDLE = 8
"""Threads that are kept for the next calls; to start one takes 0.3 ms (tests/benchmarks/hosted_turn.py)."""


class _CallThread:
    """A thread that makes one call after another."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="hosted-turn", daemon=True).start()

    def start(self, call: Callable[[], None]) -> None:
        self._calls.put(call)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            del call  # and with it what it has answered

    def release(self) -> None:
        """Keep the thread for another call, or end it after this one."""
        if len(_idle) < MAX_IDLE:
            _idle.append(self)
        else:
            self._calls.put(None)


_idle: deque[_CallThread] = deque()


def call_cancellable(cancelled: threading.Event, call: Callable[[], Outcome]) -> Outcome | None:
    """Call a function on a thread and return its outcome, or ``None`` as soon as the call is cancelled.

    A cancelled call continues on its thread; its outcome is dropped.

    Raises:
        Exception: The call raised it.
    """
    if cancelled.is_set():
        return None
    outcomes: queue.SimpleQueue[Outcome | Exception] = queue.SimpleQueue()

    try:
        thread = _idle.pop()
    except IndexError:
        thread = _CallThread()

    def work() -> None:
        try:
            outcome: Outcome | Exception = call()
        except Exception as error:
            outcome = error
        thread.release()
        outcomes.put(outcome)

    thread.start(work)
    while not cancelled.is_set():
        try:
            outcome = outcomes.get(timeout=POLL_SECONDS)
        except queue.Empty:
            continue
        if isinstance(outcome, Exception):
            raise outcome
        return outcome
    return None

"""Limits of concurrent turns, in total and for each key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from debugger.errors import RateLimitError
from debugger.server.limits import MAX_CONCURRENT_TURNS

Result = TypeVar("Result")

MAX_CONCURRENT_STOPS = 8
"""Turns with the command ``stop`` that are executed at once, in addition."""
MAX_WAITING_TURNS = 100
"""Turns of one key that wait to be executed."""
RETRY_AFTER_SECONDS = 5.0


class QueueFullError(RateLimitError):
    """Too many turns of one key are waiting to be executed."""


class TurnLimiter:
    """Executor of turns on threads of their own, limited by key.

    The bound of a key is smaller than the number of threads: a key with slow turns leaves threads to the
    others. Turns of one key are executed in the order of their arrival. A stop has a limiter of its own: the
    turn that it ends may hold the last thread of its key. Other routes use the threads of FastAPI.

    Args:
        total: Turns that are executed at once.
        per_key: The same for one key; 0 is a quarter of the total.
        max_waiting: Turns of one key that wait; more are rejected.
    """

    def __init__(
        self,
        total: int = MAX_CONCURRENT_TURNS,
        per_key: int = 0,
        max_waiting: int = MAX_WAITING_TURNS,
    ) -> None:
        """Make one lane for turns, and one with `MAX_CONCURRENT_STOPS` threads for stops."""
        self._turns = _Lane(total, per_key, max_waiting)
        self._stops = _Lane(MAX_CONCURRENT_STOPS, 0, max_waiting)

    async def run(self, key_id: str | None, work: Callable[[], Result], *, is_stop: bool = False) -> Result:
        """Return the result of a function that is called on a thread; its errors leave unchanged.

        Args:
            key_id: The key of the caller; ``None`` on a server without keys, which has one user.
            work: The function.
            is_stop: The command of the turn is ``stop``.

        Raises:
            QueueFullError: Too many turns of the key are waiting.
        """
        return await (self._stops if is_stop else self._turns).run(key_id, work)


class _Lane:
    def __init__(self, total: int, per_key: int, max_waiting: int) -> None:
        """Make a lane with a number of threads.

        One key uses at most `per_key` of them; 0 is a quarter, at least one.
        """
        self._total = total
        self._per_key = min(total, per_key or max(1, total // 4))
        self._max_waiting = max_waiting
        self._threads = CapacityLimiter(total)
        self._keys: dict[str | None, _Key] = {}

    async def run(self, key_id: str | None, work: Callable[[], Result]) -> Result:
        """Run work in a thread once the key and the server have a free slot, and return its result.

        Without a key all threads are free for it. Errors of the work leave unchanged.

        Raises:
            QueueFullError: Too many turns of the key wait already.
        """
        key = self._keys.get(key_id)
        if key is None:
            key = self._keys[key_id] = _Key(self._total if key_id is None else self._per_key)
        if key.waiting >= self._max_waiting:
            raise QueueFullError(
                f"{key.waiting} turns of this key are waiting to be executed, and no more may.",
                retry_after=RETRY_AFTER_SECONDS,
                advice="Send the turn again once some of them have ended.",
            )
        key.waiting += 1
        try:
            await key.slots.acquire()
        finally:
            key.waiting -= 1
        try:
            return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._threads)
        finally:
            key.slots.release()


class _Key:
    __slots__ = ("slots", "waiting")

    def __init__(self, slots: int) -> None:
        self.slots = asyncio.Semaphore(slots)
        self.waiting = 0

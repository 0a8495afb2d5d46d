"""The threads that turns run on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

MOST = 64
"""How many turns run at once in a process; most of their time they wait for models and tools."""
SHORT_SECONDS = 0.02
"""How long a turn may take until it counts as one that waits for something outside."""

_threads = ThreadPoolExecutor(MOST, thread_name_prefix="turn")


class TurnThreads:
    """Runs turns on threads, for one event loop: short ones few at a time, long ones beside them.

    A turn that waits for nobody computes for less than a millisecond. Of 16 such turns at once only one can
    compute, and the others take half as much again of the processor in handing Python's lock to each other.
    So they stand in line; as soon as one takes long the next begins, as if it were over.

    FastAPI's own threads, of which there are 40 for all other routes together, cost more: they wait in queues
    that are written in Python. And with threads apart, turns that take long leave some to the routes that
    only read.
    """

    def __init__(self) -> None:
        self._short = 0
        """Turns that have begun a short while ago."""
        self._line: deque[asyncio.Future[None]] = deque()

    async def run(
        self, at_once: int, work: Callable[Given, Answer], *args: Given.args, **kwargs: Given.kwargs
    ) -> Answer:
        """Call a function on one of the threads, and wait until it has done its work.

        Args:
            at_once: How many short ones may go on side by side.
            work: The function.
            args: What it is called with, like the next.
            kwargs: By name.
        """
        await self._stand_in_line(at_once)
        loop = asyncio.get_running_loop()
        place = _Place(self._let_in)
        takes_long = loop.call_later(SHORT_SECONDS, place.leave)
        try:
            return await loop.run_in_executor(_threads, partial(work, *args, **kwargs))
        finally:
            takes_long.cancel()
            place.leave()

    async def _stand_in_line(self, at_once: int) -> None:
        if self._short < at_once:
            self._short += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._let_in()
            raise

    def _let_in(self) -> None:
        """Let the next in line take a place that has become free."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._short -= 1


class _Place:
    """A place among the short turns, which is left once."""

    __slots__ = ("_leave",)

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave: Callable[[], None] | None = leave

    def leave(self) -> None:
        """Make room for the next, unless that is done already."""
        if self._leave is not None:
            self._leave()
        self._leave = None

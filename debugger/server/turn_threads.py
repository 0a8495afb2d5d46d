"""The threads that turns run on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

SHORT_SECONDS = 0.005
"""How long a turn may take until it counts as one that waits for something outside."""
LOOK_SECONDS = 0.01
"""How often the event loop looks after the turns under way: as long as an answer may lie about."""


class TurnThreads:
    """Runs turns on threads, for one event loop: short ones in a row, long ones beside them.

    A turn that waits for nobody computes for less than a millisecond, and of 16 such turns at once only one
    can compute. To hand each of them to a thread of its own, and its answer back, takes half as long again.
    So they stand in line: one thread takes one after the other, and hands the answers over when the line is
    empty, or when the event loop looks after them. Where a turn takes long, others go on with the line: one,
    and twice as many as before each time that the line stands still again.

    FastAPI's own threads, of which there are 40 for all other routes together, cost more: they wait in queues
    that are written in Python. And with threads apart, turns that take long leave some to the routes that
    only read.

    Args:
        most: Turns that are executed at once.
        name: What the threads are called.
    """

    def __init__(self, most: int, name: str = "turn") -> None:
        self._limit = most
        self._threads = ThreadPoolExecutor(most, thread_name_prefix=name)
        self._line: deque[_Job] = deque()
        self._done: deque[_Job] = deque()
        """What is to be handed over."""
        self._workers: set[_Worker] = set()
        """Who works through the line, apart from those whose turn takes long."""
        self._most = 1
        """How many may."""
        self._lock = threading.Lock()
        """Of the workers: none may leave the line while something is put there."""
        self._next_look: asyncio.TimerHandle | None = None

    async def run(self, work: Callable[Given, Answer], *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        """Call a function on one of the threads, and wait until it has done its work.

        Args:
            work: The function.
            args: What it is called with, like the next.
            kwargs: By name.
        """
        loop = asyncio.get_running_loop()
        job = _Job(partial(work, *args, **kwargs), loop.create_future())
        self._line.append(job)
        with self._lock:
            if not self._workers:
                self._employ(loop)
        if self._next_look is None:
            self._next_look = loop.call_later(LOOK_SECONDS, self._look, loop)
        answer: Answer = await job.answer
        return answer

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hand over what is done, and see that the line goes on."""
        self._hand_over()
        with self._lock:
            long = {worker for worker in self._workers if worker.takes_long()}
            stands_still = bool(self._line) and long == self._workers
            self._most = min(2 * self._most, self._limit) if stands_still else max(self._most // 2, 1)
            self._workers -= long
            for _ in range(min(self._most - len(self._workers), len(self._line))):
                self._employ(loop)
            goes_on = bool(self._workers)
        self._next_look = loop.call_later(LOOK_SECONDS, self._look, loop) if goes_on else None

    def _employ(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let one more thread work through the line."""
        worker = _Worker()
        self._workers.add(worker)
        self._threads.submit(self._work, worker, loop)

    def _work(self, worker: _Worker, loop: asyncio.AbstractEventLoop) -> None:
        """Work through the line, on one of the threads."""
        while job := self._take(worker):
            job.do()
            self._done.append(job)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self._hand_over)

    def _take(self, worker: _Worker) -> _Job | None:
        """What a worker does next; ``None`` when the line is empty, or others are enough for it."""
        with self._lock:
            self._workers.discard(worker)
            if not self._line or len(self._workers) >= self._most:
                return None
            self._workers.add(worker)
            worker.begun = time.monotonic()
            return self._line.popleft()

    def _hand_over(self) -> None:
        """Give the answers to those who wait for them."""
        while self._done:
            self._done.popleft().hand_over()


class _Job:
    """Work that somebody waits for."""

    __slots__ = ("_error", "_value", "_work", "answer")

    def __init__(self, work: Callable[[], Any], answer: asyncio.Future[Any]) -> None:
        self.answer = answer
        self._work = work
        self._value: Any = None
        self._error: BaseException | None = None

    def do(self) -> None:
        """Do it, unless nobody waits any more."""
        if self.answer.cancelled():
            return
        try:
            self._value = self._work()
        except BaseException as error:
            self._error = error

    def hand_over(self) -> None:
        """On the event loop: say how it went."""
        if self.answer.done():
            return
        if self._error is None:
            self.answer.set_result(self._value)
        else:
            self.answer.set_exception(self._error)


class _Worker:
    """A thread that works through the line."""

    __slots__ = ("begun",)

    def __init__(self) -> None:
        self.begun = float("inf")
        """When it took what it is at, by the monotonic clock; never while it has not taken anything."""

    def takes_long(self) -> bool:
        """Whether it is at something that waits."""
        return self.begun < time.monotonic() - SHORT_SECONDS

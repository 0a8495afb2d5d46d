from __future__ import annotations

import asyncio
import threading
import time

import pytest

from debugger.server import turn_threads
from debugger.server.turn_threads import TurnThreads

MOST = 32


@pytest.fixture
def all_short(monkeypatch):
    """No turn takes long."""
    monkeypatch.setattr(turn_threads, "SHORT_SECONDS", 600)


@pytest.mark.usefixtures("all_short")
def test_short_turns_go_on_one_after_the_other():
    under_way, most = 0, 0

    def work():
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        time.sleep(0.001)  # lets others run where they may
        under_way -= 1

    async def play():
        threads = TurnThreads(MOST)
        await asyncio.gather(*(threads.run(work) for _ in range(20)))

    asyncio.run(play())

    assert most == 1


@pytest.mark.usefixtures("all_short")
def test_who_leaves_the_line_keeps_nobody_from_going_on():
    may_end = threading.Event()

    async def play():
        threads = TurnThreads(MOST)
        first = asyncio.create_task(threads.run(may_end.wait))
        second = asyncio.create_task(threads.run(may_end.wait))
        third = asyncio.create_task(threads.run(may_end.wait))
        await asyncio.sleep(0)
        second.cancel()
        may_end.set()
        await asyncio.gather(first, third)
        return await asyncio.wait_for(threads.run(lambda: "went on"), 30)

    assert asyncio.run(play()) == "went on"


def test_an_answer_waits_for_no_turn_that_takes_long():
    may_end = threading.Event()

    async def play():
        threads = TurnThreads(MOST)
        short = asyncio.create_task(threads.run(lambda: "short"))
        long = asyncio.create_task(threads.run(may_end.wait, 30))
        behind = asyncio.create_task(threads.run(lambda: "behind"))
        answers = await asyncio.wait_for(asyncio.gather(short, behind), 10)
        assert not long.done()
        may_end.set()
        return *answers, await long

    assert asyncio.run(play()) == ("short", "behind", True)


def test_an_error_of_a_turn_reaches_who_waits_for_it_and_the_next_turn_goes_on():
    def fail():
        raise ValueError("out of order")

    async def play():
        threads = TurnThreads(MOST)
        return await asyncio.gather(threads.run(fail), threads.run(lambda: "fine"), return_exceptions=True)

    failed, fine = asyncio.run(play())

    assert isinstance(failed, ValueError) and fine == "fine"


def test_turns_that_take_long_go_on_side_by_side():
    count = MOST // 2
    all_there = threading.Barrier(count)

    async def play():
        threads = TurnThreads(MOST)
        waiting = (threads.run(all_there.wait, 30) for _ in range(count))
        return await asyncio.gather(*waiting)

    assert sorted(asyncio.run(play())) == list(range(count))

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from debugger.server import turn_threads
from debugger.server.turn_threads import MOST, TurnThreads
from tests.conformance.graphs import direct, graph, http, static
from tests.conformance.served import create, execute, spoken
from tests.engine.outbound.http_server import HttpServer

LIBRARY_THREADS = 40
"""How many FastAPI has for routes that may wait."""


@pytest.fixture
def waiting():
    """A service that keeps everyone waiting who asks it: how many do, and what lets them go."""
    asked, may_go = threading.Semaphore(0), threading.Event()

    def hold(handler):
        asked.release()
        may_go.wait(30)
        handler.send_json({})

    with HttpServer(hold=hold) as server:
        yield f"{server.url}/hold", asked, may_go
        may_go.set()


def test_turns_that_wait_leave_threads_to_what_only_reads(api, waiting):
    url, asked, may_go = waiting
    workflow_id = create(api, graph(http("call", url), static("done", "Done"), direct("call", "done")))
    with ThreadPoolExecutor(MOST) as clients:
        answers = [clients.submit(execute, api, workflow_id) for _ in range(LIBRARY_THREADS + 1)]
        for _ in answers:
            assert asked.acquire(timeout=30)

        assert api.get("/v1/workflows").status_code == 200

        may_go.set()
        assert {spoken(answer.result().json())[0] for answer in answers} == {"Done"}


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
        threads = TurnThreads()
        await asyncio.gather(*(threads.run(work) for _ in range(20)))

    asyncio.run(play())

    assert most == 1


@pytest.mark.usefixtures("all_short")
def test_who_leaves_the_line_keeps_nobody_from_going_on():
    may_end = threading.Event()

    async def play():
        threads = TurnThreads()
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
        threads = TurnThreads()
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
        threads = TurnThreads()
        return await asyncio.gather(threads.run(fail), threads.run(lambda: "fine"), return_exceptions=True)

    failed, fine = asyncio.run(play())

    assert isinstance(failed, ValueError) and fine == "fine"


def test_turns_that_take_long_go_on_side_by_side():
    count = MOST // 2
    all_there = threading.Barrier(count)

    async def play():
        threads = TurnThreads()
        waiting = (threads.run(all_there.wait, 30) for _ in range(count))
        return await asyncio.gather(*waiting)

    assert sorted(asyncio.run(play())) == list(range(count))

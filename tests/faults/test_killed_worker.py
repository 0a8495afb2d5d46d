"""The process that executes a turn is killed, starts again, and the user goes on with the run.

Seen once: three GETs in one turn after *Send again*. GETs are counted on both sides: those of the workflow's
tool, each of which is one execution, and those of the record. ``CAMPAIGN_SEED`` repeats the tries.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from random import Random

import pytest

from debugger.backends.hosted.client import MAX_RETRIES
from debugger.session.session import DebugSession
from tests.conformance.served import record
from tests.faults.campaign import open_backend
from tests.faults.fault import EXECUTE, RUN, RUNS, Fault
from tests.faults.page import Page
from tests.faults.plan import Timing
from tests.faults.proxy import fault_proxy
from tests.faults.servers import OTHER_USER, PATIENCE, marked, started

SEED = os.environ.get("CAMPAIGN_SEED", "2026")
TRIES = 200
SHARE = 20
SERVERS = 2
CHANNELS = ("rest", "socket")
TIMING = Timing(0.25)
TURN_TIMEOUT = 10.0
"""Seconds; no turn is late by itself."""
MAX_SENDS = 8
OFTEN = 1_000
READS_OF_A_TURN = 1
"""Reads of the record that an answered turn may need: for the version whose graph the run continues in."""


@dataclass
class Try:
    """Outcome of one text whose execution was broken off by a kill."""

    text: str
    moment: str
    chosen: int = 0
    """How often the user pressed *Send again (may run twice)*."""
    calls: int = 0
    """Calls of the tool."""
    recorded: int = 0
    """Turns with this text on record."""
    calls_of_turns: list[int] = field(default_factory=list)
    """Calls of the tool in each of them."""
    denied: list[str] = field(default_factory=list)
    """Statements by which the page offered the text although the record had it."""
    reads: list[int] = field(default_factory=list)
    """Reads of the record in each turn that was sent again and answered at once."""
    path: list[str] = field(default_factory=list)
    """What the page said after each command."""


def open_page(server, port, channel):
    """Return a context manager of a client, and the page that uses it."""
    backend = open_backend(port, channel, TIMING, TURN_TIMEOUT)
    return closing(backend), Page(DebugSession(backend, server.workflow_id))


@contextmanager
def killing(server, moment, pause=0.0, away=0.0):
    """Kill the server in the next turn, and start it again; yields the event of its return."""
    is_back = threading.Event()
    server.called.clear()
    if moment == "in the call":
        server.may_answer.clear()

    def kill():
        if moment != "before the call":
            server.called.wait(5)
        time.sleep(pause)
        server.kill()
        server.may_answer.set()
        time.sleep(away)
        server.start()
        is_back.set()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield is_back
    finally:
        killer.join()


def count_calls(server, text):
    """Return how often a turn with a text has called the tool."""
    return sum(execution.text == text for execution in server.executions())


def read_turns(server, run_id, text):
    """Return the turns with a text that are on record in a run."""
    if run_id is None:
        return []
    with server.client(OTHER_USER) as api:
        pairs = record(api, run_id)["input_output_pairs"]
    return [pair for pair in pairs if pair["run_input"]["dynamic_variables"].get("word") == marked(text)]


def strike(rng, channel, server, proxy, text):
    """Send a text, kill the server meanwhile, and send it until it is there."""

    def count_reads():
        return proxy.requests[RUN] + proxy.requests[RUNS]

    client, page = open_page(server, rng.choice([proxy.port, server.port]), channel)
    with client:
        for turn in range(rng.choice([0, 1, 1, 2])):
            page.send(f"{text}, {turn} before it")
        tried = Try(text, rng.choice(["before the call", "in the call", "after the call"]))
        pause = rng.choice([0, 0.001, 0.002, 0.004, 0.008, 0.016])
        away = rng.choice([0, 0, 0.5, 1, 2]) * TIMING.timeout
        is_patient = rng.random() < 0.7
        with killing(server, tried.moment, pause, away) as is_back:
            page.send(text)
            tried.path.append(page.statement)
            while (page.cannot_tell or (page.offered and not page.is_over)) and len(tried.path) < MAX_SENDS:
                if is_patient or len(tried.path) > 1:
                    assert is_back.wait(PATIENCE)
                reads = count_reads()
                if page.cannot_tell:
                    tried.chosen += 1
                    page.send_again()
                else:
                    if is_back.is_set() and read_turns(server, page.run_id, text):
                        tried.denied.append(page.statement)
                    page.send(page.offered)
                tried.path.append(page.statement)
                if is_back.is_set() and page.session.error is None and not page.session.notice:
                    tried.reads.append(count_reads() - reads)
        tried.calls = count_calls(server, text)
        turns = read_turns(server, page.run_id, text)
        tried.recorded = len(turns)
        tried.calls_of_turns = [
            sum(event["type"] == "http_request" for event in turn["run_output"]["events"]) for turn in turns
        ]
    return tried


def strike_often(channel, tries, folder, number):
    """Strike turns of one server of its own, one after the other."""
    folder.mkdir()
    rng = Random(f"{SEED} killed {channel} {number}")
    tried = []
    with started("ours", folder) as server, fault_proxy(server.port) as proxy:
        for place in range(tries // SERVERS):
            tried.append(strike(rng, channel, server, proxy, f"try {number}.{place}"))
            print(tried[-1])
    return tried


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    "tries", [TRIES // SHARE, pytest.param(TRIES, marks=pytest.mark.campaign)], ids=["few", "all"]
)
def test_killed_turn_is_executed_once_for_each_choice(channel, tries, tmp_path):
    with ThreadPoolExecutor(SERVERS) as threads:
        work = [threads.submit(strike_often, channel, tries, tmp_path / str(n), n) for n in range(SERVERS)]
        tried = [one for done in work for one in done.result()]

    counts = Counter((one.moment, f"chosen {one.chosen}", f"calls {one.calls}") for one in tried)
    print(f"\nseed {SEED}, {channel}, {len(tried)} tries")
    print("\n".join(f"{' '.join(key):45} {count}" for key, count in sorted(counts.items())))
    reads = Counter(number for one in tried for number in one.reads)
    print(f"reads of the record in turns that were sent again: {sorted(reads.items())}")
    assert [one for one in tried if one.denied] == []
    assert [one for one in tried if one.recorded != 1 or one.calls_of_turns != [1]] == []
    assert [one for one in tried if not 1 <= one.calls <= 1 + one.chosen] == []
    assert max(reads, default=0) <= READS_OF_A_TURN


@pytest.mark.parametrize("earlier", [0, 1])
@pytest.mark.parametrize("channel", CHANNELS)
def test_turn_killed_in_its_call_is_asked_about(channel, earlier, tmp_path):
    with started("ours", tmp_path) as server:
        client, page = open_page(server, server.port, channel)
        with client:
            for turn in range(earlier):
                page.send(f"turn {turn}")
            with killing(server, "in the call"):
                page.send("struck")
            deadline = time.monotonic() + PATIENCE
            while page.session.unstored_turn is None:
                assert page.cannot_tell and time.monotonic() < deadline, page.statement
                page.check_now()

            calls = page.session.unstored_turn.calls
            assert ["/count" in call["target"] for call in calls] == [True]
            page.check_now()
            page.send("another")
            assert page.cannot_tell
            assert (count_calls(server, "struck"), count_calls(server, "another")) == (1, 0)

            page.send_again()

            assert (page.cannot_tell, page.offered, count_calls(server, "struck")) == (False, "", 2)
            assert len(read_turns(server, page.run_id, "struck")) == 1
            assert [texts for _, texts, _ in page.turns][earlier:] == [["struck"]]


def test_look_at_gateway_of_dead_server_is_three_gets(tmp_path):
    """A read of the record is repeated twice after a 502; a turn that is sent again needs none."""
    down = {"kind": "replace answer", "status": 502, "is_forwarded": False, "times": OFTEN}
    with started("ours", tmp_path) as server, fault_proxy(server.port) as proxy:
        client, page = open_page(server, proxy.port, "rest")
        with client:
            page.send("one")
            proxy.arm(Fault(target=EXECUTE, **down), Fault(target=RUN, **down))
            page.send("two")
            before = proxy.requests[RUN]
            page.check_now()
            looked = proxy.requests[RUN]
            proxy.disarm()
            page.send_again()

            assert (looked - before, proxy.requests[RUN] - looked) == (1 + MAX_RETRIES, 0)
            assert (page.cannot_tell, page.offered, count_calls(server, "two")) == (False, "", 1)


def test_sent_again_after_restart_executes_no_recorded_turn(tmp_path):
    """The turn is on record, its answer and the reads of the record are lost, and the server starts again."""
    with started("ours", tmp_path) as server, fault_proxy(server.port) as proxy:
        client, page = open_page(server, proxy.port, "rest")
        with client:
            page.send("one")
            proxy.arm(
                Fault(kind="drop", target=EXECUTE, times=OFTEN),
                Fault(kind="drop", target=RUN, is_forwarded=False, times=OFTEN),
            )
            page.send("two")
            assert (page.cannot_tell, count_calls(server, "two")) == (True, 1)
            with server.restarting():
                proxy.disarm()

            page.send_again()

            assert (count_calls(server, "two"), page.offered) == (1, "")
            assert len(read_turns(server, page.run_id, "two")) == 1

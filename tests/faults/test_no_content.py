"""A gateway answers turns with 204, a status without content.

Seen once on our own server: a turn that was executed and answered with 204 was executed a second time without
a choice of its user. It takes more than the 204: the last read of the record has to be an answer of a cache,
from before the turn. ``CAMPAIGN_SEED`` repeats the tries.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random

import pytest

from debugger.session.session import DebugSession
from tests.faults.campaign import open_backend
from tests.faults.fault import EXECUTE, RUN, RUNS
from tests.faults.gateway import PASS, Gateway, Reply
from tests.faults.page import Page
from tests.faults.plan import SHORT
from tests.faults.servers import started
from tests.faults.tally import compare
from tests.faults.user import Conversation, Said, User

SEED = os.environ.get("CAMPAIGN_SEED", "2026")
TRIES = 200
SHARE = 20
TURNS = 5
"""Turns of a run, each of which is one try."""

_PAGE = b'{"detail": "by the gateway"}'


def head(status, **fields):
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {text}" for name, text in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode()


NO_CONTENT = {
    "bare": head("204 No Content"),
    "length 0": head("204 No Content", Content_Length=0, Content_Type="application/json"),
    "closed": head("204 No Content", Connection="close"),
    "with a body": head("204 No Content", Content_Length=len(_PAGE), Content_Type="application/json") + _PAGE,
    "in chunks": head("204 No Content", Transfer_Encoding="chunked") + b"0\r\n\r\n",
    "followed by a 200": head("204 No Content") + head("200 OK", Content_Length=2) + b"{}",
}


def repeat(former):
    """Return what a cache answers that does not tell the age of an answer."""
    fields = {"Content_Type": "application/json", "Content_Length": len(former.answer)}
    return Reply(head("200 OK", **fields) + former.answer, "never")


class Plan:
    """Strikes of the next turn, and of the reads that follow it.

    Args:
        rng: Draws it.
    """

    def __init__(self, rng):
        self._rng = rng
        self._turn = None
        self._reads = []
        self._former = {}
        self.tries = Counter()

    def arm(self):
        """Draw a strike for the next turn, and return its name."""
        rng = self._rng
        kind = rng.choice(list(NO_CONTENT))
        forwards = rng.choices(["before", "after", "never"], [5, 3, 1])[0]
        late = rng.choice([0.0, 0.02, 0.1, 0.5 * SHORT.timeout, 1.5 * SHORT.timeout])
        self._turn = Reply(NO_CONTENT[kind], forwards, late)
        self._reads = [self._read() for _ in range(rng.choice([0, 0, 1, 2, 4, 8]))]
        self.tries[kind, forwards] += 1
        return f"{kind}, {forwards}"

    def _read(self):
        kind = self._rng.choice(["pass", "204", "503", "dropped", "former"])
        raw = {
            "204": NO_CONTENT[self._rng.choice(list(NO_CONTENT))],
            "503": head("503 Service Unavailable", Content_Length=0),
            "dropped": b"",
        }
        return kind if kind == "former" else Reply(raw.get(kind), "never" if kind in raw else "before")

    def choose(self, seen):
        """Return what happens to a request."""
        if seen.target == EXECUTE and self._turn is not None:
            reply, self._turn = self._turn, None
            return reply
        if seen.target in (RUN, RUNS) and self._reads:
            reply = self._reads.pop(0)
            return self._cached(seen) if reply == "former" else reply
        return PASS

    def _cached(self, seen):
        """Return the answer that the same address had before."""
        former = self._former.get(seen.path)
        if former is None or former.status != 200:
            self._former[seen.path] = seen
            return PASS
        return repeat(former)


def converse(server, number):
    """Talk once, each turn struck; return the conversation and the tries."""
    seed = f"{SEED} no content {number}"
    plan = Plan(Random(seed))
    talk, trace = Conversation(f"run {number}"), []
    with (
        Gateway(server.port, plan.choose) as gateway,
        closing(open_backend(gateway.server_port, "rest", SHORT)) as backend,
    ):
        page = Page(DebugSession(backend, server.workflow_id))
        user = User(page, Random(f"{seed} user"), gateway.wait_for_late, trace.append, 0.0)
        for turn in range(1, TURNS + 1):
            talk.said.append(Said(f"run {number} turn {turn}", plan.arm(), is_struck=True))
            user.say(talk.said[-1])
        gateway.wait_for_late()
        if page.run_id is not None:
            page.look()
            if page.has_newer_turns:
                page.load_newer_turns()
        talk.run_id, talk.view, talk.differing = page.run_id, page.turns, page.differing
    talk.trace = list(enumerate(trace))
    return talk, plan.tries


@pytest.mark.parametrize(
    "tries", [TRIES // SHARE, pytest.param(TRIES, marks=pytest.mark.campaign)], ids=["few", "all"]
)
def test_no_content_doubles_no_turn(tries, tmp_path):
    with started("ours", tmp_path) as server, ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda number: converse(server, number), range(tries // TURNS)))
        talks = [talk for talk, _ in results]
        found = compare(talks, server.executions(), server.records(), has_ids=True)

    struck = sum((tries for _, tries in results), Counter())
    asked = sum(said.is_asked for talk in talks for said in talk.said)
    counts = dict(Counter(finding.kind for finding in found))
    print(f"\nseed {SEED}: {struck.total()} tries, {asked} decided by the user: {counts}\n{struck}")
    traces = {talk.name: [line for _, line in talk.trace] for talk in talks}
    for finding in found:
        print(finding, *traces.get(finding.talk, []), sep="\n")
    assert struck.total() == tries
    assert found == []


def test_former_record_after_no_content_doubles_no_turn(tmp_path):
    """The record as it was two turns ago is no evidence, and the message keeps its client turn id."""
    former, is_struck = [], [False]

    def choose(seen):
        if seen.target == RUN and is_struck[0]:
            return repeat(former[0])
        if seen.target == RUN:
            former.append(seen)
        return Reply(NO_CONTENT["bare"]) if seen.target == EXECUTE and is_struck[0] else PASS

    with (
        started("ours", tmp_path) as server,
        Gateway(server.port, choose) as gateway,
        closing(open_backend(gateway.server_port, "rest", SHORT)) as backend,
    ):
        page = Page(DebugSession(backend, server.workflow_id))
        page.send("one")
        page.look()
        page.send("two")
        page.send("three")
        is_struck[0] = True
        page.send("four")
        is_struck[0] = False
        assert [execution.text for execution in server.executions()] == ["one", "two", "three", "four"]
        for _ in range(8):
            if page.has_newer_turns:
                page.load_newer_turns()
            elif page.cannot_tell:
                page.check_now()
            elif page.offered:
                page.send(page.offered)

        assert [execution.text for execution in server.executions()] == ["one", "two", "three", "four"]
        assert [texts for _, texts, _ in page.turns] == [["one"], ["two"], ["three"], ["four"]]

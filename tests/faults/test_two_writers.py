"""Two processes send turns to one run.

No turn is executed on top of one that its process has not seen.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import ExitStack
from random import Random
from urllib.parse import parse_qs, urlsplit

import pytest

from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.session.session import DebugSession
from tests.faults.servers import counting_workflow
from tests.faults.writers import csv_of, open_backend, shown, writer
from tests.support.http_server import HttpServer
from tests.support.postgres import a_database, a_schema

SEED = os.environ.get("CAMPAIGN_SEED", "2026")
TURNS = 200
SHARE = 10


def alternate(database, turns):
    """Let two processes take turns; check the stored turns.

    Some turns are stale, some are simultaneous.
    """
    rng = Random(f"{SEED} two writers")
    with HttpServer(count=lambda to: to.send_json({})) as counter, ExitStack() as stack:
        backend = open_backend(database)
        stack.callback(backend.close)
        made = backend.create_workflow(counting_workflow(counter.url))
        first = DebugSession(backend, made.id)
        first.start(TurnInput.with_message(None))
        assert first.wait(60)
        pair = [stack.enter_context(writer(database, first.run_id)) for _ in range(2)]
        sent, refused = Counter(), Counter()
        number = 0
        while number < turns:
            number += 1
            if rng.random() < 0.3:  # at the same moment
                answers = [
                    (f"{name} {number}", one)
                    for name, one in zip("ab", pair, strict=True)
                    if one.ask(f"send {name} {number}") is None
                ]
                number += 1
                results = [(text, one.answer()) for text, one in answers]
            else:
                place = rng.randrange(2)
                if rng.random() < 0.6:  # else it may be stale
                    pair[place].do("look")
                    pair[place].do("load")
                text = f"{'ab'[place]} {number}"
                results = [(text, pair[place].do(f"send {text}"))]
            for text, result in results:
                if result["error"]:
                    assert result == {"error": "StaleTurnError", "unsent": text}
                    refused[text] += 1
                else:
                    sent[text] += 1
        views = []
        for one in pair:
            one.do("look")
            one.do("load")
            views.append(one.do("view"))
        record = DebugSession.open(backend, first.run_id)
        stored = [log.message for log in turn_logs(backend.run(first.run_id)) if log.message]
        words = (parse_qs(urlsplit(request.path).query).get("word") for request in counter.received)
        calls = Counter(word[0] for word in words if word)
        assert Counter(stored) == sent
        assert calls == sent
        assert set(calls.values()) == {1}
        assert refused
        for view in views:
            assert view["turns"] == shown(record)
            assert view["csv"] == csv_of(record)
        print(f"\nseed {SEED}: {sum(sent.values())} executed, {sum(refused.values())} refused as stale")


@pytest.mark.parametrize(
    "turns", [TURNS // SHARE, pytest.param(TURNS, marks=pytest.mark.campaign)], ids=["few", "all"]
)
def test_two_processes_on_sqlite(tmp_path, turns):
    alternate(f"sqlite:///{tmp_path}/runs.sqlite3", turns)


@pytest.mark.parametrize(
    "turns", [TURNS // SHARE, pytest.param(TURNS, marks=pytest.mark.campaign)], ids=["few", "all"]
)
def test_two_processes_on_postgresql(turns):
    with a_database() as database, a_schema(database) as url:
        alternate(url, turns)

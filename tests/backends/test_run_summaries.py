from __future__ import annotations

from contextlib import closing

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.run_summaries import RunSummaries
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.support.factories import direct, document, say, static


@pytest.fixture
def backend(tmp_path):
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules")
    with closing(EmbeddedBackend(settings)) as opened:
        yield opened


def talk(backend, workflow_id, text, run_id=None):
    return backend.execute(workflow_id, TurnInput.with_message(text), run_id=run_id).finish().run_id


def workflow(backend):
    nodes = static("hello", "Welcome"), say("chat")
    return backend.create_workflow(document(*nodes, direct("hello", "chat"))).id


@pytest.mark.parametrize("is_stored", [True, False])
def test_summaries_are_made_once_per_state_of_a_run(backend, monkeypatch, is_stored):
    workflow_id = workflow(backend)
    run_id = talk(backend, workflow_id, "A quokka, please")
    read = []
    record = backend.record
    monkeypatch.setattr(backend, "record", lambda run_id: read.append(run_id) or record(run_id))
    summaries = RunSummaries(backend, backend.store.run_facts if is_stored else None)

    first = summaries.read(backend.runs().rows, 5)
    again = summaries.read(backend.runs().rows, 5)
    talk(backend, workflow_id, "And a wombat", run_id)
    later = summaries.read(backend.runs().rows, 5)

    assert first == again
    assert read == [run_id, run_id]
    assert (first[run_id].first_words, first[run_id].turns) == ("A quokka, please", 1)
    assert (later[run_id].turns, later[run_id].path) == (2, ("hello", "chat"))


def test_time_limit_leaves_the_rest_to_the_next_reading(backend):
    workflow_id = workflow(backend)
    ids = [talk(backend, workflow_id, f"Hello {number}") for number in range(3)]
    summaries = RunSummaries(backend, backend.store.run_facts)
    rows = backend.runs().rows

    counts = [len(summaries.read(rows, 0)) for _ in ids]

    assert counts == [1, 2, 3]


def test_runs_outlive_their_workflow(backend):
    workflow_id = workflow(backend)
    run_id = talk(backend, workflow_id, "Hello")
    backend.delete_workflow(workflow_id)

    summary = RunSummaries(backend).read(backend.runs().rows, 5)[run_id]

    assert summary.names == {"hello": "Hello", "chat": "Chat"}

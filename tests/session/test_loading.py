from __future__ import annotations

import gc
import sqlite3
from contextlib import closing

import pytest

from debugger.analysis.run_projection import RunProjection
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import StoreError, UnsupportedError
from debugger.graph.graph import Graph
from debugger.protocol.runs import Turn, TurnInput
from debugger.session import loading
from debugger.session.loading import PartialRun
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.factories import direct, document, say, static, workflow


def test_garbage_collector_resumes_after_unreadable_record():
    seen = []

    def broken():
        seen.append(gc.isenabled())
        raise StoreError("The row is damaged.")

    with pytest.raises(StoreError):
        PartialRun(RunProjection(Graph(workflow(say("desk"))))).read_turns([broken])

    assert seen == [False]
    assert gc.isenabled()


@pytest.fixture
def backend(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "_LONG", 2)
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield backend
    backend.close()


@pytest.fixture
def read(monkeypatch):
    """The number of turns that were read since it was last emptied."""
    reads, from_wire = [], Turn.from_wire
    monkeypatch.setattr(Turn, "from_wire", lambda data: reads.append(1) or from_wire(data))
    return reads


def talk(backend, *lines, run_id=None):
    """A run in which a user says something."""
    if run_id is None:
        session = DebugSession(backend, backend.create_workflow(document(say("chat"))).id)
    else:
        session = DebugSession.open(backend, run_id)
    for line in lines:
        session.send(line)
        assert session.wait(10)
    return session.run_id


def told(session):
    readers = session.index.read(session.turns)
    return [turn.message for turn in session.turns], len(readers.timeline.rows), session.event_count


def test_long_run_opened_again_is_not_reread(backend, read):
    run_id = talk(backend, "one", "two", "three")
    first = DebugSession.open(backend, run_id)
    read.clear()

    again = DebugSession.open_lazily(backend, run_id)

    assert again.turns_to_load == 0
    again.read()
    assert read == []
    assert told(again) == told(first)
    assert again.hint == first.hint


def test_run_continued_elsewhere_reads_only_new_turns(backend, read):
    run_id = talk(backend, "one", "two")
    DebugSession.open(backend, run_id)
    talk(backend, "three", "four", run_id=run_id)
    read.clear()

    again = DebugSession.open_lazily(backend, run_id)

    assert again.turns_to_load == 2
    again.read()
    assert len(read) == 2
    assert told(again)[0] == ["one", "two", "three", "four"]
    assert [turn.number for turn in again.turns] == [1, 2, 3, 4]


def test_sessions_of_one_run_are_independent(backend):
    run_id = talk(backend, "one", "two")
    mine, yours = (DebugSession.open(backend, run_id) for _ in range(2))

    mine.send("three")
    assert mine.wait(10)

    messages, rows, events = told(mine)
    assert (messages, rows) == (["one", "two", "three"], events)
    messages, rows, events = told(yours)
    assert (messages, rows) == (["one", "two"], events)


def test_changed_run_is_read_again(backend, tmp_path, read):
    run_id = talk(backend, "one", "two", "three")
    DebugSession.open(backend, run_id)
    with closing(sqlite3.connect(tmp_path / "runs.sqlite3")) as connection, connection:
        connection.execute("DELETE FROM turns WHERE turn_number = 3")
    read.clear()

    again = DebugSession.open(backend, run_id)

    assert len(read) == 2
    assert told(again)[0] == ["one", "two"]


def test_oldest_run_makes_room(backend, monkeypatch):
    monkeypatch.setattr(loading, "_MOST", 1)
    first, second = (talk(backend, "one", "two") for _ in range(2))

    DebugSession.open(backend, first)
    DebugSession.open(backend, second)

    assert DebugSession.open_lazily(backend, first).turns_to_load == 2
    assert DebugSession.open_lazily(backend, second).turns_to_load == 0


def test_a_short_run_is_not_kept(backend):
    run_id = talk(backend, "one")

    DebugSession.open(backend, run_id)

    assert DebugSession.open_lazily(backend, run_id).turns_to_load == 1


class ForgetfulBackend(EmbeddedBackend):
    """Shows the graph of the active version only, as some APIs do."""

    def workflow(self, workflow_id, version_number=None):
        active = self.workflow_summary(workflow_id).active_version_number
        if version_number not in (None, active):
            raise UnsupportedError("The API shows the graph of the active version only.")
        return super().workflow(workflow_id, version_number)


@pytest.fixture
def forgetful(tmp_path):
    forgetful = ForgetfulBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield forgetful
    forgetful.close()


def finished_run(forgetful):
    """A workflow, and a run of its version 0."""
    kept = forgetful.create_workflow(document(static("a", "Hello"), static("b", "Bye"), direct("a", "b")))
    stream = forgetful.execute(kept.id, TurnInput())
    stream.finish()
    return kept.id, stream.run_id


def test_run_is_displayed_with_its_version(forgetful):
    _, run_id = finished_run(forgetful)

    session = DebugSession.open(forgetful, run_id)

    assert session.substitute_reason == ""
    assert [node.logical_id for node in session.workflow.node_configs] == ["a", "b"]


def test_run_displays_active_version_with_reason(forgetful):
    workflow_id, run_id = finished_run(forgetful)
    forgetful.create_version(workflow_id, mark_as_active=True)

    session = DebugSession.open(forgetful, run_id)

    assert session.substitute_reason == ("Drawn with v1, the run used v0. What v1 does not have is dashed.")
    assert session.version_number == 0
    assert [turn.number for turn in session.turns] == [1]


def test_run_of_deleted_workflow_can_be_displayed(forgetful):
    workflow_id, run_id = finished_run(forgetful)
    forgetful.delete_workflow(workflow_id)

    session = DebugSession.open(forgetful, run_id)

    assert session.workflow.node_configs == []
    assert session.substitute_reason.startswith("The workflow was deleted; the run used v0.")
    assert session.turns[0].events


def test_new_session_displays_what_it_runs(forgetful):
    workflow_id, _ = finished_run(forgetful)

    assert DebugSession(forgetful, workflow_id, 0).substitute_reason == ""

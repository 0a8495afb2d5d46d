from __future__ import annotations

from typing import get_args

import pytest

from debugger.backends.base import Ability, Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.recorded import REASON, RecordedBackend
from debugger.errors import DebuggerError, NotFoundError, UnsupportedError
from debugger.protocol.run_file import read_run_file, write_run_file
from debugger.protocol.runs import RunSearch, TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.exports import run_file
from tests.support.factories import direct, document, say, static


@pytest.fixture
def original():
    backend = EmbeddedBackend(Settings(database="sqlite://", responder="rules"))
    yield backend
    backend.close()


@pytest.fixture
def run_id(original):
    workflow = original.create_workflow(
        document(static("hello", "Hello"), say("chat"), direct("hello", "chat"), name="Tea shop")
    )
    run_id = original.execute(workflow.id, TurnInput.with_message(None)).finish().run_id
    original.execute(workflow.id, TurnInput.with_message("Green tea", command="data"), run_id=run_id).finish()
    return run_id


@pytest.fixture
def recorded(original, run_id) -> Backend:
    run = original.run(run_id)
    file = run_file(run, original.workflow(run.workflow_id, 0), engine=original.name)
    return RecordedBackend(read_run_file(write_run_file(file)))


def test_a_recording_shows_the_run_as_it_was(original, run_id, recorded):
    there = DebugSession.open(original, run_id)

    here = DebugSession.open(recorded, run_id)

    assert here.turns == there.turns == turn_logs(original.run(run_id))
    assert here.workflow.to_wire() == there.workflow.to_wire()
    assert (here.status, here.hint) == (there.status, there.hint)


def test_a_recording_lists_what_it_holds(recorded, run_id):
    [workflow] = recorded.workflows("tea")
    [version] = recorded.versions(workflow.id)

    assert (workflow.name, version.version_number) == ("Tea shop", 0)
    assert recorded.workflow_summary(workflow.id) == workflow
    assert [run.workflow_run_id for run in recorded.runs(workflow_id=workflow.id).rows] == [run_id]
    assert recorded.workflows("coffee") == []
    assert recorded.runs(status="failed").total == 0


@pytest.mark.parametrize(
    "do",
    [
        lambda backend, workflow, run: backend.execute(workflow, TurnInput.with_message("Tea"), run_id=run),
        lambda backend, workflow, run: backend.pump(workflow, run),
        lambda backend, workflow, run: backend.create_workflow({}),
        lambda backend, workflow, run: backend.delete_workflow(workflow),
        lambda backend, workflow, run: backend.create_version(workflow),
        lambda backend, workflow, run: backend.activate_version(workflow, 0),
        lambda backend, workflow, run: backend.runs(search=RunSearch(text="tea")),
    ],
)
def test_a_recording_runs_and_changes_nothing(recorded, run_id, do):
    with pytest.raises(UnsupportedError, match="This is a recording"):
        do(recorded, recorded.run(run_id).workflow_id, run_id)


def test_every_ability_is_missing_with_the_reason(recorded):
    assert {recorded.capabilities.reason_against(ability) for ability in get_args(Ability)} == {REASON}


@pytest.mark.parametrize(
    "ask",
    [
        lambda backend, workflow: backend.run("665f0c2b9a3e4d5f6a7b8c99"),
        lambda backend, workflow: backend.workflow("665f0c2b9a3e4d5f6a7b8c99"),
        lambda backend, workflow: backend.workflow(workflow, 7),
        lambda backend, workflow: backend.versions("665f0c2b9a3e4d5f6a7b8c99"),
    ],
)
def test_what_a_recording_does_not_hold_is_told(recorded, run_id, ask):
    with pytest.raises(NotFoundError, match="The recording has no") as caught:
        ask(recorded, recorded.run(run_id).workflow_id)

    assert isinstance(caught.value, DebuggerError)


def test_a_recording_is_listed_without_runs_of_scenarios(recorded, run_id):
    rows = recorded.runs(search=RunSearch(without_scenarios=True)).rows

    assert [row.workflow_run_id for row in rows] == [run_id]

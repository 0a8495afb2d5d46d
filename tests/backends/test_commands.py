"""The commands ``pause`` and ``resume`` on stored runs.

Source: ``platform.md#event-order`` and ``platform.md#run-status``.
"""

from __future__ import annotations

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.support.factories import direct, document, say, static


@pytest.fixture
def backend(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield backend
    backend.close()


@pytest.fixture
def workflow_id(backend):
    return backend.create_workflow(document(static("hi", "Hi"), say("ask"), direct("hi", "ask"))).id


def take(backend, workflow_id, run_id, command, text=None):
    return backend.execute(workflow_id, TurnInput.with_message(text, command=command), run_id=run_id).finish()


def types(result):
    return [event["type"] for event in result.events]


def spoken(result):
    return [event["content"] for event in result.events if event["type"] == "assistant_response"]


def paused(backend, workflow_id, text=None):
    """Return the id of a run that waited for the user and was paused."""
    run_id = take(backend, workflow_id, None, "start").run_id
    result = take(backend, workflow_id, run_id, "pause", text)
    assert (result.status, result.is_waiting_for_input, result.is_completed) == ("paused", False, False)
    return run_id


def test_pause_keeps_the_state_and_says_where(backend, workflow_id):
    run_id = take(backend, workflow_id, None, "start").run_id

    result = take(backend, workflow_id, run_id, "pause")

    assert types(result) == ["pause_event", "pause_thread", "end_workflow_iteration"]
    assert result.events[0]["origin_node_logical_id"] == "ask"
    assert result.events[1]["last_node_logical_id"] == "ask"
    assert (result.turn_number, result.next_input_hint) == (2, None)
    assert backend.run(run_id).status == "paused"


def test_resume_continues_a_paused_run(backend, workflow_id):
    run_id = paused(backend, workflow_id)

    result = take(backend, workflow_id, run_id, "resume")

    assert (result.status, result.is_waiting_for_input) == ("waiting_for_user_input", True)
    assert types(result)[0] == "busy_wait_for_user_message"
    assert spoken(take(backend, workflow_id, run_id, "data", "Tea")) != []


@pytest.mark.parametrize("command", ["resume", "data", "start"])
def test_message_continues_a_paused_run(backend, workflow_id, command):
    run_id = paused(backend, workflow_id)

    result = take(backend, workflow_id, run_id, command, "Tea")

    assert result.status == "waiting_for_user_input"
    assert "Tea" in spoken(result)[0]


def test_message_with_pause_is_answered_later(backend, workflow_id):
    run_id = paused(backend, workflow_id, "Tea")

    result = take(backend, workflow_id, run_id, "resume")

    assert "Tea" in spoken(result)[0]


def test_pause_of_a_first_turn_runs_no_node(backend, workflow_id):
    result = take(backend, workflow_id, None, "pause")

    assert result.status == "paused"
    assert "start_node_run" not in types(result)
    resumed = take(backend, workflow_id, result.run_id, "resume")
    assert spoken(resumed) == ["Hi"]
    assert resumed.status == "waiting_for_user_input"


def test_paused_run_is_stopped(backend, workflow_id):
    run_id = paused(backend, workflow_id)

    assert take(backend, workflow_id, run_id, "stop").status == "cancelled"


def test_resume_of_a_run_that_waits_changes_nothing(backend, workflow_id):
    run_id = take(backend, workflow_id, None, "start").run_id

    result = take(backend, workflow_id, run_id, "resume")

    assert result.status == "waiting_for_user_input"
    assert spoken(result) == []

from __future__ import annotations

import pytest

from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.views.panels.compare.actions import CompareState
from debugger.views.run_state import CurrentRun
from tests.support.factories import document, say
from tests.views.bars import use
from tests.views.records import record_of


@pytest.fixture
def app(view):
    """The page."""
    return view("compare")


@pytest.fixture
def pair(backend):
    """Two runs of one workflow, the earlier one first."""
    workflow_id = backend.create_workflow(document(say("chat"))).id
    return [backend.execute(workflow_id, TurnInput.with_message(text)).finish().run_id for text in "ab"]


def test_turn_before_the_first_is_aligned(app, pair):
    app.query_params["a"], app.query_params["b"] = pair
    app.run()

    app.number_input("compare_shift").set_value(0).run()

    assert not app.exception
    assert record_of(app, CompareState).shift == -1
    assert app.number_input("compare_shift").value == 0


def test_odd_time_of_a_run_suggests_no_other(app, backend, pair, monkeypatch):
    read = backend.record

    def odd(run_id):
        found = read(run_id)
        found.run.created_at = "yesterday"
        return found

    monkeypatch.setattr(backend, "record", odd)
    app.run()
    record_of(app, CurrentRun).session = DebugSession.open(backend, pair[1])

    app.run()

    assert not app.exception
    assert record_of(app, CompareState).runs.keys() == {"b"}


def test_reload_keeps_the_alignment(app, pair):
    app.query_params["a"], app.query_params["b"] = pair
    app.run()
    app.number_input("compare_shift").set_value(0).run()

    use(app, "compare_reload")

    assert not app.exception
    assert record_of(app, CompareState).shift == -1


def test_cleared_picker_leaves_the_side_open(app, pair):
    app.query_params["a"], app.query_params["b"] = pair
    app.run()

    app.selectbox("compare_a").set_value(None).run()

    assert not app.exception
    assert app.selectbox("compare_a").value is None
    assert any("Choose run A above" in caption.value for caption in app.caption)
    assert "a" not in app.query_params


def test_picker_counts_no_background_steps_as_turns(app, backend, pair, monkeypatch):
    whole = backend.runs

    def stepped(**wanted):
        found = whole(**wanted)
        for run in found.rows:
            run.turn_count = 8  # the store counts steps, too
        return found

    monkeypatch.setattr(backend, "runs", stepped)
    app.run()

    assert len(app.selectbox("compare_a").options) == 2
    assert not any("8 turns" in option for option in app.selectbox("compare_a").options)


def test_cleared_picker_withdraws_a_request(app, pair):
    """A chosen run is read once the pickers are drawn; the box may be cleared while another one is read."""
    app.query_params["a"], app.query_params["b"] = pair
    app.run()
    held = record_of(app, CompareState)
    held.unread["a"] = held.places["b"]

    app.selectbox("compare_a").set_value(None).run()

    assert record_of(app, CompareState).runs.keys() == {"b"}
    assert app.selectbox("compare_a").value is None

from __future__ import annotations

import json

import pytest
from streamlit.components.v2.bidi_component.main import _make_trigger_id

from debugger.analysis.run_statistics import PathFilter
from debugger.errors import InputError
from debugger.protocol.notes import Target
from debugger.protocol.scenario_runs import ScenarioMark
from debugger.views.panels.exports.record import ExportRecord
from debugger.views.panels.review.actions import ReviewState
from debugger.views.panels.review.queue import ReviewFilter, read_queue
from debugger.views.panels.runs import scope
from debugger.views.panels.runs.scope import RunsState
from debugger.views.state import LastAction
from tests.views.bars import control
from tests.views.records import record_of
from tests.views.row_lists import column, use


def verdicts_of(backend, ids):
    return {
        run_id: [(each.value, each.comment, each.target) for each in found]
        for run_id, found in backend.store.reviews.verdicts(ids).items()
    }


def test_actions_take_all_runs_of_the_filter(app, backend, walks, choose_all, monkeypatch):
    monkeypatch.setattr("debugger.views.pages.runs._PAGE_SIZE", 5)
    ids = walks(12)
    backend.store.notes.change_tags([ids[0]], ["old", "kept"])
    app.run()

    choose_all()
    control(app, "star_chosen").use()
    app.multiselect("bulk_tags_added").set_value(["old"])
    app.multiselect("bulk_tags_removed").set_value(["kept"])
    app.button("bulk_tags").click().run()
    app.text_input("bulk_verdict_comment").set_value("Too slow").run()
    app.button("bulk_fail").click().run()

    marks = backend.store.notes.marks(ids)
    assert not app.exception
    assert all(marks[run_id].starred and marks[run_id].tags == ["old"] for run_id in ids)
    assert verdicts_of(backend, ids) == {run_id: [("fail", "Too slow", Target())] for run_id in ids}
    assert "12 runs" in next(each.value for each in app.caption if "Verdict" in each.value)


def test_actions_leave_runs_that_the_filter_does_not_find(app, backend, walks, choose_all):
    ids = walks(40)
    app.run()
    control(app, "runs_status").use("completed")
    found = column(app, "id", "Runs")

    choose_all()
    control(app, "star_chosen").use()

    assert 0 < len(found) < len(ids)
    assert set(backend.store.notes.marks(ids)) == set(found)


def test_verdict_of_ticked_runs_is_listed_and_filtered(app, backend, walks, tick, listed):
    ids = walks(4)
    app.run()

    tick(0, 2)
    app.button("bulk_pass").click().run()
    shown = column(app, "verdict", "Runs")
    control(app, "runs_verdict").use("pass")
    passed = listed()
    control(app, "runs_verdict").use("open")

    assert shown == [["Pass"], [], ["Pass"], []]
    assert passed == [ids[0], ids[2]]
    assert listed() == [ids[1], ids[3]]


def test_too_many_runs_for_one_action_are_refused(app, backend, walks, choose_all, monkeypatch):
    monkeypatch.setattr(scope, "MAX_RUNS", 3)
    ids = walks(5)
    app.run()

    choose_all()
    control(app, "star_chosen").use()

    assert isinstance(record_of(app, LastAction).error, InputError)
    assert "one action takes 3" in record_of(app, LastAction).error.message
    assert backend.store.notes.marks(ids) == {}


def test_ticked_runs_are_reviewed_in_their_order(app, walks, tick):
    ids = walks(4)
    app.run()

    tick(0, 2)
    control(app, "review_chosen").use()

    assert not app.exception
    assert record_of(app, ReviewState).wanted.runs == (ids[0], ids[2])


def test_filter_is_reviewed_as_a_whole(app, walks, choose_all):
    walks(40)
    app.run()
    control(app, "runs_status").use("completed")

    choose_all()
    control(app, "review_chosen").use()

    assert not app.exception
    assert record_of(app, ReviewState).wanted == ReviewFilter(status="completed", with_scenarios=True)


def test_verdicts_of_a_deleted_run_are_refused(app, backend, walks, tick):
    ids = walks(3)
    app.run()
    tick(0, 1, 2)
    backend.store.erase_runs([ids[1]])

    app.button("bulk_fail").click().run()

    assert not app.exception
    assert f"There is no run {ids[1]}; nothing was stored." in record_of(app, LastAction).error.message
    assert backend.store.reviews.verdicts(ids) == {}


def test_tags_are_changed_only_where_chosen(app, backend, walks, tick):
    ids = walks(2)
    app.run()
    tick(0, 1)

    app.button("bulk_tags").click().run()

    assert "Choose tags" in str(record_of(app, LastAction).error.advice)
    assert not any("Tags of" in each.value for each in app.caption)
    assert backend.store.notes.marks(ids) == {}


def test_ticked_runs_are_exported_without_the_others(app, walks, tick, monkeypatch):
    walks(12)
    app.run()
    record_of(app, RunsState).path = PathFilter("reason", "completed", "ended with: completed")

    def fail(*_):
        raise InputError("2 runs could not be read in time.")

    monkeypatch.setattr("debugger.views.panels.runs.actions.found_ids", fail)
    app.run()
    tick(0)
    control(app, "export_chosen").use()

    assert not app.exception
    assert [each.label for each in record_of(app, ExportRecord).scopes] == ["Ticked runs"]


@pytest.mark.parametrize(
    ("wanted", "own", "places"),
    [("name:Hours", {"scenario": "Hours"}, (2, 3)), ("failed", {"scenario_outcome": "failed"}, (0, 1))],
)
def test_runs_of_a_scenario_are_reviewed_alone(app, backend, walks, choose_all, wanted, own, places):
    ids = walks(5)
    for place, name in enumerate(("Booking", "Booking", "Hours", "Hours")):
        outcome = "failed" if name == "Booking" else "passed"
        backend.store.scenario_runs.save(ids[place], ScenarioMark(name, "a.yaml", outcome))
    app.run()

    control(app, "runs_scenario").use(wanted)
    choose_all()
    control(app, "review_chosen").use()

    assert not app.exception
    found = record_of(app, ReviewState).wanted
    assert found == ReviewFilter(with_scenarios=True, **own)
    assert read_queue(backend, found).runs == tuple(ids[place] for place in places)


def test_tick_and_action_sent_together_act_on_what_is_ticked(app, backend, walks):
    ids = walks(3)
    app.run()
    use(app, ids[:1], "tick", label="Runs")

    send_at_once(app, ("Runs", ids[:2]), "star_chosen")

    assert set(backend.store.notes.marks(ids)) == set(ids[:2])


def send_at_once(app, ticks, key):
    """Let a browser tell of ticks, and of a button that is pressed before they are drawn."""
    label, ids = ticks
    button = control(app, key)
    table = next(
        each for each in app.get("bidi_component") if json.loads(each.proto.json).get("aria_label") == label
    )
    states = app._tree.get_widget_states()
    for element, event, value in (
        (table, "used", [ids, "tick", None]),
        (button.bar, "used", [[10_000, key, None]]),
    ):
        sent = states.widgets.add()
        sent.id = _make_trigger_id(element.proto.id, "events")
        sent.json_trigger_value = json.dumps([{"event": event, "value": value}])
    app._run(states)
    assert not app.exception

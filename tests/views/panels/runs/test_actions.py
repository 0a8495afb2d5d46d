from __future__ import annotations

from debugger.analysis.run_statistics import PathFilter
from debugger.errors import InputError
from debugger.protocol.notes import Target
from debugger.views.panels.exports.record import ExportRecord
from debugger.views.panels.review.actions import ReviewState
from debugger.views.panels.review.queue import ReviewFilter
from debugger.views.panels.runs import scope
from debugger.views.panels.runs.scope import RunsState
from debugger.views.state import LastAction
from tests.views.bars import control
from tests.views.records import record_of
from tests.views.row_lists import column


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

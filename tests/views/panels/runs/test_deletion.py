from __future__ import annotations

import pytest

from debugger.errors import NotFoundError
from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict
from debugger.protocol.runs import TurnInput
from debugger.session.loading import load_run
from debugger.store import VerdictChange
from debugger.views.panels.exports.record import ExportRecord
from debugger.views.panels.exports.scope import ExportScope
from debugger.views.panels.notes import ShownLabels
from debugger.views.panels.review.actions import Draft, ReadRun, ReviewState
from debugger.views.panels.review.queue import ReviewQueue
from debugger.views.panels.runs import deletion
from debugger.views.panels.runs.scope import RunsState
from tests.support.factories import document, say
from tests.views.bars import control, keys
from tests.views.records import keep_records, record_of
from tests.views.row_lists import choose, column, drawn, use


def test_deleted_runs_can_be_brought_back_at_once(app, backend, walks, tick, listed):
    ids = walks(4)
    app.run()

    tick(0, 1)
    control(app, "delete_chosen").use()
    asked = [button.label for button in app.button if button.key == "delete_runs"]
    app.button("delete_runs").click().run()
    after = listed()
    control(app, "undo_runs").use()

    assert not app.exception
    assert asked == ["Delete 2 runs"]
    assert after == ids[2:]
    assert listed() == ids


def test_all_runs_of_the_filter_are_deleted_and_restored_later(
    app, backend, walks, choose_all, tick, monkeypatch
):
    monkeypatch.setattr("debugger.views.pages.runs._PAGE_SIZE", 3)
    ids = walks(8)
    app.run()

    choose_all()
    control(app, "delete_chosen").use()
    app.button("delete_runs").click().run()
    empty = backend.runs().total
    app.button("show_deleted").click().run()
    deleted = column(app, "id", "Deleted runs")
    by = column(app, "by", "Deleted runs")
    use(app, deleted[:2], "tick", label="Deleted runs")
    app.button("restore_runs").click().run()

    assert empty == 0
    assert set(deleted) == set(ids)
    assert set(by) == {"me"}
    assert {run.workflow_run_id for run in backend.runs().rows} == set(deleted[:2])


def test_dismissed_question_deletes_nothing(app, backend, walks, tick):
    ids = walks(2)
    app.run()

    tick(0)
    control(app, "delete_chosen").use()
    app.button("keep_runs").click().run()

    assert backend.runs().total == len(ids)


def test_deleted_run_opened_by_its_id_can_be_restored(app, backend, walks, listed):
    first, second = walks(2)
    backend.store.hidden.hide([first], "ada")
    app.run()

    app.text_input("run_id_typed").set_value(first)
    app.button("open_typed").click().run()
    warnings = [warning.value for warning in app.warning]
    app.button("restore_run").click().run()

    assert "was deleted by ada" in warnings[0]
    assert listed() == [first, second]
    assert not app.warning


def test_address_of_a_deleted_run_tells_where_to_restore_it(app, view, backend, walks):
    [run_id] = walks(1)
    backend.store.hidden.hide([run_id], "ada")
    debug = view("debug")
    debug.query_params["run"] = run_id

    debug.run()

    assert any("was deleted by ada" in error.value for error in debug.error)


def test_deleted_view_without_runs_tells_what_would_be_here(app):
    app.run()
    app.button("show_deleted").click().run()

    assert any("there is none" in caption.value for caption in app.caption)
    app.button("back_to_runs").click().run()
    assert "show_statistics" in keys(app)


def forked(backend):
    workflow_id = backend.create_workflow(document(say("chat"))).id
    run_id = backend.execute(workflow_id, TurnInput.with_message("A quokka")).finish().run_id
    return run_id, backend.fork(run_id, 2), backend.fork(run_id, 1)


@pytest.mark.parametrize("takes_fork", [True, False])
def test_every_trace_of_a_run_is_deleted_with_chosen_forks(app, backend, tick, takes_fork):
    run_id, fork, other = forked(backend)
    app.run()
    place = column(app, "id", "Runs").index(run_id)

    tick(place)
    control(app, "erase_chosen").use()
    offered = app.multiselect("erased_forks").options
    is_locked = app.button("erase_runs").disabled
    if takes_fork:
        app.multiselect("erased_forks").set_value([fork])
    app.checkbox("erasure_is_sure").check().run()
    app.button("erase_runs").click().run()

    left = {run.workflow_run_id for run in backend.runs().rows}
    assert not app.exception
    assert is_locked
    assert {text.split()[0] for text in offered} == {fork, other}
    assert any("copied 1 turn" in text for text in offered)
    assert left == ({other} if takes_fork else {fork, other})
    with pytest.raises(NotFoundError):
        backend.run(run_id)


def test_erased_run_leaves_the_page_review(app, backend, tick):
    run_id, fork, _ = forked(backend)
    held = record_of(app, ReviewState)
    recorded = load_run(backend, run_id)
    app.run()
    held.read, held.run_id, held.target = ReadRun(recorded, []), run_id, Target.turn(1)
    held.drafts = {(run_id, "run", ""): Draft("A quokka"), (fork, "run", ""): Draft("A numbat")}
    held.steps = [VerdictChange(Verdict(run_id=run_id, target=Target(), value="pass", reviewer="me"), None)]
    held.queue = ReviewQueue((run_id, fork), 2)

    tick(column(app, "id", "Runs").index(run_id))
    control(app, "erase_chosen").use()
    app.checkbox("erasure_is_sure").check().run()
    app.button("erase_runs").click().run()

    left = record_of(app, ReviewState)
    assert (left.read, left.run_id, left.target, left.steps) == (None, "", Target(), [])
    assert list(left.drafts) == [(fork, "run", "")]
    assert left.queue is None


def test_erased_run_leaves_the_note_editor(app, backend, tick):
    run_id, *_ = forked(backend)
    backend.store.notes.change_tags([run_id], ["A quokka"])
    app.run()

    tick(column(app, "id", "Runs").index(run_id))
    shown = record_of(app, ShownLabels)
    control(app, "erase_chosen").use()
    app.checkbox("erasure_is_sure").check().run()
    app.button("erase_runs").click().run()

    assert (shown.run_id, shown.tags) == (run_id, ["A quokka"])
    assert record_of(app, ShownLabels) == ShownLabels()


def test_second_press_keeps_the_way_back(backend, walks, monkeypatch):
    ids = walks(3)
    held = RunsState(deleting=ids[:2])
    keep_records(monkeypatch, held)
    monkeypatch.setattr("debugger.views.panels.runs.deletion.local_store", lambda: backend.store)

    deletion.delete()
    deletion.delete()

    assert held.undo == ids[:2]


def test_question_closes_an_export_of_another_page(app, backend, walks, tick):
    walks(2)
    app.run()
    tick(0)
    control(app, "delete_chosen").use()
    exported = record_of(app, ExportRecord)
    exported.scopes, exported.page = (ExportScope(backend),), "debug"

    app.run()

    assert not app.exception
    assert not app.error
    assert app.button("delete_runs").label == "Delete 1 run"
    assert exported.scopes == ()


def test_deleted_runs_tell_what_their_turns_count(app, backend, walks):
    backend.store.hidden.hide(walks(1), "Ada")
    app.run()

    app.button("show_deleted").click().run()

    [turns] = [each for each in drawn(app, "Deleted runs")["columns"] if each["name"] == "turns"]
    assert turns["help"] == "Steps of background work count, too"


def test_click_on_a_deleted_run_ticks_it(app, backend, walks):
    first, second = walks(2)
    backend.store.hidden.hide([first, second], "Ada")
    app.run()
    app.button("show_deleted").click().run()
    before = app.button("restore_runs").disabled

    for run_id in (first, second, first):
        choose(app, run_id, "Deleted runs")
    app.button("restore_runs").click().run()

    assert before
    assert [run.workflow_run_id for run in backend.runs().rows] == [second]

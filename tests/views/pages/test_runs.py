from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from debugger.backends.base import Capabilities
from debugger.boundary import Boundary, MaskingOptions
from debugger.errors import StoreError
from debugger.exports.records import ExportedRun
from debugger.exports.run_files import build_run_file
from debugger.protocol.notes import RunLabels, RunNotes, Target
from debugger.protocol.reviews import Verdict
from debugger.protocol.run_file import write_run_file
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.store import new_id
from debugger.views.backends import CurrentBackend
from debugger.views.run_state import CurrentRun
from tests.support.factories import document, say, static
from tests.support.turns import WholeTurn, append_turn
from tests.views.bars import control, keys
from tests.views.records import record_of
from tests.views.row_lists import choose, column, rows, use


@pytest.fixture
def app(view):
    """The page."""
    return view("runs")


def run(backend, workflow):
    session = DebugSession(backend, workflow.id)
    session.start(TurnInput.with_message(None, run_by="qa"))
    assert session.wait(10)
    return session.run_id


def listed(app, name="id"):
    return column(app, name, "Runs")


def test_without_runs_page_says_what_would_be_here(app):
    app.run()

    assert not app.exception
    assert any("there is none yet" in caption.value for caption in app.caption)
    assert control(app, "export_found").disabled


def test_runs_that_cannot_be_read_are_not_said_to_be_none(app, backend, monkeypatch):
    def fail(*_args, **_wanted):
        raise StoreError("The database is gone.", advice="")

    monkeypatch.setattr(backend, "runs", fail)
    app.run()

    assert app.error
    assert not any("there is none yet" in caption.value for caption in app.caption)
    assert "runs_count" not in keys(app)


def test_runs_are_listed_with_workflow_status_and_id(app, backend):
    tea = backend.create_workflow(document(say("chat")), name="Tea shop")
    run_id = run(backend, tea)

    app.run()

    row = rows(app, "Runs")[0]
    assert (row["workflow"], row["status"], row["by"], row["id"]) == (
        "Tea shop v0",
        "Your turn",
        "qa",
        run_id,
    )
    assert len(row["began"]) == 19


def test_runs_can_be_narrowed_to_workflow_and_status(app, backend):
    tea = backend.create_workflow(document(say("chat")), name="Tea shop")
    bye = backend.create_workflow(document(static("a", "Bye")), name="Goodbye")
    first, second = run(backend, tea), run(backend, bye)
    app.run()

    control(app, "runs_workflow").use(tea.id)
    by_workflow = listed(app)
    control(app, "runs_workflow").use("")
    control(app, "runs_status").use("completed")
    by_status = listed(app)

    assert by_workflow == [first]
    assert by_status == [second]


def test_filter_that_fits_nothing_says_how_to_see_more(app, backend):
    run(backend, backend.create_workflow(document(say("chat"))))
    app.run()

    control(app, "runs_status").use("failed")

    assert any("No run matches" in caption.value for caption in app.caption)


def test_run_opens_by_its_id(app, backend):
    run_id = run(backend, backend.create_workflow(document(say("chat"))))
    app.run()

    app.text_input("run_id_typed").set_value(f" {run_id} ")
    app.button("open_typed").click().run()

    assert not app.exception
    assert record_of(app, CurrentRun).session.run_id == run_id


def test_id_that_no_run_has_is_told(app):
    app.run()

    app.text_input("run_id_typed").set_value("665f0c2b9a3e4d5f6a7b8c90")
    app.button("open_typed").click().run()

    assert not app.exception
    assert "665f0c2b9a3e4d5f6a7b8c90" in app.error[0].value


def test_chosen_row_opens_its_run(app, backend):
    workflow = backend.create_workflow(document(say("chat")))
    older, _newer = run(backend, workflow), run(backend, workflow)
    app.run()

    choose(app, older, "Runs")

    assert record_of(app, CurrentRun).session.run_id == older


def test_last_list_stays_when_backend_fails(app, backend):
    run(backend, backend.create_workflow(document(say("chat"))))
    app.run()

    backend.fault = StoreError("The database is gone.")
    app.run()

    assert app.error[0].value == "The database is gone\\."
    assert len(listed(app)) == 1


def test_long_lists_come_in_pages(app, backend, monkeypatch):
    monkeypatch.setattr("debugger.views.pages.runs._PAGE_SIZE", 2)
    workflow = backend.create_workflow(document(static("a", "Hello")))
    ids = [run(backend, workflow) for _ in range(3)]
    app.run()

    app.pagination("runs_page_0").set_value(2).run()

    assert listed(app) == [ids[0]]


def test_list_tells_how_many_turns_run_has_had(app, backend):
    tea = backend.create_workflow(document(say("chat")), name="Tea shop")
    run_id = run(backend, tea)
    session = DebugSession.open(backend, run_id)
    session.send("hello")
    assert session.wait(10)

    app.run()

    assert listed(app, "turns") == ["2"]


def tick(app, *places):
    ids = listed(app)
    use(app, [ids[place] for place in places], "tick", label="Runs")


def test_runs_can_be_narrowed_by_words_version_date_tag_and_star(app, backend):
    tea = backend.create_workflow(document(static("a", "Which tea?")), name="Tea shop")
    bye = backend.create_workflow(document(static("a", "Bye")), name="Goodbye")
    first, second = run(backend, tea), run(backend, bye)
    backend.store.notes.change_tags([first], ["smoke"])
    backend.store.notes.star(second)
    app.run()

    control(app, "runs_text").use("which TEA")
    by_words = listed(app)
    control(app, "runs_clear").use()
    control(app, "runs_tag").use("smoke")
    by_tag = listed(app)
    control(app, "runs_clear").use()
    control(app, "runs_starred").use(True)
    by_star = listed(app)
    control(app, "runs_clear").use()
    control(app, "runs_workflow").use(tea.id)
    control(app, "runs_version").use("0")
    by_version = listed(app)
    control(app, "runs_since").use(str(date(2030, 1, 1)))
    none = [caption.value for caption in app.caption]

    assert (by_words, by_tag, by_star, by_version) == ([first], [first], [second], [first])
    assert any("No run matches" in text for text in none)
    assert not app.exception


def test_last_day_counts_as_whole(app, backend):
    run_id = run(backend, backend.create_workflow(document(say("chat"))))
    today = datetime.now(UTC).date()
    app.run()

    control(app, "runs_since").use(str(today))
    control(app, "runs_until").use(str(today))

    assert listed(app) == [run_id]


def test_chosen_runs_are_given_star_and_lose_it_again(app, backend):
    workflow = backend.create_workflow(document(say("chat")))
    ids = [run(backend, workflow) for _ in range(3)]
    app.run()

    tick(app, 0, 2)
    control(app, "star_chosen").use()
    starred = listed(app, "star")
    label = control(app, "star_chosen").label
    control(app, "star_chosen").use()

    assert starred == ["★", "", "★"]
    assert label == "Unstar"
    assert backend.store.notes.marks(ids) == {ids[0]: RunLabels(), ids[2]: RunLabels()}


def test_chosen_run_is_given_tags_and_note(app, backend):
    run_id = run(backend, backend.create_workflow(document(say("chat"))))
    app.run()

    tick(app, 0)
    app.multiselect(f"tags_{run_id}").set_value(["smoke"]).run()
    app.text_area(f"note_{run_id}").set_value(" asks twice ").run()

    row = rows(app, "Runs")[0]
    assert (row["tags"], row["note"]) == (["smoke"], "asks twice")
    assert not app.exception


def test_boxes_move_along_with_their_rows(app, backend):
    workflow = backend.create_workflow(document(say("chat")))
    older, newer = run(backend, workflow), run(backend, workflow)
    app.run()
    tick(app, 1)

    run(backend, workflow)
    app.run()
    control(app, "star_chosen").use()

    assert set(backend.store.notes.marks([older, newer])) == {older}


def test_actions_come_with_ticks_and_go_with_them(app, backend):
    workflow = backend.create_workflow(document(say("chat")))
    for _ in range(2):
        run(backend, workflow)
    app.run()
    floating = ("open_chosen", "star_chosen", "compare_chosen", "erase_chosen")
    nothing = keys(app) & set(floating)

    tick(app, 0)
    one = [control(app, key).disabled for key in floating]
    tick(app, 0, 1)
    two = [control(app, key).disabled for key in floating]
    control(app, "untick").use()

    assert nothing == keys(app) & set(floating) == set()
    assert one == [False, False, True, False]
    assert two == [True, False, False, True]


def test_run_that_fork_comes_from_is_shown(app, backend):
    parent = "665f0c2b9a3e4d5f6a7b8c90"
    append_turn(
        backend.store,
        WholeTurn(
            run_id=new_id(),
            turn_number=1,
            status="completed",
            checkpoint=b"{}",
            started_at=1.0,
            finished_at=1.0,
            workflow_id=new_id(),
            version_number=0,
            source_workflow_run_id=parent,
            checkpoint_source_turn_index=2,
        ),
    )

    app.run()

    assert listed(app, "parent") == ["…7b8c90 · turn 3"]


def test_what_another_backend_cannot_look_for_is_greyed_with_reason(app, backend, monkeypatch):
    run(backend, backend.create_workflow(document(say("chat"))))
    monkeypatch.setattr(backend, "capabilities", Capabilities({"run_search": "It cannot."}))

    app.run()

    held = [control(app, "runs_version"), control(app, "runs_tag"), control(app, "runs_starred")]
    assert all(widget.disabled and widget.help == "It cannot." for widget in held)


def test_run_out_of_file_is_shown_as_it_was(app, backend):
    run_id = run(backend, backend.create_workflow(document(say("chat"))))
    record = backend.record(run_id)
    workflow = backend.workflow(record.run.workflow_id)
    verdict = Verdict(run_id=run_id, target=Target.turn(1), value="fail", reviewer="Ada", connection="far")
    exported = ExportedRun(
        record, workflow, engine="Elsewhere", notes=RunNotes(note="from afar"), verdicts=[verdict]
    )
    data = write_run_file(build_run_file(exported, Boundary(MaskingOptions())))
    app.run()

    app.file_uploader("recording_0").upload("run.json", data, "application/json").run()
    app.button("open_recording").click().run()

    assert not app.exception
    assert (record_of(app, CurrentBackend).name, record_of(app, CurrentRun).session.run_id) == (
        "recording",
        run_id,
    )
    assert backend.store.notes.of(run_id).note == "from afar"
    [stored] = backend.store.reviews.verdicts([run_id])[run_id]
    assert (stored.target, stored.value, stored.reviewer) == (Target.turn(1), "fail", "Ada")


def test_file_that_is_no_run_is_told(app, backend):
    app.run()

    app.file_uploader("recording_0").upload("tea.json", b"{}", "application/json").run()
    app.button("open_recording").click().run()

    assert not app.exception
    assert "not a run" in app.error[0].value


def test_error_of_an_action_can_be_closed(app, backend):
    run(backend, backend.create_workflow(document(say("chat"))))
    app.run()
    app.button("save_filter").click().run()
    assert len(app.error) == 1

    app.button("close_failure_page_0").click().run()

    assert not app.error

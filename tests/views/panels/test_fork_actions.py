from __future__ import annotations

import pytest

from debugger.protocol.turn_logs import turn_logs
from debugger.session.fork_draft import RUNTIME
from debugger.session.verification import Fidelity
from debugger.views.backend_cache import BackendCache
from debugger.views.panels.fork_actions import ForkState
from debugger.views.run_state import CurrentRun, Cursor
from debugger.views.state import Editors
from tests.support.factories import direct, document, say, static, when
from tests.views import talk
from tests.views.bars import badges, captions, control, keys, meters, use
from tests.views.message import send
from tests.views.row_lists import choose, column


def desk():
    return document(
        say("chat"),
        static("gold", "Gold desk"),
        static("plain", "Plain desk"),
        say("after"),
        when("chat", "gold", "[[level]] == 'gold'"),
        when("chat", "plain", "1 == 1"),
        direct("gold", "after"),
        direct("plain", "after"),
    )


@pytest.fixture
def run(app, backend, record, press, settle):
    """A run of two turns on view; gives its id."""
    backend.create_workflow(desk())
    app.run()
    press("start")
    send(app, "let me in")
    settle()
    return record(CurrentRun).session.run_id


@pytest.fixture
def forwarded(app, record):
    """Waits for what is sent to a run, and draws its end."""

    def done():
        assert record(CurrentRun).session.input_replay.wait(10)
        app.run()
        assert not app.exception

    return done


def words(app):
    return " ".join([*(text.value for text in app.text), captions(app), *talk.words(app)])


def test_before_run_there_is_nothing_to_fork(app, backend):
    backend.create_workflow(desk())

    app.run()

    assert not {"fork_turn", "send_again"} & keys(app)


def test_dialog_shows_turn_as_it_was_and_that_it_can_be_repeated(app, record, run):
    use(app, "fork_turn")
    assert record(ForkState).check.wait(10)
    app.run()

    generation = record(Editors).generation
    assert app.text_area(f"fork_{generation}_message").value == "let me in"
    assert app.selectbox(f"fork_{generation}_start_None").value == ""
    assert "No changes yet." in words(app)
    assert any("Verified" in markdown.value for markdown in app.markdown)
    assert not app.exception


def test_fork_with_another_message_and_variable_is_run_shown_and_remembered(
    app, backend, record, run, forwarded
):
    use(app, "fork_turn")
    lead = f"fork_{record(Editors).generation}"
    app.text_area(f"{lead}_message").set_value("open up").run()
    use(app, f"{lead}_json", True)
    app.text_area(f"{lead}_json_runtime").set_value('{"level": "gold"}').run()
    app.text_input(f"{lead}_note").set_value("gold card").run()
    app.text_input(f"{lead}_by").set_value("Ada").run()
    assert "message" in words(app)
    use(app, "run_fork")
    forwarded()

    session = record(CurrentRun).session
    assert session.run_id != run
    assert record(ForkState).draft is None
    assert [turn.message for turn in session.turns] == ["", "open up"]
    assert "Gold desk" in words(app)
    record = backend.store.forks.of(session.run_id)
    assert (record.note, record.forked_by, record.source_run_id) == ("gold card", "Ada", run)
    assert [change["path"] for change in record.changes] == ["message", "runtime.level"]
    assert [turn.message for turn in turn_logs(backend.run(run))] == ["", "let me in"]


def test_what_cannot_be_used_is_said_and_holds_fork_back(app, record, run):
    use(app, "fork_turn")
    lead = f"fork_{record(Editors).generation}"
    use(app, f"{lead}_json", True)

    app.text_area(f"{lead}_json_runtime").set_value("{").run()

    assert control(app, "run_fork").disabled
    assert any("not JSON" in error.value.replace("\\", "") for error in app.error)


def test_version_that_cannot_be_gone_on_with_is_error_in_dialog(app, backend, record, run):
    backend.store.create_version(record(CurrentRun).session.workflow_id, document=document(say("other")))
    record(BackendCache).expire()
    use(app, "fork_turn")
    lead = f"fork_{record(Editors).generation}"
    app.selectbox(f"{lead}_version").set_value(1).run()

    use(app, "run_fork")

    assert record(ForkState).draft is not None
    assert record(CurrentRun).session.run_id == run
    assert any("does not have" in error.value for error in app.error)
    app.selectbox(f"{lead}_start_1").set_value("other").run()
    use(app, "run_fork")
    assert record(ForkState).draft is None
    assert record(CurrentRun).session.version_number == 1


def test_re_run_unedited_leaves_edits_out_and_is_verified(app, backend, record, run, forwarded):
    use(app, "fork_turn")
    app.text_area(f"fork_{record(Editors).generation}_message").set_value("something else").run()
    record(ForkState).draft.variables.set_rows(RUNTIME, [])

    use(app, "run_unedited")
    forwarded()

    record = backend.store.forks.of(record(CurrentRun).session.run_id)
    assert record.changes == ()
    assert Fidelity.from_json(record.fidelity).level == "verified"
    assert "Verified" in badges(app)


def test_chosen_event_chooses_turn(app, record, run):
    record(Cursor).event = 0
    app.run()

    use(app, "fork_turn")

    assert record(ForkState).draft.point.number == 1


def test_dialog_can_be_left(app, record, run):
    use(app, "fork_turn")

    use(app, "cancel_fork")

    assert record(ForkState).draft is None
    assert not app.exception


def test_recorded_inputs_are_sent_to_new_run(app, record, run, forwarded):
    use(app, "send_again")
    forwarded()

    session = record(CurrentRun).session
    assert session.run_id != run
    assert [turn.message for turn in session.turns] == ["", "let me in"]
    assert session.status == "waiting_for_user_input"


def test_while_inputs_are_sent_page_shows_how_far_it_is_and_can_take_over(
    app, backend, record, run, forwarded
):
    backend.gate.clear()
    use(app, "send_again")
    shown = meters(app)

    use(app, "take_over")
    backend.gate.set()
    forwarded()

    assert shown == [("Running input 1 of 2", 0)]
    assert len(record(CurrentRun).session.turns) < 2
    assert "you can continue the run" in words(app)


def test_way_back_leads_from_fork_to_its_source(app, record, run, forwarded):
    use(app, "fork_turn")
    use(app, "run_fork")
    forwarded()
    assert "fork at turn 2" in badges(app)

    use(app, "crumb_0")

    assert record(CurrentRun).session.run_id == run
    assert control(app, "open_tree").label == "1 fork"


def test_tree_lists_every_run_and_opens_one(app, record, run, forwarded):
    use(app, "fork_turn")
    use(app, "run_fork")
    forwarded()
    fork_id = record(CurrentRun).session.run_id

    use(app, "open_tree")

    assert column(app, "id", "The run and its forks") == [run, fork_id]
    assert column(app, "run", "The run and its forks")[1].endswith("fork at turn 2 ● on view")
    assert column(app, "fidelity", "The run and its forks") == ["", "Verified"]
    choose(app, run, "The run and its forks")
    assert record(ForkState).tree_of is None
    assert record(CurrentRun).session.run_id == run


def test_tree_stays_with_its_run(app, record, run, forwarded):
    use(app, "fork_turn")
    use(app, "run_fork")
    forwarded()
    use(app, "open_tree")
    is_open = any(button.key == "close_tree" for button in app.button)

    use(app, "crumb_0")  # another run, as by the browser's way back

    assert is_open
    assert record(CurrentRun).session.run_id == run
    assert not any(button.key == "close_tree" for button in app.button)


def test_run_without_relatives_shows_no_lineage(app, run):
    with pytest.raises(KeyError):
        control(app, "open_tree")

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from debugger.errors import ConnectionFailedError, RunError, ServerError, StoreError
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.views import actions, state
from debugger.views.backend_cache import BackendCache
from debugger.views.panels.run_input import INPUTS_KEY
from debugger.views.panels.scenarios.record import SCENARIO_VIEW
from debugger.views.run_state import CurrentRun, Cursor, RunInputs, Selection
from tests.support.factories import direct, document, node, say, static, worker
from tests.views.bars import control, keys, use
from tests.views.message import box, send
from tests.views.talk import notes, show_earlier, words


def test_empty_backend_says_what_would_be_here(app):
    app.run()

    assert not app.exception
    assert any("import one" in caption.value for caption in app.caption)


def test_newest_workflow_is_on_view_at_once(app, backend):
    backend.create_workflow(document(static("a", "Hello")), name="Older")
    newest = backend.create_workflow(document(static("a", "Hello")), name="Tea shop")

    app.run()

    assert not app.exception
    assert control(app, "workflow").value == newest.id
    assert control(app, "start").disabled is False


def test_start_runs_turn_and_shows_what_was_said(app, backend, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()

    press("start")

    assert not app.exception
    assert words(app)[0] == "Hello"
    assert box(app)["disabled"] is False
    assert box(app)["placeholder"] == "Chat waits for the user's message."


def test_chat_box_sends_next_turn(app, backend, record, press, settle):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")

    send(app, "good morning")
    settle()

    assert [turn.message for turn in record(CurrentRun).session.turns] == ["", "good morning"]
    assert "good morning" in words(app)


def test_first_message_starts_run(app, backend, record, settle):
    backend.create_workflow(document(say("chat")))
    app.run()

    send(app, "good morning")
    settle()

    assert [turn.message for turn in record(CurrentRun).session.turns] == ["good morning"]


def test_message_of_blanks_sends_nothing(app, backend, record):
    backend.create_workflow(document(say("chat")))
    app.run()

    send(app, "   ")

    assert record(CurrentRun).session.status == "not_started"


def test_what_users_and_models_say_is_never_read_as_markdown(app, backend, press):
    backend.create_workflow(document(static("a", "![x](http://leak.example/x.png) **loud**")))
    app.run()

    press("start")

    assert words(app) == ["![x](http://leak.example/x.png) **loud**"]
    assert not any("![x]" in markdown.value for markdown in app.markdown)


def test_while_turn_runs_its_events_appear_and_run_can_be_stopped(app, backend, record, settle):
    backend.create_workflow(document(static("a", "Hello")))
    backend.gate.clear()
    app.run()

    use(app, "start")

    assert record(CurrentRun).session.busy
    assert control(app, "setup").disabled is False
    assert control(app, "stop").disabled is False
    assert box(app)["disabled"]

    use(app, "stop")
    backend.gate.set()
    settle()

    assert record(CurrentRun).session.status == "cancelled"


def test_two_clicks_at_once_begin_one_turn(app, backend, record, settle):
    backend.create_workflow(document(say("chat")))
    backend.gate.clear()
    app.run()
    use(app, "start")

    record(CurrentRun).session.start(TurnInput.with_message(None))
    app.run()
    backend.gate.set()
    settle()

    assert len(record(CurrentRun).session.turns) == 1
    assert not app.exception


def test_run_that_is_over_takes_no_message_and_says_why(app, backend, press):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()

    press("start")

    assert box(app)["disabled"]
    assert box(app)["placeholder"] == "The run is completed and takes no more messages."
    assert control(app, "stop").item["disabled"]
    assert control(app, "restart").item["look"] == "primary"


def test_stop_ends_waiting_run(app, backend, record, press):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")

    press("stop")

    assert record(CurrentRun).session.status == "cancelled"


def test_restart_begins_sibling_and_keeps_old_run(app, backend, record, press):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")
    first = record(CurrentRun).session.run_id

    press("restart")

    second = record(CurrentRun).session.run_id
    assert first != second
    assert {run.workflow_run_id for run in backend.runs().rows} == {first, second}


def test_opened_run_restarts_with_own_input(app, backend, record, press):
    parts = static("a", "Hello {{who}}"), say("chat"), direct("a", "chat")
    workflow = backend.create_workflow(document(*parts, defaults={"who": "Ada"}))
    turn_input = TurnInput.with_message(None, dynamic_variables={"who": "Eve"})
    run_id = backend.execute(workflow.id, turn_input).finish().run_id
    app.query_params.update(backend="embedded", run=run_id)
    app.run()

    press("restart")

    assert record(CurrentRun).session.run_id != run_id
    assert words(app) == ["Hello Eve"]


def test_turn_that_fails_on_way_is_told_and_gives_words_back(app, backend, press, settle):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")
    said = words(app)

    backend.gate.clear()
    send(app, "are you there?")
    backend.fault = ServerError("The server failed.", request_id="req-7", advice="Try again in a minute.")
    backend.gate.set()
    settle()

    assert app.error[0].value == "The server failed\\. Try again in a minute\\."
    assert [each.value for each in app.caption if "Request id" in each.value] == ["Request id\\: req\\-7"]
    assert words(app) == said
    assert box(app)["draft"] == "are you there?"


def test_opened_run_restarts_with_global_variables_of_today(app, backend, press):
    shop = backend.store.globals.create({"name": "shop", "value": "Leaf", "is_secret": False})
    parts = static("a", "Hello from {{shop}}"), say("chat"), direct("a", "chat")
    workflow = backend.create_workflow(document(*parts))
    run_id = backend.execute(workflow.id, TurnInput.with_message(None)).finish().run_id
    backend.store.globals.change(shop.id, {"value": "Oak"})
    backend.global_values.renew()
    app.query_params.update(backend="embedded", run=run_id)
    app.run()

    press("restart")

    assert words(app) == ["Hello from Oak"]


@pytest.mark.parametrize("is_first", [True, False])
def test_message_stays_where_input_is_unusable(app, backend, record, press, is_first):
    backend.create_workflow(document(say("chat")))
    app.run()
    if not is_first:
        press("start")
    inputs = record(RunInputs)
    model = next(iter(inputs.start.values())) if is_first else inputs.next
    model.set_text('{"a":')

    send(app, "good morning")

    assert any("The run input is not JSON" in error.value for error in app.error)
    assert box(app)["draft"] == "good morning"
    assert len(record(CurrentRun).session.turns) == (not is_first)


def test_failed_run_shows_its_error_in_conversation(app, backend, record, press):
    backend.create_workflow(document(static("a", "Hello"), direct("a", "nowhere")))
    app.run()

    press("start")

    assert record(CurrentRun).session.status == "failed"
    assert any("nowhere" in note for note in notes(app))


def test_address_names_backend_workflow_run_and_turn(app, backend, record, press):
    workflow = backend.create_workflow(document(say("chat")))
    app.run()

    press("start")

    assert dict(app.query_params) == {
        "backend": "embedded",
        "workflow": workflow.id,
        "run": record(CurrentRun).session.run_id,
        "turn": "1",
    }


@pytest.mark.parametrize("is_long", [False, True])
def test_link_opens_its_run_and_turn(app, backend, record, monkeypatch, is_long):
    if is_long:
        monkeypatch.setattr("debugger.views.actions._MAX_TURNS_AT_ONCE", 1)
    workflow = backend.create_workflow(document(say("chat")))
    backend.create_workflow(document(static("a", "Another one")))
    session = DebugSession(backend, workflow.id)
    for text in ("one", "two"):
        session.send(text)
        assert session.wait(10)

    app.query_params["run"] = session.run_id
    app.query_params["turn"] = "1"
    app.run()

    assert not app.exception
    assert record(CurrentRun).session.run_id == session.run_id
    assert record(Cursor).event == len(session.turns[0].events) - 1
    assert app.query_params["turn"] == "1"


@pytest.mark.parametrize("is_long", [False, True])
def test_run_that_cannot_be_read_is_not_opened_and_says_why(
    app, backend, record, tmp_path, monkeypatch, is_long
):
    if is_long:
        monkeypatch.setattr("debugger.views.actions._MAX_TURNS_AT_ONCE", 0)
    workflow = backend.create_workflow(document(say("chat")))
    session = DebugSession(backend, workflow.id)
    session.send("one")
    assert session.wait(10)
    with closing(sqlite3.connect(tmp_path / "runs.sqlite3")) as connection, connection:
        connection.execute("UPDATE turns SET events = x'00'")

    app.query_params["run"] = session.run_id
    app.run()

    assert not app.exception
    assert record(CurrentRun).session is None
    assert f"turn 1 of run {session.run_id} cannot be read" in app.error[0].value


def test_link_to_run_that_is_gone_says_so_and_offers_rest(app, backend):
    backend.create_workflow(document(say("chat")))

    app.query_params["run"] = "665f0c2b9a3e4d5f6a7b8c90"
    app.run()

    assert not app.exception
    assert "665f0c2b9a3e4d5f6a7b8c90" in app.error[0].value
    assert len(control(app, "workflow").options) == 1


@pytest.mark.parametrize("run", ["nonsense", "../../etc", "<b>"])
def test_link_that_makes_no_sense_is_error_and_not_crash(app, backend, run):
    app.query_params["run"] = run
    app.query_params["turn"] = "x"

    app.run()

    assert not app.exception
    assert "is not a run id" in app.error[0].value


def test_backend_that_does_not_answer_is_told_in_one_sentence(app, backend):
    backend.fault = ConnectionFailedError("Nothing answers there.", advice="Is the server up?")

    app.run()

    assert not app.exception
    assert app.error[0].value == "Nothing answers there\\. Is the server up?"


def test_last_list_of_workflows_stays_when_backend_fails(app, backend, record):
    backend.create_workflow(document(say("chat")), name="Tea shop")
    app.run()

    backend.fault = ConnectionFailedError("Nothing answers there.")
    record(BackendCache).expire()
    app.run()

    assert app.error
    assert len(control(app, "workflow").options) == 1
    assert control(app, "start").disabled is False


def test_another_version_can_be_chosen(app, backend, record):
    workflow = backend.create_workflow(document(say("chat")))
    backend.create_version(workflow.id, version_name="release", mark_as_active=True)
    app.run()
    before = record(CurrentRun).session.version_number

    use(app, "version", "0")

    assert before == 1
    assert control(app, "version").options == ["v0 · Initial Version", "v1 · release (active)"]
    assert record(CurrentRun).session.version_number == 0


def test_another_workflow_can_be_chosen_while_run_is_on_view(app, backend, record, press):
    older = backend.create_workflow(document(static("a", "Hello")), name="Older")
    backend.create_workflow(document(say("chat")), name="Newer")
    app.run()
    press("start")

    use(app, "setup")
    use(app, "workflow", older.id)

    assert record(CurrentRun).session.workflow_id == older.id
    assert record(CurrentRun).session.status == "not_started"
    assert len(backend.runs().rows) == 1


def test_what_is_wrong_with_workflow_is_listed(app, backend):
    backend.create_workflow(document(static("a", "Hello"), static("b", "Lost")))

    app.run()

    assert any(expander.label == "1 warning" for expander in app.expander)


def test_imported_file_is_checked_then_kept_and_shown(app, backend, record):
    app.run()
    use(app, "workflow_files", True)
    written = json.dumps(document(static("a", "Hello"), static("b", "Lost"), name="From a file"))

    app.file_uploader("import_file_0").upload("tea.json", written.encode()).run()
    told = [caption.value for caption in app.caption]
    use(app, "import_now")

    assert not app.exception
    assert "From a file: 2 nodes, 0 edges" in told
    assert "1 warning" in told
    assert record(CurrentRun).session.workflow.name == "From a file"


def test_imported_file_that_breaks_rule_of_saving_is_refused(app, backend):
    app.run()
    use(app, "workflow_files", True)
    faulty = document(node("h", "http_request", url="https://example.com", timeout=301), name="From a file")

    app.file_uploader("import_file_0").upload("tea.json", json.dumps(faulty).encode()).run()
    use(app, "import_now")

    assert not app.exception
    assert "the 'timeout' '301', and it may be from 0 to 300" in app.error[0].value
    assert backend.workflows() == []


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (b'{"node_configs": [}', "line 1, column 19"),
        (b"", "empty"),
        (b"[]", "not a workflow"),
        (b'{"node_configs": [{"type": "llm"}]}', "logical"),
    ],
)
def test_file_that_is_no_workflow_is_refused_with_its_fault(app, backend, written, told):
    app.run()
    use(app, "workflow_files", True)

    app.file_uploader("import_file_0").upload("tea.json", written).run()

    assert not app.exception
    assert told in app.error[0].value
    assert "import_now" not in keys(app)


def test_run_that_someone_else_drives_can_be_looked_at_again(app, backend, record):
    workflow = backend.create_workflow(document(worker("a"), say("chat"), direct("a", "chat")))
    session = DebugSession(backend, workflow.id)
    session.start(TurnInput.with_message(None))
    assert session.wait(10)
    app.query_params["run"] = session.run_id
    app.run()

    session.send("from elsewhere")
    assert session.wait(10)
    use(app, "reload_run")

    assert len(record(CurrentRun).session.turns) == 2


def test_long_conversation_shows_its_end_and_rest_on_demand(app, backend, monkeypatch, press, settle):
    monkeypatch.setattr("debugger.views.panels.conversation._MAX_MESSAGES", 2)
    monkeypatch.setattr("debugger.views.panels.conversation._CUT_OFF", 1)
    backend.create_workflow(document(say("chat")))
    app.run()
    for text in ("one", "two"):
        send(app, text)
        settle()
    end = words(app)

    show_earlier(app)

    assert "one" not in end
    assert "one" in words(app)


def test_second_click_on_start_has_nothing_to_do(app, backend, record):
    backend.create_workflow(document(say("chat")))
    backend.gate.clear()
    app.run()
    start = control(app, "start")
    start.use()

    start.use()
    backend.gate.set()
    assert record(CurrentRun).session.wait(10)
    app.run()

    assert not app.error
    assert len(record(CurrentRun).session.turns) == 1


def test_lines_of_script_are_offered_and_sent_by_click(app, backend, record, settle, tmp_path, monkeypatch):
    script = "version: 1\nworkflow: workflow_test\ndemo:\n  - Hi there.\n  - Bye then.\n"
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "test.yaml").write_text(script)
    monkeypatch.setenv("WORKFLOW_DEBUGGER_SCRIPTS", str(tmp_path / "scripts"))
    backend.create_workflow(document(say("chat")))
    app.run()
    first = box(app)["offers"][0]

    send(app, first)
    settle()

    assert first == "Hi there."
    assert [turn.message for turn in record(CurrentRun).session.turns] == ["Hi there."]
    assert box(app)["offers"] == ["Bye then."]


def test_event_that_went_with_its_turn_is_no_longer_chosen(app, backend, record, press):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")

    record(Cursor).event = 10_000
    app.run()

    assert not app.exception
    assert record(Cursor).event is None


def test_refused_start_never_shows_unrelated_run(app, backend, record, press, settle):
    backend.create_workflow(document(say("chat")))
    other = backend.create_workflow(document(say("chat"))).id
    app.run()
    press("start")
    backend.gate.clear()
    use(app, "restart")
    app.query_params.clear()
    app.query_params["workflow"] = other
    app.run()
    backend.fault = RunError("The run cannot begin.")
    backend.gate.set()

    press("start")

    assert record(CurrentRun).session.error is backend.fault
    assert record(CurrentRun).session.workflow_id == other


def test_setup_that_cannot_be_stored_is_reported(app, backend, record, press, settle, monkeypatch):
    def broken():
        raise StoreError("The database is locked.")

    backend.create_workflow(document(say("chat")))
    app.run()
    use(app, "lower_view", "Breakpoints")
    app.selectbox("bp_kind").set_value("error").run()
    app.button("bp_add").click().run()
    press("start")
    monkeypatch.setattr(actions, "local_notes", broken)

    send(app, "Hello")
    settle()

    assert any("The database is locked" in error.value for error in app.error)
    assert record(CurrentRun).session.turns[-1].message == "Hello"


def test_lower_panes_are_folded_until_there_is_an_event(app, backend, press):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    before = keys(app)

    press("start")

    assert "inspector_tab" not in before
    assert "inspector_tab" in keys(app)
    assert control(app, "lower_view").options[0] == "Timeline"
    assert "fold" not in keys(app)


def test_chosen_node_or_view_unfolds_lower_panes_and_button_folds_them(app, backend, record):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    offered = control(app, "lower_view").options

    use(app, "lower_view", "Mocks")
    by_view = "inspector_tab" in keys(app), control(app, "lower_view").value
    use(app, "fold")
    folded = "inspector_tab" in keys(app), control(app, "lower_view").value
    record(Selection).node = "a"
    app.run()

    assert offered == ["Breakpoints", "Mocks"]
    assert by_view == (True, "Mocks")
    assert folded == (False, None)
    assert "inspector_tab" in keys(app)


def test_view_of_before_the_start_gives_way_to_timeline_and_a_later_one_stays(app, backend, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    use(app, "lower_view", "Mocks")

    press("start")
    first = control(app, "lower_view").value
    use(app, "lower_view", "Mocks")
    press("restart")

    assert first == "Timeline"
    assert control(app, "lower_view").value == "Mocks"


def test_choice_of_models_leaves_lower_panes_unfolded(app, backend):
    backend.create_workflow(document(say("chat")))
    app.session_state[INPUTS_KEY] = True
    app.run()
    use(app, "lower_view", "Mocks")

    control(app, "choice_responder").select("scripted").run()

    assert control(app, "lower_view").value == "Mocks"
    assert "who_answers_choice" in keys(app)


def test_timeline_is_on_view_after_scenario_of_another_run(app, backend, press):
    backend.create_workflow(document(static("a", "Hello")))
    app.session_state[state.LOWER_KEY] = SCENARIO_VIEW
    app.run()

    press("start")

    assert control(app, state.LOWER_KEY).value == "Timeline"
    assert "timeline_text" in keys(app)

from __future__ import annotations

import pytest

from debugger.analysis.side_effects import side_effects
from debugger.settings import Settings
from debugger.store import Role
from debugger.views.auth import permissions
from debugger.views.auth.permissions import User
from debugger.views.backends import EngineChoices
from debugger.views.panels import setup
from debugger.views.panels.run_input import INPUTS_KEY
from debugger.views.panels.setup import SetupState, is_allowed
from debugger.views.run_state import CurrentRun, RunInputs
from tests.support.factories import document, node, say, static
from tests.views.bars import control, items, keys, use
from tests.views.message import send
from tests.views.talk import box, words

CHAT = (say("chat"),)


@pytest.fixture
def waiting(app, backend, press):
    """A run of the workflow Newer whose user is asked; there is an older workflow."""
    older = backend.create_workflow(document(static("a", "Hello"), name="Older"))
    backend.create_workflow(document(*CHAT, name="Newer"))
    app.run()
    press("start")
    return older


def head_texts(app):
    """Return what the head says of the run, by key."""
    found = items(app, "run_head_line")
    return {item["key"]: item.get("text") or item["label"] for item in found if "key" in item}


def set_json(app, text):
    use(app, "input_mode", "JSON")
    next(area for area in app.text_area if "json" in area.key).set_value(text).run()


def test_head_names_workflow_and_version(app, backend):
    backend.create_workflow(document(*CHAT, name="Tea shop"))

    app.run()

    assert head_texts(app) == {"title": "Tea shop · v0"}


def test_head_opens_setup_of_run(app, waiting):
    assert head_texts(app) == {"setup": "Newer · v0"}


def test_setup_takes_place_of_conversation_before_first_turn(app, backend):
    backend.create_workflow(document(*CHAT))

    app.run()

    assert {"workflow", "version", "workflow_files", "edit_inputs", "start"} <= keys(app)
    assert not {"setup", "input_mode", "choice_responder"} & keys(app)
    with pytest.raises(StopIteration):
        box(app)


def test_inputs_are_one_line_that_opens_them(app, backend, record):
    backend.create_workflow(document(say("chat", "Serve {{name}}, {{size}}."), defaults={"shop": "Leaf"}))
    app.run()
    model = record(RunInputs).start[record(CurrentRun).session.workflow_id, 0]
    before = line_of_inputs(app)
    model.value = {**model.value, "dynamic_variables": {"shop": "Leaf", "name": "Ada", "size": ""}}
    app.run()

    use(app, "edit_inputs", True)

    assert before == "3 values"
    assert line_of_inputs(app) == "3 values, 1 changed"
    assert {"input_mode", "recall_older", "choice_responder"} <= keys(app)
    assert control(app, "edit_start_dynamic_variables").value is True


def test_line_of_inputs_tells_what_cannot_be_sent(app, backend):
    backend.create_workflow(document(*CHAT))
    app.session_state[INPUTS_KEY] = True
    app.run()

    set_json(app, "{")
    use(app, "edit_inputs", False)

    assert line_of_inputs(app) == "1 error"


def line_of_inputs(app):
    return next(item["text"] for item in items(app, "inputs_bar") if item.get("key") == "inputs")


def test_setup_is_closed_once_run_has_begun(app, waiting):
    assert not {"workflow", "version", "workflow_files", "edit_inputs", "start"} & keys(app)


def test_dialog_offers_workflow_version_and_input(app, waiting):
    use(app, "setup")

    assert {"workflow", "version", "workflow_files", "input_for"} <= keys(app)
    assert control(app, "input_for").value == "Next turn"
    assert "restart_now" not in keys(app)
    use(app, "keep_input")
    assert "workflow" not in keys(app)


def test_dialog_stays_while_input_is_edited(app, waiting):
    use(app, "setup")

    set_json(app, '{"dynamic_variables": {"tone": "kind"}}')
    app.run()

    assert not app.exception
    assert "workflow" in keys(app)


def test_dialog_changes_workflow_and_closes(app, record, waiting):
    use(app, "setup")

    use(app, "workflow", waiting.id)

    assert not app.exception
    assert record(CurrentRun).session.workflow_id == waiting.id
    assert not record(SetupState).is_open
    assert head_texts(app)["title"] == "Older · v0"


def test_dialog_changes_version_and_closes(app, backend, record, press):
    workflow = backend.create_workflow(document(*CHAT, name="Newer"))
    backend.create_version(workflow.id, version_name="release", mark_as_active=True)
    app.run()
    press("start")
    use(app, "setup")

    use(app, "version", "0")

    assert record(CurrentRun).session.version_number == 0
    assert not record(SetupState).is_open
    assert head_texts(app)["title"] == "Newer · v0"


def test_restart_with_changes_runs_edited_input(app, backend, record, settle, waiting):
    first = record(CurrentRun).session.run_id

    use(app, "restart_changed")
    assert control(app, "input_for").value == "Restart"
    set_json(app, '{"run_by": "qa"}')
    use(app, "restart_now")
    settle()

    run_id = record(CurrentRun).session.run_id
    assert run_id != first
    assert backend.run(run_id).run_by == "qa"
    assert not record(SetupState).is_open
    assert "restart_now" not in keys(app)


def test_dialog_of_ended_run_restarts_it(app, record, press, settle, waiting):
    press("stop")
    first = record(CurrentRun).session.run_id
    use(app, "setup")
    assert "input_for" not in keys(app)

    use(app, "restart_now")
    settle()

    assert record(CurrentRun).session.run_id != first


def test_demo_view_has_setup_in_dialog_alone(app, backend):
    backend.create_workflow(document(*CHAT))
    app.query_params["skin"] = "demo"
    app.run()
    before = keys(app)

    use(app, "setup")

    assert "start" in before
    assert "workflow" not in before
    assert {"workflow", "version", "input_mode"} <= keys(app)


def test_dialog_of_demo_view_starts_the_run(app, backend, record, settle):
    backend.create_workflow(document(*CHAT))
    app.query_params["skin"] = "demo"
    app.run()
    use(app, "setup")

    use(app, "start_now")
    settle()

    assert record(CurrentRun).session.turns
    assert "workflow" not in keys(app)


REQUEST = node("book", "http_request", method="POST", url="https://api.example/orders")


@pytest.fixture
def settings(record):
    """Returns the settings by which the run on view is executed."""
    return lambda: record(CurrentRun).session.backend.settings


def test_choice_and_reload_keep_who_answers(app, backend, record, press):
    backend.create_workflow(document(say("chat")))
    app.session_state[INPUTS_KEY] = True
    app.run()
    record(CurrentRun).session.human_input.nodes = frozenset({"chat"})

    control(app, "choice_outbound_write").select("simulated").run()
    chosen = record(CurrentRun).session.human_input.nodes
    press("start")
    use(app, "reload_run")

    assert chosen == record(CurrentRun).session.human_input.nodes == {"chat"}


def test_choice_holds_for_what_is_run_next(app, backend, record, settings, press, settle):
    backend.create_workflow(document(say("chat")))
    app.session_state[INPUTS_KEY] = True
    app.run()

    control(app, "choice_outbound_write").select("simulated").run()
    control(app, "choice_responder").select("scripted").run()

    assert not app.exception
    assert (settings().outbound_write, settings().responder) == ("simulated", "scripted")
    assert backend.settings.outbound_write == "blocked"
    press("start")
    send(app, "hello")
    settle()
    assert "hello" in words(app)


def test_value_of_the_settings_ends_the_choice(app, backend, record):
    backend.create_workflow(document(say("chat")))
    app.session_state[INPUTS_KEY] = True
    app.run()

    control(app, "choice_outbound_write").select("simulated").run()
    control(app, "choice_outbound_write").select("blocked").run()

    assert record(EngineChoices).values == {}
    assert record(CurrentRun).session.backend is backend


def test_started_run_stays_on_view(app, backend, record, settings, press):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")
    run_id = record(CurrentRun).session.run_id
    control(app, "setup").use()

    control(app, "choice_outbound_talk").select("simulated").run()

    assert not app.exception
    assert record(CurrentRun).session.run_id == run_id
    assert settings().outbound_talk == "simulated"
    assert control(app, "choice_outbound_talk").value == "simulated"  # the dialog is still open


def test_blocked_call_is_simulated_by_choice(app, backend, record, press):
    backend.create_workflow(document(REQUEST))
    app.session_state[INPUTS_KEY] = True
    app.run()
    control(app, "choice_outbound_write").select("simulated").run()

    press("start")

    session = record(CurrentRun).session
    (effect,) = side_effects(session.turns, session.ledger.recorded)
    assert (effect.call_class, effect.how) == ("write", "simulated")


@pytest.mark.parametrize(
    ("role", "name", "value", "allowed"),
    [
        (Role.RUN, "outbound_write", "live", False),
        (Role.RUN, "outbound_write", "simulated", True),
        (Role.RUN, "outbound_read", "live", True),
        (Role.ADMIN, "outbound_contact", "live", True),
        (Role.RUN, "responder", "model", True),
    ],
)
def test_real_calls_beyond_settings_need_an_administrator(monkeypatch, role, name, value, allowed):
    monkeypatch.setattr(permissions, "current_user", lambda: User("Ada", role, is_local=False))

    assert is_allowed(Settings(), name, value) is allowed


def test_forged_choice_is_refused(app, backend, record, monkeypatch):
    backend.create_workflow(document(say("chat")))
    app.session_state[INPUTS_KEY] = True
    app.run()
    monkeypatch.setattr(setup, "may", lambda role: False)

    control(app, "choice_outbound_contact").select("live").run()

    assert record(EngineChoices).values == {}
    assert any("need the role admin" in error.value for error in app.error)

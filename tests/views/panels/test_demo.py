from __future__ import annotations

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.mocks.pins_and_faults import Pin, Target
from debugger.settings import Settings
from debugger.store import Role
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.views.auth import permissions
from debugger.views.confirmations import OpenQuestions
from debugger.views.panels.demo import without_label
from debugger.views.run_state import CurrentRun, Cursor
from tests.support.factories import direct, document, node, say, static
from tests.views.bars import captions, control, items, keys, use
from tests.views.message import box, send
from tests.views.talk import words

HELLO = (static("a", "Hello"), say("chat"), direct("a", "chat"))


@pytest.fixture
def backend(tmp_path):
    """An engine that simulates messages to people."""
    database = f"sqlite:///{tmp_path}/runs.sqlite3"
    backend = EmbeddedBackend(Settings(database=database, responder="rules", outbound_contact="simulated"))
    yield backend
    backend.close()


@pytest.fixture
def demo(app, backend, press, settle):
    """A run of two turns in the demo view."""
    backend.create_workflow(document(*HELLO))
    app.query_params["skin"] = "demo"
    app.run()
    press("start")
    send(app, "green tea")
    settle()


def hold_seconds(app):
    return control(app, "scrubber").item["hold_ms"] / 1000


def test_play_stops_at_messages_and_transitions(app, record, demo):
    said = []

    while True:
        control(app, "scrubber").use("play")
        if record(Cursor).event is None:
            break
        said.append(words(app))

    assert said[0] == ["Hello"]
    assert ["Hello", "green tea"] in said
    assert len(said) == 5, "three messages, and a transition in each turn"


def test_later_messages_are_hidden_from_audience(app, record, demo):
    control(app, "scrubber").use("play")

    assert words(app) == ["Hello"]
    use(app, "back_to_live")
    assert len(words(app)) == 3


def test_moment_names_last_transition_with_reason(app, backend, press):
    backend.create_workflow(document(*HELLO))
    app.query_params["skin"] = "demo"
    app.run()
    press("start")
    live = captions(app)
    control(app, "scrubber").use("play")
    control(app, "scrubber").use("play")

    assert "A is done. Chat comes next. Now it is your turn." in live
    assert "A is done. Chat comes next." in captions(app)
    assert "Now it is your turn" not in captions(app)


def test_long_message_is_held_longer(app, backend, press):
    backend.create_workflow(document(static("a", "Hello"), static("b", "word " * 15), direct("a", "b")))
    app.query_params["skin"] = "demo"
    app.run()
    press("start")
    held = {}

    for _ in range(3):
        control(app, "scrubber").use("play")
        held.setdefault(len(words(app)), hold_seconds(app))

    assert held[1] == pytest.approx(1.6 + 0.28)
    assert held[2] == pytest.approx(1.6 + 15 * 0.28)


def test_engineer_view_holds_each_event_one_second(app, demo):
    use(app, "skin")

    assert hold_seconds(app) == 1.0


def badge(app):
    """Return the help of the badge that something was simulated; empty without one."""
    return next((item["help"] for item in items(app, "run_bar") if item.get("text") == "simulated"), "")


def test_badge_names_nodes_whose_model_was_simulated(app, demo):
    shown = badge(app)
    use(app, "skin")

    assert shown == "Simulated in this run: model answers (Chat)"
    assert badge(app) == ""


def test_badge_names_mocked_node_and_simulated_call(app, backend, record, press):
    sms = node("text", "send_sms", destination_phone_number="+15550100", message="Hi")
    backend.create_workflow(document(static("a", "Hello"), sms, direct("a", "text")))
    app.query_params["skin"] = "demo"
    app.run()
    before = badge(app)
    record(CurrentRun).session.mocks.put(Pin(Target("node", "a"), {"says": ["Hi"]}))
    press("start")

    assert before == ""
    assert badge(app) == "Simulated in this run: external calls (Text); mocked results (A)"


def test_label_of_rules_is_hidden_from_audience(app, demo):
    shown = words(app)[-1]
    use(app, "skin")

    assert shown.startswith('I heard: "green tea"')
    assert words(app)[-1] == f"[built-in rules: Chat] {shown}"


@pytest.mark.parametrize("label", ["[built-in rules: Chat] ", "[stand-in for Chat] "])
def test_label_of_earlier_runs_is_hidden_too(label):
    assert without_label(f"{label}I heard [it].") == "I heard [it]."


SCRIPT = "version: 1\nworkflow: workflow_test\ndemo:\n  - Hi there.\n  - Bye then.\n"


@pytest.fixture
def scripted(app, backend):
    """A workflow in the demo view, and a script of two lines."""
    workflow = backend.create_workflow(document(*HELLO))
    backend.store.demo_scripts.save("", workflow.id, ["Good morning.", "Good bye."], expected=NEVER_WRITTEN)
    app.query_params["skin"] = "demo"
    app.run()


def text(app):
    return app.text_area(key="demo_script_text").value


def test_suggestion_follows_messages_sent(app, press, settle, scripted):
    offered = [box(app)["suggestion"]]
    press("start")
    offered.append(box(app)["suggestion"])
    for line in ("Something else.", "Good bye."):
        send(app, line)
        settle()
        offered.append(box(app)["suggestion"])

    assert offered == ["Good morning.", "Good morning.", "Good bye.", ""]


def test_suggestion_is_for_demo_view_and_live_run(app, press, scripted):
    press("start")
    use(app, "previous_event")
    past = box(app)["suggestion"]
    use(app, "back_to_live")
    live = box(app)["suggestion"]
    use(app, "skin")

    assert (past, live, box(app)["suggestion"]) == ("", "Good morning.", "")


def test_script_of_models_is_used_until_one_is_saved(app, backend, tmp_path, monkeypatch):
    (tmp_path / "test.yaml").write_text(SCRIPT)
    monkeypatch.setenv("WORKFLOW_DEBUGGER_SCRIPTS", str(tmp_path))
    backend.create_workflow(document(*HELLO))
    app.query_params["skin"] = "demo"
    app.run()
    before = box(app)["suggestion"]

    use(app, "demo_script")
    shown = text(app)
    app.text_area(key="demo_script_text").set_value("\nGood  evening.\n").run()
    use(app, "demo_script_save")

    assert (before, shown) == ("Hi there.", "Hi there.\nBye then.")
    assert box(app)["suggestion"] == "Good evening."
    assert "demo_script_save" not in keys(app)


def test_messages_of_run_fill_script(app, backend, press, settle, scripted):
    press("start")
    send(app, "green\ntea")
    settle()

    use(app, "demo_script")
    use(app, "demo_script_of_run")
    filled = text(app)
    use(app, "demo_script_save")

    [workflow], _ = backend.store.workflows()
    assert filled == "green tea"
    assert backend.store.demo_scripts.lines("", workflow.id) == ["green tea"]


def test_run_without_messages_fills_no_script(app, scripted):
    use(app, "demo_script")

    assert control(app, "demo_script_of_run").disabled
    assert text(app) == "Good morning.\nGood bye."


def test_script_beyond_limit_keeps_dialog_open(app, backend, scripted):
    use(app, "demo_script")
    app.text_area(key="demo_script_text").set_value("line\n" * 101).run()
    use(app, "demo_script_save")

    assert any("The demo script has 101 lines." in error.value.replace("\\", "") for error in app.error)
    assert text(app) == "line\n" * 101
    assert box(app)["suggestion"] == "Good morning."


def test_script_of_another_user_is_not_overwritten(app, backend, record, scripted):
    [workflow], _ = backend.store.workflows()
    use(app, "demo_script")
    backend.store.demo_scripts.save(
        "",
        workflow.id,
        ["Good morning.", "Theirs."],
        expected=backend.store.demo_scripts.stored("", workflow.id).revision,
    )

    app.text_area(key="demo_script_text").set_value("Good morning.\nMine.").run()
    use(app, "demo_script_save")
    stored, question = backend.store.demo_scripts.lines("", workflow.id), record(OpenQuestions).edit
    use(app, "go_on_editing")
    kept = text(app)
    use(app, "demo_script_save")

    assert (stored, question.mine) == (["Good morning.", "Theirs."], "Good morning.\nMine.")
    assert kept == "Good morning.\nMine."
    assert backend.store.demo_scripts.lines("", workflow.id) == ["Good morning.", "Mine."]


@pytest.mark.parametrize(("answer", "stored"), [("keep_theirs", "Theirs."), ("replace_theirs", "Mine.")])
def test_question_on_script_closes_its_dialog(app, backend, scripted, answer, stored):
    [workflow], _ = backend.store.workflows()
    use(app, "demo_script")
    backend.store.demo_scripts.save(
        "", workflow.id, ["Theirs."], expected=backend.store.demo_scripts.stored("", workflow.id).revision
    )
    app.text_area(key="demo_script_text").set_value("Mine.").run()
    use(app, "demo_script_save")

    use(app, answer)

    assert backend.store.demo_scripts.lines("", workflow.id) == [stored]
    assert box(app)["suggestion"] == stored
    assert "demo_script_save" not in keys(app)


def test_opened_script_is_the_stored_one(app, backend, scripted):
    [workflow], _ = backend.store.workflows()
    backend.store.demo_scripts.save(
        "", workflow.id, ["Theirs."], expected=backend.store.demo_scripts.stored("", workflow.id).revision
    )

    use(app, "demo_script")
    shown = text(app)
    app.text_area(key="demo_script_text").set_value("Theirs.\nMine.").run()
    use(app, "demo_script_save")

    assert shown == "Theirs."
    assert backend.store.demo_scripts.lines("", workflow.id) == ["Theirs.", "Mine."]


def test_reader_cannot_save_script(app, monkeypatch, scripted):
    reader = permissions.User("Ada", Role.READ, is_local=False)
    monkeypatch.setattr(permissions, "current_user", lambda: reader)

    use(app, "demo_script")

    assert control(app, "demo_script_save").disabled
    assert app.text_area(key="demo_script_text").disabled

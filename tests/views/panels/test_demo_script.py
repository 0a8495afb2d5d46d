from __future__ import annotations

import pytest

from debugger.store import Role
from debugger.views.auth import permissions
from tests.support.factories import direct, document, say, static
from tests.views.bars import control, keys, use
from tests.views.message import box, send

HELLO = (static("a", "Hello"), say("chat"), direct("a", "chat"))
SCRIPT = "version: 1\nworkflow: workflow_test\ndemo:\n  - Hi there.\n  - Bye then.\n"


@pytest.fixture
def demo(app, backend):
    """A workflow in the demo view, and a script of two lines."""
    workflow = backend.create_workflow(document(*HELLO))
    backend.store.demo_scripts.save("", workflow.id, ["Good morning.", "Good bye."])
    app.query_params["skin"] = "demo"
    app.run()


def text(app):
    return app.text_area(key="demo_script_text").value


def test_ghost_follows_messages_sent(app, press, settle, demo):
    ghosts = [box(app)["ghost"]]
    press("start")
    ghosts.append(box(app)["ghost"])
    for line in ("Something else.", "Good bye."):
        send(app, line)
        settle()
        ghosts.append(box(app)["ghost"])

    assert ghosts == ["Good morning.", "Good morning.", "Good bye.", ""]


def test_ghost_is_for_demo_view_and_live_run(app, press, demo):
    press("start")
    use(app, "previous_event")
    past = box(app)["ghost"]
    use(app, "back_to_live")
    live = box(app)["ghost"]
    use(app, "skin")

    assert (past, live, box(app)["ghost"]) == ("", "Good morning.", "")


def test_script_of_models_is_used_until_one_is_saved(app, backend, tmp_path, monkeypatch):
    (tmp_path / "test.yaml").write_text(SCRIPT)
    monkeypatch.setenv("WORKFLOW_DEBUGGER_SCRIPTS", str(tmp_path))
    backend.create_workflow(document(*HELLO))
    app.query_params["skin"] = "demo"
    app.run()
    before = box(app)["ghost"]

    use(app, "demo_script")
    shown = text(app)
    app.text_area(key="demo_script_text").set_value("\nGood  evening.\n").run()
    use(app, "demo_script_save")

    assert (before, shown) == ("Hi there.", "Hi there.\nBye then.")
    assert box(app)["ghost"] == "Good evening."
    assert "demo_script_save" not in keys(app)


def test_messages_of_run_fill_script(app, backend, press, settle, demo):
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


def test_run_without_messages_fills_no_script(app, demo):
    use(app, "demo_script")

    assert control(app, "demo_script_of_run").disabled
    assert text(app) == "Good morning.\nGood bye."


def test_script_beyond_limit_keeps_dialog_open(app, backend, demo):
    use(app, "demo_script")
    app.text_area(key="demo_script_text").set_value("line\n" * 101).run()
    use(app, "demo_script_save")

    assert any("The demo script has 101 lines." in error.value.replace("\\", "") for error in app.error)
    assert text(app) == "line\n" * 101
    assert box(app)["ghost"] == "Good morning."


def test_reader_cannot_save_script(app, monkeypatch, demo):
    reader = permissions.User("Ada", Role.READ, is_local=False)
    monkeypatch.setattr(permissions, "current_user", lambda: reader)

    use(app, "demo_script")

    assert control(app, "demo_script_save").disabled
    assert app.text_area(key="demo_script_text").disabled

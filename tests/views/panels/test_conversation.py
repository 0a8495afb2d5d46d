from __future__ import annotations

import pytest

from debugger.backends.base import Capabilities
from tests.support.factories import direct, document, say, static
from tests.views.bars import control, keys, use
from tests.views.message import send
from tests.views.talk import box, show_earlier, words

HELLO = (static("a", "Hello"), say("chat"), direct("a", "chat"))


def test_setup_gives_way_to_messages_with_first_turn(app, backend, press):
    backend.create_workflow(document(*HELLO))
    app.run()
    with pytest.raises(StopIteration):
        box(app)

    press("start")

    assert words(app) == ["Hello"]
    assert box(app)["empty"] is None


def test_demo_view_starts_run_from_empty_conversation(app, backend, press):
    backend.create_workflow(document(*HELLO))
    app.query_params["skin"] = "demo"
    app.run()
    assert box(app)["empty"]["text"] == "The messages appear here."

    press("start")

    assert words(app) == ["Hello"]
    assert "start" not in keys(app)


def test_turn_under_way_is_reported(app, backend, settle):
    backend.create_workflow(document(*HELLO))
    backend.gate.clear()
    app.run()
    use(app, "start")

    assert box(app)["under_way"]["text"].startswith("The workflow is working …")
    assert box(app)["empty"] is None
    backend.gate.set()
    settle()
    assert box(app)["under_way"] is None


def test_backend_that_runs_nothing_says_why_disabled(app, backend, monkeypatch):
    backend.create_workflow(document(*HELLO))
    reasons = {"run_turns": "This one is only viewed."}
    monkeypatch.setattr(type(backend), "capabilities", Capabilities(reasons))

    app.run()

    assert control(app, "start").disabled
    assert control(app, "start").help == "This one is only viewed."


def test_next_run_shows_its_end_again(app, backend, monkeypatch, press, settle):
    monkeypatch.setattr("debugger.views.panels.conversation._MAX_MESSAGES", 2)
    monkeypatch.setattr("debugger.views.panels.conversation._CUT_OFF", 1)
    backend.create_workflow(document(say("chat")))
    app.run()
    for text in ("one", "two"):
        send(app, text)
        settle()
    show_earlier(app)
    assert box(app)["earlier"]["is_shown"]

    press("restart")
    for text in ("three", "four"):
        send(app, text)
        settle()

    assert not box(app)["earlier"]["is_shown"]
    assert "three" not in words(app)

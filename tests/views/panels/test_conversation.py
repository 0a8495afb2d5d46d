from __future__ import annotations

from tests.support.factories import direct, document, say, static
from tests.views.message import send
from tests.views.talk import box, press_start, show_earlier, words

HELLO = (static("a", "Hello"), say("chat"), direct("a", "chat"))


def test_before_run_box_says_what_will_be_here_and_begins_it(app, backend, record, settle):
    backend.create_workflow(document(*HELLO))
    app.run()
    assert box(app)["empty"]["text"] == "What user and agent say appears here."

    press_start(app)
    settle()

    assert words(app) == ["Hello"]
    assert (box(app)["empty"], box(app)["start"]) == (None, None)


def test_turn_under_way_is_told(app, backend, record, settle):
    backend.create_workflow(document(*HELLO))
    backend.gate.clear()
    app.run()
    press_start(app)

    assert box(app)["under_way"]["text"].startswith("The workflow is working …")
    assert (box(app)["empty"], box(app)["start"]) == (None, None)
    backend.gate.set()
    settle()
    assert box(app)["under_way"] is None


def test_backend_that_runs_nothing_says_why_it_cannot_begin(app, backend, monkeypatch):
    backend.create_workflow(document(*HELLO))
    told = {"run_turns": "This one is only looked at."}
    monkeypatch.setattr(type(backend.capabilities), "reason_against", lambda self, name: told.get(name))

    app.run()

    assert box(app)["start"] == {"no_run": "This one is only looked at."}


def test_next_run_shows_its_end_again(app, backend, monkeypatch, press, settle):
    monkeypatch.setattr("debugger.views.panels.conversation._MOST_BUBBLES", 2)
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

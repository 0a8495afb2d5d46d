from __future__ import annotations

import pytest

from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.views.pages.present import _Presentation
from tests.support.factories import direct, document, say, static
from tests.views.records import record_of
from tests.views.talk import words

HELLO = (static("a", "Hello"), say("chat"), direct("a", "chat"))


@pytest.fixture
def recorded(backend):
    """A run with two turns on record; gives its id."""
    kept = backend.create_workflow(document(*HELLO))
    session = DebugSession(backend, kept.id, 0)
    session.start(TurnInput())
    assert session.wait(10)
    assert session.run_id is not None
    session.send("good morning")
    assert session.wait(10)
    return session.run_id


@pytest.fixture
def stage(view, recorded):
    """The presenter with that run on view."""
    app = view("present")
    app.query_params["run"] = recorded
    app.run()
    assert not app.exception
    return app


def told(app):
    return " ".join(markdown.value for markdown in app.markdown)


def test_without_run_it_says_what_would_be_here(view):
    app = view("present").run()

    assert not app.exception
    assert any("No run is on view" in caption.value for caption in app.caption)


def test_link_opens_its_run_before_first_word(stage):
    assert "Before the first word" in told(stage)
    assert words(stage) == []
    assert stage.button("play_previous").disabled


def test_words_appear_step_by_step_and_go_again(stage):
    stage.button("play_next").click().run()
    assert words(stage) == ["Hello"]
    stage.button("play_next").click().run()
    assert "A → Chat" in told(stage)

    stage.button("play_previous").click().run()
    stage.button("play_previous").click().run()

    assert words(stage) == []


def test_presenting_asks_engine_for_nothing(stage, backend, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the engine was asked")

    for name in ("execute", "pump", "run", "runs", "create_workflow"):
        monkeypatch.setattr(backend, name, refuse)

    while not stage.button("play_next").disabled:
        stage.button("play_next").click().run()
        assert not stage.exception

    assert "So far" in told(stage)
    assert words(stage)[:2] == ["Hello", "good morning"]


def test_it_plays_and_pauses(stage):
    stage.button("play").click().run()
    assert stage.button("play").label == "Pause"

    stage.button("play").click().run()

    assert stage.button("play").label == "Play"


def test_turn_is_jumped_to(stage):
    stage.selectbox("play_turn").set_value(2).run()

    assert words(stage) == ["Hello", "good morning"]
    assert stage.selectbox("play_turn").value == 2


def test_speed_is_kept_from_step_to_step(stage):
    stage.button_group("play_speed").set_value(4.0).run()
    stage.button("play_next").click().run()

    assert record_of(stage, _Presentation).player.speed == 4.0


def test_what_was_said_is_never_read_as_markdown(view, backend):
    kept = backend.create_workflow(document(static("a", "![x](http://leak.example/x.png)")))
    session = DebugSession(backend, kept.id, 0)
    session.start(TurnInput())
    assert session.wait(10)
    app = view("present")
    app.query_params["run"] = session.run_id
    app.run()

    app.button("play_next").click().run()

    assert words(app) == ["![x](http://leak.example/x.png)"]


def test_run_that_there_is_not_is_told(view):
    app = view("present")
    app.query_params["run"] = "0" * 24

    app.run()

    assert not app.exception
    assert app.error

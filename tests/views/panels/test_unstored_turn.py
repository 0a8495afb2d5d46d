from __future__ import annotations

import pytest

from debugger.engine.outbound.gateway import STARTED
from debugger.errors import StoreError, TurnNotStoredError
from debugger.protocol.json_codec import encode
from debugger.protocol.runs import TurnInput, background_input
from debugger.store import UnfinishedTurn
from debugger.views.panels.unstored_turn import call_details, call_words
from debugger.views.run_state import CurrentRun
from tests.support.factories import direct, document, say, static
from tests.views.bars import control, keys, use, words
from tests.views.message import box as message_box
from tests.views.message import send

BOOK = {
    "target": "POST https://api.example/book",
    "success": True,
    "status_code": 201,
    "error": None,
    "node_logical_id": "chat",
}


@pytest.fixture
def session(app, backend, press, record):
    """A run that waits for its user after turn 1."""
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")
    return record(CurrentRun).session


def interrupted(calls, turn_input):
    return UnfinishedTurn("", "", 1, 0.0, encode(turn_input.to_wire()), calls_json=encode(calls))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (BOOK, "POST https://api.example/book · ok 201"),
        ({**BOOK, "success": False, "status_code": 500}, "POST https://api.example/book · failed 500"),
        ({**BOOK, "error": STARTED}, "POST https://api.example/book · started, outcome unknown"),
        ({**BOOK, "success": False, "status_code": None}, "POST https://api.example/book · failed"),
    ],
)
def test_call_words_name_target_and_outcome(call, text):
    assert call_words(call) == text


def test_call_details_name_node_and_error():
    failed = {**BOOK, "success": False, "error": "No connection."}

    assert call_details(failed, {"chat": "Chat"}).endswith("· failed 201 · Chat · No connection.")
    assert call_details({**BOOK, "error": STARTED}, {}).endswith("· started, outcome unknown · chat")


@pytest.mark.parametrize(
    ("turn_input", "text"),
    [
        (
            TurnInput.with_message("x" * 90),
            f"The turn “{'x' * 59}…” was interrupted, had made 4 calls and is not",
        ),
        (TurnInput.with_message(None), "A turn was interrupted, had made 4 calls and is not on record."),
        (background_input(), "A step of the background work was interrupted, had made 4 calls"),
    ],
)
def test_turn_of_other_process_lists_calls(app, session, turn_input, text):
    session.interrupted_turn = interrupted([BOOK] * 4, turn_input)

    app.run()

    assert any(text in shown for shown in words(app))
    assert words(app).count("POST https://api.example/book · ok 201") == 3
    assert "and 1 more call" in words(app)
    assert "write_again" not in keys(app)
    use(app, "unstored_calls", value=True)
    assert words(app).count("POST https://api.example/book · ok 201 · Chat") == 4
    use(app, "discard_unstored")
    assert session.interrupted_turn is None
    assert "discard_unstored" not in keys(app)


def test_unstored_turn_is_sent_again_by_choice_only(app, backend, session, settle, monkeypatch):
    def refuse(*_, **__):
        raise StoreError("The database is full.", advice="Free some space.")

    with monkeypatch.context() as patch:
        patch.setattr(backend.store.claims, "finish", refuse)
        send(app, "Two bags")
        settle()

    shown = words(app)
    assert "The turn “Two bags” ran, called nothing and could not be stored." in shown
    assert isinstance(session.error, TurnNotStoredError)
    assert not app.error
    send(app, "Two bags")
    settle()
    assert (len(session.turns), message_box(app)["draft"]) == (1, "Two bags")
    use(app, "send_unstored")
    settle()

    assert (session.error, session.turns[-1].message) == (None, "Two bags")
    assert "send_unstored" not in keys(app)


def test_turn_of_ended_run_cannot_be_sent_again(app, session, press):
    use(app, "stop") if "stop" in keys(app) else press("stop")
    session.wait_until_idle(10)
    session.interrupted_turn = interrupted([BOOK], TurnInput.with_message("Two bags"))

    app.run()

    assert control(app, "send_unstored").disabled
    assert not control(app, "discard_unstored").disabled


def test_restarted_run_that_is_not_stored_stays_on_view(
    app, backend, session, press, settle, record, monkeypatch
):
    def refuse(*_, **__):
        raise StoreError("The database is full.", advice="Free some space.")

    with monkeypatch.context() as patch:
        patch.setattr(backend.store.claims, "finish", refuse)
        use(app, "restart")
        settle()

    assert record(CurrentRun).session is not session
    assert "A turn ran, called nothing and could not be stored." in words(app)

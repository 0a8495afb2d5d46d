from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from debugger.backends.base import TurnProgress, TurnStream
from debugger.errors import ConnectionFailedError, OutcomeUnknownError
from debugger.protocol.json_codec import encode
from debugger.protocol.runs import SentTurn, TurnInput
from debugger.store.notes import UnfinishedTurn
from debugger.views.panels.turn_outcome import progress_text
from debugger.views.run_state import CurrentRun
from tests.support.factories import direct, document, say, static
from tests.views.bars import badges, items, keys, use
from tests.views.bars import words as bar_words
from tests.views.message import box as message_box
from tests.views.message import send
from tests.views.talk import said, words

HELLO = (static("a", "Hello"), say("chat"), direct("a", "chat"))


@pytest.fixture
def run(app, backend, press):
    """Start a run and return its workflow's id."""
    workflow_id = backend.create_workflow(document(*HELLO)).id
    app.run()
    press("start")
    return workflow_id


@pytest.fixture
def lose_answer(app, backend, settle, monkeypatch):
    """Send a message whose answer is lost, and while the record cannot be read, draw the page."""

    def lose(text, *, is_executed):
        execute = backend.execute

        def executes(workflow_id, turn_input, *, run_id=None, **arguments):
            turn_input = turn_input.with_client_turn_id("turn-of-the-test")
            if is_executed:
                execute(workflow_id, turn_input, run_id=run_id).finish()
            number = arguments["expected_turn_number"]
            progress = TurnProgress(sent=SentTurn(turn_input, run_id, number, time.time()))
            return TurnStream(run_id, lost(), progress)

        def lost():
            raise OutcomeUnknownError("The connection broke.")
            yield

        def unreadable(workflow_id, sent):
            raise ConnectionFailedError("Nothing answers.")

        with monkeypatch.context() as patch:
            patch.setattr(backend, "execute", executes)
            send(app, text)
            settle()
        monkeypatch.setattr(backend, "find_turn", unreadable)

    return lose


@pytest.fixture
def readable(backend, monkeypatch):
    """Let the record be read again."""
    return lambda: monkeypatch.setattr(backend, "find_turn", type(backend).find_turn.__get__(backend))


def outcome(app):
    """Return the sentence above the message box; empty where there is none."""
    try:
        return items(app, "turn_outcome")[0]["text"]
    except StopIteration:
        return ""


def look(app, record):
    """Let the session look at the record, and draw the page."""
    record(CurrentRun).session.check_now()
    assert record(CurrentRun).session.wait_for_record(10)
    app.run()
    assert not app.exception


def check_now(app, record):
    """Press the button, and draw what was found."""
    use(app, "check_now")
    assert record(CurrentRun).session.wait_for_record(10)
    app.run()


def continue_run(backend, workflow_id, run_id, text="from elsewhere"):
    backend.execute(workflow_id, TurnInput.with_message(text, command="data"), run_id=run_id).finish()


def test_unknown_turn_locks_box(app, run, lose_answer):
    lose_answer("Two bags", is_executed=False)

    assert "it is not known whether the message was executed" in outcome(app)
    assert items(app, "turn_outcome")[0]["help"] == "The connection broke."
    assert {"check_now", "send_again_pending", "discard_pending"} <= keys(app)
    assert "reload_run" not in keys(app)
    assert said(app)[-1] == {
        "kind": "user",
        "text": "Two bags",
        "caption": "Outcome unknown",
        "is_uncertain": True,
    }
    assert message_box(app)["disabled"]
    assert message_box(app)["aria_label"] == outcome(app)
    assert "Outcome unknown" in badges(app)
    assert not app.error


def test_check_now_finds_turn_that_was_executed(app, record, run, lose_answer, readable):
    lose_answer("Two bags", is_executed=True)
    check_now(app, record)
    assert "not known" in outcome(app)

    readable()
    check_now(app, record)

    assert outcome(app) == "The answer was lost, and the message has arrived: the record has it as turn 2."
    assert words(app).count("Two bags") == 1
    assert not message_box(app)["disabled"]


def test_message_that_seems_to_have_arrived_can_be_restored(
    app, backend, record, run, lose_answer, readable, monkeypatch
):
    lose_answer("Two bags", is_executed=True)
    readable()
    find = backend.find_turn
    seems = {"outcome": "seems_arrived"}
    monkeypatch.setattr(backend, "find_turn", lambda *given: replace(find(*given), **seems))
    check_now(app, record)
    assert "seems to have arrived as turn 2" in outcome(app)

    use(app, "restore_message")

    assert message_box(app)["draft"] == "Two bags"
    assert outcome(app) == ""


def test_message_that_arrives_late_leaves_the_box(app, backend, record, run, lose_answer, readable):
    lose_answer("Two bags", is_executed=False)
    readable()
    check_now(app, record)
    assert message_box(app)["draft"] == "Two bags"
    late = TurnInput.with_message("Two bags", command="data").with_client_turn_id("turn-of-the-test")
    backend.execute(run, late, run_id=record(CurrentRun).session.run_id).finish()

    look(app, record)

    assert message_box(app)["draft"] == ""
    assert outcome(app) == "The answer was lost, and the message has arrived: the record has it as turn 2."


def test_check_now_offers_message_that_did_not_arrive(app, record, run, lose_answer, readable):
    lose_answer("Two bags", is_executed=False)

    readable()
    check_now(app, record)

    assert outcome(app).startswith("Not executed: the message did not arrive.")
    assert message_box(app)["draft"] == "Two bags"
    assert "Two bags" not in words(app)
    assert not app.error


def test_send_again_executes_message(app, backend, record, run, lose_answer, settle):
    lose_answer("Two bags", is_executed=False)

    use(app, "send_again_pending")
    settle()

    assert outcome(app) == ""
    assert words(app).count("Two bags") == 1
    assert len(backend.run(record(CurrentRun).session.run_id).input_output_pairs) == 2


def test_discard_gives_message_up(app, run, lose_answer):
    lose_answer("Two bags", is_executed=False)

    use(app, "discard_pending")

    assert outcome(app) == ""
    assert words(app) == ["Hello"]
    assert message_box(app)["draft"] == ""
    assert not message_box(app)["disabled"]


def test_newer_turns_are_counted_and_loaded(app, backend, record, run):
    run_id = record(CurrentRun).session.run_id
    for text in ("one", "two"):
        continue_run(backend, run, run_id, text)
    look(app, record)
    assert outcome(app) == "2 new turns from another client. Load them before you send a message."
    assert words(app) == ["Hello"]

    use(app, "load_newer")

    assert outcome(app) == ""
    assert {"one", "two"} <= set(words(app))


def test_follow_loads_turns_as_they_come(app, backend, record, run):
    run_id = record(CurrentRun).session.run_id
    continue_run(backend, run, run_id, "one")
    look(app, record)

    use(app, "follow_run", True)
    look(app, record)
    assert "one" in words(app)
    continue_run(backend, run, run_id, "two")
    look(app, record)

    assert "two" in words(app)
    assert outcome(app) == "Turns of other clients are loaded as they arrive."
    use(app, "follow_run", False)
    assert outcome(app) == ""


def test_stale_message_is_explained_and_kept(app, backend, record, run, settle):
    continue_run(backend, run, record(CurrentRun).session.run_id)

    send(app, "Two bags")
    settle()
    assert record(CurrentRun).session.wait_for_record(10)
    app.run()

    assert outcome(app).startswith("Not executed: the run has newer turns, which are shown now.")
    assert "from elsewhere" in words(app)
    assert message_box(app)["draft"] == "Two bags"
    assert not app.error


def test_deleted_run_takes_no_message(app, backend, record, run):
    backend.store.delete_run(record(CurrentRun).session.run_id)

    look(app, record)

    assert outcome(app).startswith("Another client has deleted this run.")
    assert message_box(app)["disabled"]


@pytest.mark.parametrize(
    ("phase", "seconds", "text"),
    [
        ("executing", None, ""),
        ("retrying", 3.0, "Too many requests. It is sent again within 3 s."),
        ("retrying", 0.1, "Too many requests. It is sent again now."),
        (
            "reconciling",
            12.0,
            "The answer was lost. Looking for the message in the run's record. 12 s left.",
        ),
    ],
)
def test_progress_text_names_seconds_left(phase, seconds, text):
    until = None if seconds is None else time.monotonic() + seconds
    progress = TurnProgress(phase=phase, message="Too many requests.", until=until)

    assert progress_text(SimpleNamespace(progress=progress)) == text


def test_interrupted_turn_is_written_again(app, backend, record):
    backend.create_workflow(document(say("chat")))
    app.run()
    session = record(CurrentRun).session
    wire = TurnInput.with_message("Two bags").to_wire()
    session.interrupted_turn = UnfinishedTurn(
        "6b0aa25757a921887f4208f8", "", 1, 0.0, encode(wire), b"[{}, {}]"
    )
    app.run()
    texts = bar_words(app)

    use(app, "write_again")

    assert any("“Two bags” and is not in the record. It got as far as 2 events." in text for text in texts)
    assert session.interrupted_turn is None
    assert message_box(app)["draft"] == "Two bags"

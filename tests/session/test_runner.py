from __future__ import annotations

import pytest

from debugger.analysis.side_effects import side_effects
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import StoreError
from debugger.protocol.events import AssistantResponseEvent, WaitingEvaluationBoundaryEvent
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.session.runner import TurnList
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.factories import direct, document, node, say, static


def test_background_work_shows_with_first_event():
    book = TurnList()
    turn = book.new_turn(TurnInput.with_message("Hello"))
    step = book.new_step()
    before = book.logs

    book.add(step, AssistantResponseEvent(content="Bye"))

    assert before == [turn]
    assert [(log.number, log.is_background) for log in book.logs] == [(1, False), (1, True)]


def test_unrecorded_events_are_not_shown():
    book = TurnList()
    step = book.new_step()

    book.add(step, WaitingEvaluationBoundaryEvent(edges_evaluated=1))

    assert book.logs == []
    assert step.events == []


def test_turn_during_background_work_follows_it():
    book = TurnList()
    book.new_turn(TurnInput.with_message("Hello"))
    step = book.new_step()

    book.new_turn(TurnInput.with_message("Wait!"), after=step)
    book.add(step, AssistantResponseEvent(content="Bye"))

    assert [(log.number, log.is_background, len(log.events)) for log in book.logs] == [
        (1, False, 0),
        (1, True, 1),
        (2, False, 0),
    ]


def test_remove_compares_logs_by_identity():
    book = TurnList()
    first = book.new_turn(TurnInput())
    step = book.new_step()
    twin = book.new_step()
    book.new_turn(TurnInput(), after=step)
    book.add(twin, AssistantResponseEvent(logical_id="a"))
    book.add(step, AssistantResponseEvent(logical_id="a"))

    book.remove(twin)

    assert book.logs[0] is first
    assert any(log is step for log in book.logs)
    assert not any(log is twin for log in book.logs)


def test_events_are_counted_while_turns_change():
    said = AssistantResponseEvent(content="Hello")
    book = TurnList([TurnLog(1, TurnInput(), [said, said])])
    counts = [book.event_count]

    for _ in range(3):
        turn = book.new_turn(TurnInput())
        book.add(turn, said)
        counts.append(book.event_count)
        book.add(turn, said)
        counts.append(book.event_count)
    book.remove(turn)

    assert [*counts, book.event_count] == [2, 3, 4, 5, 6, 7, 8, 6]


CALL = node("save", "http_request", url="http://127.0.0.1:9/bookings", method="POST")
START = TurnInput.with_message(None)


@pytest.fixture
def backend(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield backend
    backend.close()


def begun(backend, *parts, **fields):
    """A session whose first turn is over."""
    kept = backend.create_workflow(document(*parts, **fields))
    session = DebugSession(backend, kept.id, 0)
    session.start(START)
    assert session.wait(10)
    return session


def targets(session):
    return [effect.target for effect in side_effects(session.turns, session.ledger.recorded)]


def test_ended_turn_needs_no_record_for_calls(backend):
    session = begun(backend, CALL, say("chat"), direct("save", "chat"))

    found = targets(session)

    assert found == ["POST http://127.0.0.1:9/bookings"]
    assert session.ledger.reads == 0


def test_calls_of_failed_turn_come_from_record(backend):
    broken = node("gone", "super_node", disabled=True)
    session = begun(
        backend, CALL, static("loop", "Hi"), broken, direct("save", "loop"), direct("loop", "save")
    )

    assert session.status in ("failed", "aborted_looping_risk")
    assert targets(session)
    assert targets(DebugSession.open(backend, session.run_id)) == targets(session)


def test_a_reopened_run_has_the_same_ledger(backend):
    session = begun(backend, CALL, say("chat"), direct("save", "chat"))

    again = DebugSession.open(backend, session.run_id)

    assert targets(again) == targets(session) != []


def test_unreadable_record_is_reported_and_turn_stays(backend, monkeypatch):
    session = begun(backend, say("chat"))

    def broken(run_id):
        raise StoreError("The record cannot be read.")

    monkeypatch.setattr(backend, "run", broken)
    log = session.turns[0]
    log.events[:] = [event for event in log.events if event.type != "end_workflow_iteration"]

    session.ledger.update(session.run_id, log)

    assert str(session.ledger.error) == "The record cannot be read."


def test_turn_that_broke_here_frees_run(tmp_path, monkeypatch):
    embedded = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/a.sqlite3", responder="rules"))
    session = DebugSession(embedded, embedded.create_workflow(document(say("chat"))).id)
    session.send("Hello")
    session.wait(10)

    with monkeypatch.context() as patch:
        patch.setattr(session.breakpoints, "match", lambda *_: 1 / 0)
        session.send("Again")
        session.wait(10)
    failed, revision = session.error, embedded.revision(session.run_id)
    session.send("Once more")
    session.wait(20)
    embedded.close()

    assert "unexpectedly" in failed.message
    assert revision.turn_number is None
    assert session.error is None
    assert [turn.message for turn in session.turns] == ["Hello", "Once more"]

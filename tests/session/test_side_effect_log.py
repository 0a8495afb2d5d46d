from __future__ import annotations

import pytest

from debugger.analysis.side_effects import side_effects
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import StoreError
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.factories import direct, document, node, say, static

CALL = node("save", "http_request", url="http://127.0.0.1:9/bookings", method="POST")
START = TurnInput.saying(None)


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


def test_a_turn_that_ended_tells_its_calls_without_a_look_at_the_record(backend):
    session = begun(backend, CALL, say("chat"), direct("save", "chat"))

    found = targets(session)

    assert found == ["POST http://127.0.0.1:9/bookings"]
    assert session.ledger.reads == 0


def test_the_calls_of_a_turn_that_failed_are_read_from_the_record(backend):
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


def test_a_record_that_cannot_be_read_is_told_and_the_turn_stays(backend, monkeypatch):
    session = begun(backend, say("chat"))

    def broken(run_id):
        raise StoreError("The record cannot be read.")

    monkeypatch.setattr(backend, "run", broken)
    log = session.turns[0]
    log.events[:] = [event for event in log.events if event.type != "end_workflow_iteration"]

    session.ledger.update(session.run_id, log)

    assert str(session.ledger.error) == "The record cannot be read."

"""A turn of unknown outcome: nothing else is sent before the record or the user has decided on it."""

from __future__ import annotations

import time

import pytest

from debugger.backends.base import FoundTurn, TurnProgress, TurnStream
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import ConflictError, ConnectionFailedError, NotExecutedError, OutcomeUnknownError
from debugger.protocol.runs import SentTurn, TurnInput
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.factories import document, say


class Faulty(EmbeddedBackend):
    """The embedded engine whose answers can be lost, as those of a server are."""

    arrives = True
    """The turn is executed although its answer is lost."""
    loses = False
    """Answers are lost, and the record cannot be read."""
    found = None
    """What the search for a turn says instead of the record."""

    def execute(self, workflow_id, turn_input, **options):
        if not self.loses:
            return super().execute(workflow_id, turn_input, **options)
        named = turn_input.with_client_turn_id(turn_input.client_turn_id or str(time.time_ns()))
        sent = SentTurn(named, options["run_id"], options["expected_turn_number"], time.time())

        def events():
            if self.arrives:
                super(Faulty, self).execute(workflow_id, named, **options).finish()
            raise OutcomeUnknownError("The answer was lost.")
            yield

        return TurnStream(options["run_id"], events(), TurnProgress(sent=sent))

    def find_turn(self, workflow_id, sent, record=None):
        if self.loses:
            raise ConnectionFailedError("The record cannot be read.")
        return self.found or super().find_turn(workflow_id, sent, record)


@pytest.fixture
def backend(tmp_path):
    backend = Faulty(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield backend
    backend.close()


def pending_session(backend, *, arrives):
    made = backend.create_workflow(document(say("chat")))
    session = DebugSession(backend, made.id)
    session.start(TurnInput.with_message(None))
    assert session.wait(10)
    backend.loses, backend.arrives = True, arrives
    session.send("hello")
    assert session.wait_until_idle(10)
    assert session.pending is not None
    return session


def check(session):
    session.check_now()
    assert session.wait_for_record(10)
    assert session.wait_until_idle(10)


def stored(backend, session):
    return [
        pair.run_input["thread_to_node_inputs"] for pair in backend.run(session.run_id).input_output_pairs
    ]


def test_pending_turn_stays_and_locks_the_run(backend):
    session = pending_session(backend, arrives=True)

    session.send("something else")
    check(session)

    assert isinstance(session.error, ConflictError)
    assert session.pending.message == "hello"
    assert session.pending.checks == 1
    assert [turn.message for turn in session.turns] == ["", "hello"]
    assert len(stored(backend, session)) == 2


def test_pending_turn_that_arrived_is_shown(backend):
    session = pending_session(backend, arrives=True)
    backend.loses = False

    check(session)

    assert session.pending is None
    assert session.error is None
    assert "arrived" in session.notice
    assert [turn.message for turn in session.turns] == ["", "hello"]
    assert session.turns[-1].events
    assert session.status == "waiting_for_user_input"
    session.send("next")
    assert session.wait(10)
    assert [turn.number for turn in session.turns] == [1, 2, 3]


def test_pending_turn_not_arrived_is_offered_again(backend):
    session = pending_session(backend, arrives=False)
    backend.loses = False

    check(session)

    assert session.pending is None
    assert isinstance(session.error, NotExecutedError)
    assert session.unsent_message == "hello"
    assert [turn.message for turn in session.turns] == [""]


def test_pending_turn_in_execution_is_awaited(backend):
    session = pending_session(backend, arrives=False)
    backend.loses, backend.found = False, FoundTurn("running", run_id=session.run_id)

    check(session)

    assert session.pending is not None


def test_session_keeps_looking_for_a_pending_turn(backend, monkeypatch):
    monkeypatch.setattr("debugger.session.record_sync.LOCAL_WAIT", 0.01)
    session = pending_session(backend, arrives=True)
    backend.loses = False
    deadline = time.monotonic() + 10

    while session.pending is not None:
        assert time.monotonic() < deadline
        session.tick()
    assert session.wait_until_idle(10)

    assert [turn.message for turn in session.turns] == ["", "hello"]


def test_send_again_is_the_user_s_choice(backend):
    session = pending_session(backend, arrives=False)
    backend.loses = False

    session.send_again()
    assert session.wait(10)

    assert session.pending is None
    assert session.error is None
    assert [turn.message for turn in session.turns] == ["", "hello"]
    assert len(stored(backend, session)) == 2


def test_send_again_of_arrived_turn_shows_it(backend):
    session = pending_session(backend, arrives=True)
    backend.loses = False

    session.send_again()
    assert session.wait_until_idle(10)

    assert [turn.message for turn in session.turns] == ["", "hello"]
    assert session.unsent_message == ""
    assert len(stored(backend, session)) == 2


def test_discarded_turn_that_arrived_is_newer(backend):
    session = pending_session(backend, arrives=True)
    backend.loses = False

    session.discard_pending()
    shown = [turn.message for turn in session.turns]
    check(session)

    assert shown == [""]
    assert session.pending is None
    assert session.sync.newer_turns == 1
    session.load_newer()
    assert session.wait_for_record(10)
    assert [turn.message for turn in session.turns] == ["", "hello"]


def test_unexpected_failure_after_sending_is_unknown(backend):
    made = backend.create_workflow(document(say("chat")))
    session = DebugSession(backend, made.id)
    sent = SentTurn(TurnInput.with_message(None), None, 1, time.time())

    def events():
        raise RuntimeError("a fault of the program")
        yield

    backend.execute = lambda *_, **__: TurnStream(None, events(), TurnProgress(sent=sent))
    session.start(TurnInput.with_message(None))
    assert session.wait(10)

    assert isinstance(session.pending.error, OutcomeUnknownError)


@pytest.mark.parametrize("arrives, said", [(False, ["", ""]), (True, ["", "hello", ""])])
def test_run_with_pending_turn_can_be_stopped(backend, arrives, said):
    session = pending_session(backend, arrives=arrives)
    backend.loses = False

    session.stop()
    assert session.wait_until_idle(10)
    check(session)

    assert backend.run(session.run_id).status == session.status == "cancelled"
    assert session.pending is None
    assert [(turn.number, turn.message) for turn in session.turns] == list(enumerate(said, start=1))


def test_unsent_first_turn_keeps_its_id(backend):
    """Its run was named before the connection broke, and has no turn."""
    session = DebugSession(backend, backend.create_workflow(document(say("chat"))).id)
    named = TurnInput.with_message("hello").with_client_turn_id("mine")

    def lose(*_, **__):
        def events():
            raise OutcomeUnknownError("The answer was lost.")
            yield

        return TurnStream(None, events(), TurnProgress(sent=SentTurn(named, "f" * 24, 1, time.time())))

    backend.execute = lose
    session.send("hello")
    assert session.wait_until_idle(10)
    del backend.execute
    backend.found = FoundTurn("absent", run_id="f" * 24, outcome="not_executed")
    check(session)

    session.send("hello")
    assert session.wait(10)

    assert backend.run(session.run_id).input_output_pairs[0].client_turn_id == "mine"

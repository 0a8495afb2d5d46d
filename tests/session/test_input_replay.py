from __future__ import annotations

import threading

import pytest

from debugger.backends.base import TurnStream
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import InputError
from debugger.protocol.runs import TurnInput
from debugger.session.input_replay import InputReplay
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.factories import direct, document, say, static, when


class GatedBackend(EmbeddedBackend):
    """Lets one turn through for each `release`."""

    gate: threading.Semaphore | None = None
    refused = ""

    def execute(self, workflow_id, turn_input, **wanted):
        if self.gate is not None:
            assert self.gate.acquire(timeout=10)
        if self.refused and self.refused == "".join(m["content"] for m in turn_input.messages):
            raise InputError("No.")
        stream = super().execute(workflow_id, turn_input, **wanted)
        return TurnStream(stream.run_id, (yield_all(stream)))


def yield_all(stream):
    yield from stream
    return stream.result


@pytest.fixture
def backend(tmp_path):
    opened = GatedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield opened
    opened.close()


def session_of(backend, *parts):
    return DebugSession(backend, backend.create_workflow(document(*parts)).id)


def lines(*texts):
    return [TurnInput.with_message(text, command="data" if text else "start") for text in texts]


def test_inputs_are_sent_in_order_then_handed_over(backend):
    session = session_of(backend, say("chat"))
    forward = InputReplay(session, lines(None, "one", "two"))

    session.replay_inputs(forward)
    assert forward.wait(10)

    assert (forward.done, forward.total, forward.problem) == (3, 3, "")
    assert [turn.message for turn in session.turns] == ["", "one", "two"]
    assert (session.busy, session.status) == (False, "waiting_for_user_input")
    session.send("three")
    assert session.wait(10)
    assert len(session.turns) == 4


def test_session_is_busy_during_whole_replay(backend):
    backend.gate = threading.Semaphore(0)
    session = session_of(backend, say("chat"))
    forward = InputReplay(session, lines(None, "one"))
    session.replay_inputs(forward)

    assert session.busy
    session.send("mine")
    refused = session.error
    backend.gate.release(2)
    assert forward.wait(10)

    assert refused is not None and "being executed" in str(refused)
    assert [turn.message for turn in session.turns] == ["", "one"]


def test_stopped_replay_ends_turn_and_sends_no_more(backend):
    backend.gate = threading.Semaphore(0)
    session = session_of(backend, say("chat"))
    forward = InputReplay(session, lines(None, "one", "two"))
    session.replay_inputs(forward)

    forward.stop()
    assert forward.stopping
    backend.gate.release(3)
    assert forward.wait(10)

    assert len(session.turns) <= 1
    assert "you can continue the run" in forward.problem
    assert not session.busy


def test_stopped_replay_of_ended_run_cannot_continue(backend):
    session = session_of(backend, static("bye", "Bye"))
    forward = InputReplay(session, lines(None, "one"), on_first_turn=lambda _: forward.stop())

    session.replay_inputs(forward)
    assert forward.wait(10)

    assert session.status == "completed"
    assert forward.problem == "Stopped after 1 of 2 inputs; the run has ended."


def test_run_stopped_by_user_gets_no_more_inputs(backend):
    backend.gate = threading.Semaphore(1)
    session = session_of(backend, say("chat"))
    forward = InputReplay(session, lines(None, "one", "two"))
    session.replay_inputs(forward)

    session.stop()
    backend.gate.release(5)
    assert forward.wait(10)

    assert forward.done < 3
    assert not session.busy


def test_run_over_before_last_input_gives_problem(backend):
    session = session_of(
        backend,
        say("chat"),
        static("bye", "Bye"),
        when("chat", "bye", "1 == 1"),
        direct("bye", "bye", disabled=True),
    )
    forward = InputReplay(session, lines(None, "one", "two"))

    session.replay_inputs(forward)
    assert forward.wait(10)

    assert session.status == "completed"
    assert forward.problem == "The run had ended (completed) before input 3 of 3."


def test_input_that_fails_ends_replay_with_error(backend):
    backend.refused = "one"
    session = session_of(backend, say("chat"))
    forward = InputReplay(session, lines(None, "one", "two"))

    session.replay_inputs(forward)
    assert forward.wait(10)

    assert forward.problem == "Input 2 of 3 could not be run."
    assert str(session.error) == "No."
    assert len(session.turns) == 1


def test_two_at_once_are_refused(backend):
    backend.gate = threading.Semaphore(0)
    session = session_of(backend, say("chat"))
    first, second = InputReplay(session, lines(None)), InputReplay(session, lines(None))
    session.replay_inputs(first)

    session.replay_inputs(second)
    refused = session.error
    backend.gate.release()
    assert first.wait(10)

    assert session.input_replay is first
    assert refused is not None

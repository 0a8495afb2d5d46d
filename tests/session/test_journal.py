from __future__ import annotations

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.json_text import decode
from debugger.protocol.runs import TurnInput
from debugger.session.breakpoints import Breakpoint
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.factories import direct, document, say, static


@pytest.fixture
def backend(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield backend
    backend.close()


def chatting(backend):
    """A session that waits for its user."""
    flow = document(static("a", "A"), say("chat"), direct("a", "chat"))
    session = DebugSession(backend, backend.create_workflow(flow).id)
    session.start(TurnInput.saying(None))
    assert session.wait_still(10)
    return session


def test_a_quick_turn_is_in_the_record_and_never_entered(backend):
    session = chatting(backend)
    session.send("Hi")
    session.wait(10)

    assert session.status == "waiting_for_user_input"
    assert backend.notebook.unfinished() == []


def test_a_turn_that_stands_still_is_entered_with_its_message_and_its_events(backend):
    session = chatting(backend)
    session.breakpoints.put(Breakpoint("before", "chat"))

    session.send("Hi")
    session.wait_still(10)

    (turn,) = backend.notebook.unfinished(session.run_id)
    assert TurnInput.from_wire(decode(turn.input_json)).messages[0]["content"] == "Hi"
    assert [event["type"] for event in decode(turn.events_json)] == ["user_messages", "start_node_run"]
    session.stop()


def test_a_turn_that_has_ended_is_entered_no_more(backend):
    session = chatting(backend)
    session.breakpoints.put(Breakpoint("before", "chat"))
    session.send("Hi")
    session.wait_still(10)

    session.gate.resume()
    session.wait(10)

    assert session.status == "waiting_for_user_input"
    assert backend.notebook.unfinished() == []


def test_a_run_whose_turn_was_cut_off_is_opened_with_what_is_left_of_it(backend):
    session = chatting(backend)
    session.breakpoints.put(Breakpoint("before", "chat"))
    session.send("Hi")
    session.wait_still(10)

    again = DebugSession.open(backend, session.run_id)

    assert again.cut_off.run_id == session.run_id
    assert len(again.turns) == 1
    session.stop()


def test_a_first_turn_that_stands_still_is_entered_under_the_id_that_its_run_will_have(backend):
    session = DebugSession(backend, backend.create_workflow(document(static("a", "A"))).id)
    session.gate.step("event")
    session.start(TurnInput.saying(None))
    session.wait_still(10)

    (turn,) = backend.notebook.unfinished()

    assert turn.run_id == session.begun_run_id
    session.stop()

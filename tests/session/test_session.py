from __future__ import annotations

import threading

import pytest

from debugger.backends.base import TurnProgress, TurnStream
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import (
    ConflictError,
    ConnectionFailedError,
    NotExecutedError,
    NotFoundError,
    UnexpectedError,
)
from debugger.protocol.runs import SentTurn, TurnInput
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.factories import direct, document, say, static


@pytest.fixture
def backend(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield backend
    backend.close()


def test_session_runs_turn_on_own_thread(backend):
    workflow = backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    session = DebugSession(backend, workflow.id)
    before = session.status

    session.start(TurnInput.with_message(None))
    session.wait(10)

    assert before == "not_started"
    assert session.status == "waiting_for_user_input"
    assert session.hint["origin_node_logical_id"] == "chat"
    assert [event.type for event in session.turns[0].events][-1] == "workflow_ready_for_input"
    assert session.error is None


def test_message_continues_the_same_run(backend):
    workflow = backend.create_workflow(document(say("chat")))
    session = DebugSession(backend, workflow.id)
    session.start(TurnInput.with_message(None))
    session.wait(10)
    run_id = session.run_id

    session.send("hello", TurnInput(dynamic_variables={"city": "Kiel"}))
    session.wait(10)

    assert session.run_id == run_id
    assert [turn.message for turn in session.turns] == ["", "hello"]
    record = backend.run(run_id)
    assert record.input_output_pairs[1].run_input["dynamic_variables"]["city"] == "Kiel"


def test_user_of_session_signs_its_turns(backend):
    workflow = backend.create_workflow(document(say("chat")))
    session = DebugSession(backend, workflow.id)
    session.run_by = "Ada"

    session.start(TurnInput(run_by="Bo"))
    session.wait(10)
    session.send("hello")
    session.wait(10)

    record = backend.run(session.run_id)
    assert record.run_by == "Ada"
    assert [turn.run_input["run_by"] for turn in record.input_output_pairs] == ["Ada", "Ada"]


def test_turn_of_event_follows_from_place(backend):
    workflow = backend.create_workflow(document(say("chat")))
    session = DebugSession(backend, workflow.id)
    before = session.turn_of(None), session.turn_of(3)
    session.start(TurnInput.with_message(None))
    session.wait(10)
    session.send("hello")
    session.wait(10)

    first, second = (len(turn.events) for turn in session.turns)

    assert before == (None, None)
    assert [session.turn_of(at) for at in (0, first - 1, first, first + second - 1)] == [1, 1, 2, 2]
    assert [session.turn_of(at) for at in (None, first + second)] == [2, 2]


def test_a_session_is_rebuilt_from_the_record(backend):
    workflow = backend.create_workflow(document(say("chat")))
    first = DebugSession(backend, workflow.id)
    first.start(TurnInput.with_message("hello"))
    first.wait(10)

    again = DebugSession.open(backend, first.run_id)

    assert again.status == "waiting_for_user_input"
    assert again.hint["origin_node_logical_id"] == "chat"
    assert [e.to_wire() for e in again.turns[0].events] == [e.to_wire() for e in first.turns[0].events]


def test_opening_run_rejects_commands_until_read(backend):
    workflow = backend.create_workflow(document(say("chat")))
    first = DebugSession(backend, workflow.id)
    for text in ("one", "two"):
        first.send(text)
        first.wait(10)

    again = DebugSession.open_lazily(backend, first.run_id)
    before = again.turns_to_load, again.run_id, again.status, again.turns
    again.send("three")
    refusal = again.error
    again.read()
    again.send("three")
    again.wait(10)

    assert before == (2, first.run_id, "waiting_for_user_input", [])
    assert isinstance(refusal, ConflictError)
    assert (again.turns_to_load, again.error) == (0, None)
    assert [turn.message for turn in again.turns] == ["one", "two", "three"]


def test_unknown_run_cannot_be_opened(backend):
    with pytest.raises(NotFoundError):
        DebugSession.open(backend, "665f0c2b9a3e4d5f6a7b8c90")


def test_two_clicks_are_one_turn_and_one_error(backend):
    workflow = backend.create_workflow(document(say("chat")))
    session = DebugSession(backend, workflow.id)
    go = threading.Event()
    execute = backend.execute

    def slow(*args, **kwargs):
        go.wait(10)
        return execute(*args, **kwargs)

    backend.execute = slow
    session.start(TurnInput.with_message("first"))

    session.send("second")
    go.set()
    session.wait(10)

    assert isinstance(session.error, ConflictError)
    assert [turn.message for turn in session.turns] == ["first"]


def test_failed_turn_leaves_run_and_returns_message(backend):
    workflow = backend.create_workflow(document(say("chat")))
    session = DebugSession(backend, workflow.id)
    session.start(TurnInput.with_message("hello"))
    session.wait(10)

    def broken(*args, **kwargs):
        raise ConnectionFailedError("Nothing answers there.")

    backend.execute = broken
    session.send("are you there?")
    session.wait(10)

    assert session.status == "waiting_for_user_input"
    assert len(session.turns) == 1
    assert str(session.error) == "Nothing answers there."
    assert session.unsent_message == "are you there?"


def test_unexpected_fault_is_a_sentence(backend):
    workflow = backend.create_workflow(document(say("chat")))
    session = DebugSession(backend, workflow.id)

    def events():
        raise ZeroDivisionError
        yield

    backend.execute = lambda *args, **kwargs: TurnStream(None, events())
    session.start(TurnInput.with_message("hello"))
    session.wait(10)

    assert type(session.error) is UnexpectedError
    assert "ZeroDivisionError" in session.error.message
    assert session.status == "not_started"


def test_stop_ends_a_waiting_run(backend):
    workflow = backend.create_workflow(document(say("chat")))
    session = DebugSession(backend, workflow.id)
    session.start(TurnInput.with_message(None))
    session.wait(10)

    session.stop()
    session.wait(10)

    assert session.status == "cancelled"
    assert session.is_over


def test_stop_ends_a_turn_under_way(backend):
    code = "def f():\n    while True: pass\n"
    loop = {
        "type": "tool_node",
        "logical_id": "loop",
        "name": "Loop",
        "tool_config": {"type": "inline_python", "name": "f", "code": code},
    }
    workflow = backend.create_workflow(document(static("a", "Hello"), loop, direct("a", "loop")))
    session = DebugSession(backend, workflow.id)
    session.start(TurnInput.with_message(None))
    while not any(event.summary == "Loop starts" for turn in session.turns for event in turn.events):
        assert not session.wait(0.01)

    session.stop()

    assert session.wait(5)
    assert session.status == "cancelled"


def test_late_stop_after_last_node_ends_run(backend):
    session = DebugSession(backend, backend.create_workflow(document(say("chat"))).id)
    finish = backend.store.claims.finish

    def slow(turn, **options):
        session.stop()
        finish(turn, **options)

    backend.store.claims.finish = slow

    session.start(TurnInput.with_message(None))
    session.wait(10)
    went_on = session.busy
    session.wait(10)

    assert went_on
    assert session.status == "cancelled"
    assert backend.run(session.run_id).status == "cancelled"


def test_ended_run_rejects_message(backend):
    workflow = backend.create_workflow(document(static("a", "Hello")))
    session = DebugSession(backend, workflow.id)
    session.start(TurnInput.with_message(None))
    session.wait(10)

    session.send("more")

    assert "has ended" in session.error.message
    assert session.status == "completed"


def test_send_keeps_command_and_node_inputs(backend):
    workflow = backend.create_workflow(document(say("chat")))
    session = DebugSession(backend, workflow.id)
    session.start(TurnInput.with_message(None))
    session.wait(10)
    wire = {
        "command": "resume",
        "thread_to_node_inputs": {
            "0": {
                "node_run_inputs": [
                    {
                        "type": "llm",
                        "runtime_variables": {"mood": "calm"},
                        "messages": [{"type": "human", "content": "before"}],
                    }
                ]
            }
        },
    }

    session.send("hello", TurnInput.from_wire(wire))
    session.wait(10)

    assert session.error is None
    stored = backend.run(session.run_id).input_output_pairs[1].run_input
    node_input = stored["thread_to_node_inputs"]["0"]["node_run_inputs"][0]
    assert stored["command"] == "resume"
    assert node_input["runtime_variables"] == {"mood": "calm"}
    assert [message["content"] for message in node_input["messages"]] == ["before", "hello"]


def test_paused_run_is_resumed_by_a_command(backend):
    workflow = backend.create_workflow(document(say("chat")))
    session = DebugSession(backend, workflow.id)
    session.start(TurnInput.with_message(None))
    session.wait(10)

    session.send_command("pause")
    session.wait(10)
    paused = session.status
    session.send_command("resume")
    session.wait(10)

    assert paused == "paused"
    assert session.error is None
    assert session.status == "waiting_for_user_input"
    assert [turn.number for turn in session.turns] == [1, 2, 3]


def test_turn_sent_again_keeps_client_turn_id(backend):
    """A turn that arrives late after all is then the same turn for the server, and is not executed twice."""
    workflow = backend.create_workflow(document(say("chat")))
    session = DebugSession(backend, workflow.id)
    session.start(TurnInput.with_message(None))
    session.wait(10)
    execute, ids = backend.execute, []

    def lost(workflow_id, turn_input, **options):
        named = turn_input.with_client_turn_id(turn_input.client_turn_id or f"id {len(ids)}")
        ids.append(named.client_turn_id)
        sent = SentTurn(named, options["run_id"], options["expected_turn_number"], 0.0)

        def events():
            raise NotExecutedError("It did not arrive.")
            yield

        return TurnStream(options["run_id"], events(), TurnProgress(sent=sent))

    backend.execute = lost
    for text in ("hello", "hello", "something else"):
        session.send(text)
        session.wait(10)
    backend.execute = execute

    assert session.unsent_message == "something else"
    assert ids == ["id 0", "id 0", "id 2"]

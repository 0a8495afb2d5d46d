from __future__ import annotations

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.mocks import MockSet, Target
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.session.debug_setup import pin_of
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.factories import direct, document, say, static, tool, when


@pytest.fixture
def backend(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield backend
    backend.close()


def ran(backend, *parts, text=None, pin=None):
    """A session whose first turn has ended, with a pin set before it."""
    session = DebugSession(backend, backend.create_workflow(document(*parts)).id)
    if pin is not None:
        session.mocks.put(pin)
    session.start(TurnInput.with_message(text))
    assert session.wait(10)
    return session


def pinned(session, event_type, node_id=None):
    """The pin of the first event of a type."""
    (log,) = session.turns
    for place, event in enumerate(log.events):
        if event.type == event_type and node_id in (None, event.to_wire().get("origin_node_logical_id")):
            return pin_of(log, place)
    raise AssertionError(event_type)


CLOCK = tool("t", "import random\ndef t():\n    return random.random()")


def test_pinned_node_repeats_its_output(backend):
    parts = (CLOCK, static("say", "It is [[tool_result]]"), direct("t", "say"))
    first = ran(backend, *parts)
    pin = pinned(first, "end_node_run", "t")

    again = ran(backend, *parts, pin=pin)

    said = [
        [e.to_wire()["content"] for e in session.turns[0].events if e.type == "assistant_response"]
        for session in (first, again)
    ]
    assert said[0] == said[1]
    assert pin.target == Target("node", "t")
    assert set(pin.output["variables"]) == {"tool_result", "tool_result_success", "tool_result_error"}


def test_pinned_model_call_takes_same_transition(backend):
    parts = (
        say("chat"),
        static("bye", "Bye"),
        when("chat", "bye", freeform="The user wants to leave now", logical_id="leave"),
    )
    first = ran(backend, *parts, text="I want to leave now")
    pin = pinned(first, "say_llm")

    again = ran(backend, *parts, text="Something else", pin=pin)

    assert pin.output["chosen"] == "leave"
    assert "conditional_edge" in [event.type for event in again.turns[0].events]


def test_event_without_output_cannot_be_pinned(backend):
    session = ran(backend, static("a", "A"))

    assert pinned(session, "start_node_run") is None


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "say_llm", "message": "Hi"},
        {"type": "say_llm", "message": {"content": ["Hi"], "tool_calls": [{"function": {"name": "f"}}]}},
        {"type": "say_llm", "message": {"content": "Hi", "tool_calls": [{"name": "f", "args": "{}"}]}},
        {"type": "worker_llm", "message": {"type": "tool", "name": "f", "response_metadata": "none"}},
        {"type": "end_node_run", "run_output": "Hi"},
        {"type": "end_node_run", "run_output": None},
    ],
)
def test_event_of_odd_shape_is_pinned(fields):
    """An event with a bad value is read as a bare one."""
    shared = {"origin_node_logical_id": "a", "timestamp": 1.0}
    around = [
        {"type": "start_node_run", "logical_id": "e1", **shared},
        {"type": "assistant_response", "logical_id": "e2", **shared},
        {"logical_id": "e3", **fields, **shared},
        {"type": "end_node_run", "logical_id": "e4", "run_output": {"structured_output": "Hi"}, **shared},
    ]

    pin = pin_of(TurnLog(1, TurnInput(), [parse_event(event) for event in around]), 2)

    assert MockSet().put(pin).id == "pin1"

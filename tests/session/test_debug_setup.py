from __future__ import annotations

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.mocks import Target
from debugger.protocol.runs import TurnInput
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

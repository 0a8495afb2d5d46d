from __future__ import annotations

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.errors import StoreError
from debugger.protocol.runs import TurnInput
from debugger.session.breakpoints import Breakpoint
from debugger.session.input_replay import InputReplay
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.companions import lab
from tests.support.factories import direct, document, say, static, when
from tests.support.super_nodes import super_node


class Clock:
    """A clock that moves only when it is told to."""

    seconds = 1_000_000.0

    def now(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def backend(tmp_path, clock):
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules")
    backend = EmbeddedBackend(settings, world=Environment(now=clock.now))
    yield backend
    backend.close()


def talk():
    """Two nodes after each message, and the chat again."""
    return document(
        say("chat"),
        static("a", "A"),
        static("b", "B"),
        when("chat", "a", "1 == 1"),
        direct("a", "b"),
        direct("b", "chat"),
    )


def nested():
    """A super node with two nodes inside, between two talks, and a companion that polls."""
    inside = document(static("one", "One"), static("two", "Two"), direct("one", "two"))
    graph = lab(checks=100)
    more = document(super_node("box", inside), when("chat", "box", "1 == 1"), direct("box", "chat"))
    return {
        **graph,
        "node_configs": [*graph["node_configs"], *more["node_configs"]],
        "edge_configs": [*graph["edge_configs"], *more["edge_configs"]],
    }


def begun(backend, graph, clock, *, turns=1):
    """A session at rest after some turns."""
    session = DebugSession(backend, backend.create_workflow(graph).id, now=clock.now)
    session.start(TurnInput.with_message(None))
    assert session.wait_until_idle(10)
    for number in range(2, turns + 1):
        session.send(f"message {number}")
        assert session.wait_until_idle(10)
    assert session.status == "waiting_for_user_input"
    assert session.turns[-1].number == turns
    return session


def sent(session, text="Hi"):
    session.send(text)
    assert session.wait_until_idle(10)


def stepped(session, kind="event"):
    session.stepping.step(kind)
    assert session.wait_until_idle(10)


def test_probe(backend, clock):
    for graph in (nested(), lab()):
        session = begun(backend, graph, clock)
        sent(session)
        print(session.status, [(e.type, getattr(e, "origin_node_logical_id", ""), e.origin_thread_id) for e in session.turns[-1].events])
    raise AssertionError

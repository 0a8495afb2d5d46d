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
from tests.support.clock import Clock
from tests.support.companions import lab
from tests.support.factories import direct, document, say, static, when
from tests.support.super_nodes import super_node


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def backend(tmp_path, clock):
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules")
    backend = EmbeddedBackend(settings, world=Environment(now=clock))
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
    session = DebugSession(backend, backend.create_workflow(graph).id, now=clock)
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


def types(session):
    return [event.type for event in session.turns[-1].events]


def advanced(session, clock, *, seconds=5.0):
    """Let background work go on, until it is at rest or paused."""
    clock.seconds += seconds
    session.tick()
    assert session.wait_until_idle(10)


@pytest.mark.parametrize("turns", [1, 6])
@pytest.mark.parametrize("graph", [talk(), nested()], ids=["plain", "nested"])
def test_next_turn_is_stepped_event_by_event(backend, clock, graph, turns):
    whole = begun(backend, graph, clock, turns=turns)
    sent(whole)
    session = begun(backend, graph, clock, turns=turns)
    session.stepping.arm("event")

    sent(session)
    places, seen = [], []
    while session.stop_point is not None:
        places.append(session.stop_point.position)
        seen.append(session.turns[-1].events[session.stop_point.position].type)
        stepped(session)

    assert session.turns[-1].number == turns + 1
    assert seen == types(session) == types(whole)
    assert places == list(range(len(places)))
    assert session.status == "waiting_for_user_input"


@pytest.mark.parametrize("graph", [talk(), nested()], ids=["plain", "nested"])
def test_seventh_turn_is_stepped_node_by_node(backend, clock, graph):
    session = begun(backend, graph, clock, turns=6)
    session.stepping.arm("node")

    sent(session)
    stops = []
    while session.stop_point is not None:
        stops.append(session.stop_point.text)
        assert types(session)[-1] == "start_node_run"
        stepped(session, "node")

    assert len(stops) == types(session).count("start_node_run") == 3


def test_first_turn_is_stepped_where_armed(backend, clock):
    session = DebugSession(backend, backend.create_workflow(nested()).id, now=clock)
    session.stepping.arm("event")

    session.start(TurnInput.with_message(None))
    assert session.wait_until_idle(10)

    assert session.stop_point.position == 0
    session.stop()


def test_armed_turn_pauses_background_work_after_it(backend, clock):
    session = begun(backend, lab(checks=100), clock)
    session.stepping.arm("turn")

    sent(session)
    after_turn = session.stop_point
    advanced(session, clock)

    assert after_turn is None
    assert session.turns[-2].number == 2
    assert session.stop_point.text == "The turn has ended; background work continues."
    assert session.stop_point.log.is_background
    assert session.paused_event == session.event_count - 1
    session.stop()


def test_step_to_end_of_turn_is_over_at_next_message(backend, clock):
    session = begun(backend, talk(), clock)
    session.stepping.arm("turn")
    sent(session)

    sent(session, "Again")

    assert session.stop_point is None
    assert session.stepping.pending is None


def test_breakpoint_pauses_step_to_end_of_turn(backend, clock):
    session = begun(backend, talk(), clock)
    session.breakpoints.put(Breakpoint("before", "b"))
    session.stepping.arm("turn")

    sent(session)

    assert session.stop_point.reason == "breakpoint"
    stepped(session, "turn")
    assert session.stop_point is None


def test_step_to_end_pauses_next_replayed_turn(backend, clock):
    session = begun(backend, talk(), clock)
    session.stepping.arm("turn")

    session.replay_inputs(
        InputReplay(session, [TurnInput.with_message(text, command="data") for text in "ab"])
    )
    assert session.wait_until_idle(10)

    assert session.stop_point.text == "The turn has ended; turn 3 starts."
    session.stepping.resume()
    assert session.input_replay.wait(10)


def test_armed_step_lets_background_work_pass(backend, clock):
    session = begun(backend, lab(checks=100), clock)
    session.stepping.arm("event")

    advanced(session, clock)
    passed = session.stop_point
    sent(session)

    assert session.turns[1].is_background
    assert passed is None
    assert session.stop_point.log.number == 2
    assert session.stop_point.position == 0
    session.stop()


def test_step_beyond_turn_pauses_background_work(backend, clock):
    session = begun(backend, lab(checks=100), clock)
    session.stepping.arm("event")
    sent(session)
    while session.stop_point is not None:
        stepped(session)

    advanced(session, clock)
    first = session.stop_point
    stepped(session)

    assert first.log.is_background
    assert (first.position, session.stop_point.position) == (0, 1)
    session.stop()


def test_pause_at_rest_pauses_background_work(backend, clock):
    session = begun(backend, lab(checks=100), clock)
    session.stepping.pause()

    advanced(session, clock)

    assert session.stop_point.reason == "pause"
    assert session.stop_point.log.is_background
    assert not session.stepping.is_pausing
    session.stepping.resume()
    assert session.wait_until_idle(10)
    assert session.status == "waiting_for_user_input"


def test_disarmed_step_and_pause_do_nothing(backend, clock):
    session = begun(backend, lab(checks=100), clock)
    session.stepping.arm("event")
    session.stepping.pause()

    session.stepping.disarm()
    advanced(session, clock)
    sent(session)

    assert session.stop_point is None
    assert session.stepping.pending is None
    assert session.turns[-1].number == 2


def test_armed_step_survives_refused_message(backend, clock):
    session = begun(backend, lab(checks=100), clock)
    session.stepping.arm("event")
    session.stepping.pause()
    advanced(session, clock)

    sent(session)
    refused, unsent = session.error, session.unsent_message
    session.stepping.resume()
    assert session.wait_until_idle(10)
    sent(session, unsent)

    assert "is paused" in refused.message
    assert unsent == "Hi"
    assert session.stop_point.log.number == 2
    session.stop()


def test_armed_step_survives_failed_turn(backend, clock, monkeypatch):
    session = begun(backend, talk(), clock)
    session.stepping.arm("event")
    with monkeypatch.context() as patch:
        patch.setattr(backend, "execute", failing)
        sent(session)
    failed, unsent = session.error, session.unsent_message

    sent(session, unsent)

    assert "disk" in failed.message
    assert unsent == "Hi"
    assert session.stop_point.position == 0
    session.stop()


def failing(*_, **__):
    raise StoreError("The disk is full.", advice="Free some space.")


def test_message_to_ended_run_is_returned(backend, clock):
    session = begun(backend, talk(), clock)
    session.stop()
    assert session.wait(10)
    session.stepping.arm("event")

    sent(session)

    assert "has ended" in session.error.message
    assert session.unsent_message == "Hi"
    assert session.stepping.pending.is_armed


def test_pause_command_is_not_stepped(backend, clock):
    session = begun(backend, talk(), clock)
    session.stepping.arm("event")

    session.send_command("pause")
    assert session.wait_until_idle(10)
    paused, at_pause = session.status, session.stop_point
    session.send_command("resume")
    assert session.wait_until_idle(10)

    assert (paused, at_pause) == ("paused", None)
    assert session.stop_point.position == 0
    session.stop()


def test_stop_disarms(backend, clock):
    session = begun(backend, talk(), clock)
    session.stepping.arm("event")

    session.stop()
    assert session.wait(10)

    assert session.status == "cancelled"
    assert session.stepping.pending is None


def test_armed_step_goes_to_replacing_session(backend, clock):
    session = begun(backend, talk(), clock)
    session.stepping.arm("node")
    other = begun(backend, talk(), clock)

    other.stepping.inherit(session.stepping)
    sent(other)

    assert other.stop_point.text == "Before Chat."
    other.stop()


def test_running_turn_is_paused_by_step(backend, clock):
    session = begun(backend, talk(), clock)
    session.human_input.asks_all = True
    session.send("Hi")
    assert session.wait_until_idle(10)
    asked = session.human_input.pending

    session.stepping.step("event")
    session.human_input.use_fallback()
    while session.human_input.pending is asked:
        assert session.busy
    assert session.wait_until_idle(10)

    assert asked is not None
    assert session.stop_point.text == "After one event."
    session.stop()

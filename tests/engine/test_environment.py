from __future__ import annotations

import uuid

import pytest

from debugger.engine.environment import Environment, PauseClock, SeededEnvironment
from debugger.engine.inspection import RunInspector
from debugger.engine.interpreter import Interpreter
from debugger.engine.models import HeuristicModel
from debugger.protocol.runs import TurnInput
from tests.support.clock import Clock
from tests.support.factories import direct, node, say, static, workflow


def test_uuid_is_unique_in_every_environment():
    worlds = Environment(), Environment()
    made = [world.uuid() for world in worlds for _ in range(200)]

    assert len(set(made)) == 400
    assert all(uuid.UUID(text).version == 4 and uuid.UUID(text).variant == uuid.RFC_4122 for text in made)


def test_random_uuid_is_unpredictable():
    world = Environment()

    assert world.random_uuid().hex[:8] != world.random_uuid().hex[:8]


def test_seeded_draws_repeat_and_differ():
    one, again, other = (
        SeededEnvironment(Environment(), 7),
        SeededEnvironment(Environment(), 7),
        SeededEnvironment(Environment(), 8),
    )

    draws = [one.draw(), one.draw()]

    assert draws == [again.draw(), again.draw()]
    assert len({*draws, other.draw()}) == 3
    assert one.random.random() == again.random.random()


def test_seeded_environment_shares_uuids():
    world = Environment()

    assert len({world.uuid(), SeededEnvironment(world, 7).uuid(), SeededEnvironment(world, 7).uuid()}) == 3


def test_clock_stops_while_held():
    now = Clock(1000.0)
    clock = PauseClock(now)
    began = clock.active_time()

    now.seconds += 2
    with clock.hold("paused"):
        now.seconds += 70
    now.seconds += 1

    assert clock.active_time() - began == 3.0
    assert clock.take_unreported() == [{"kind": "paused", "began_at": 1002.0, "ended_at": 1072.0}]
    assert clock.take_unreported() == []


def test_clock_records_a_pause_that_an_error_ends():
    now = Clock(1000.0)
    clock = PauseClock(now)

    with pytest.raises(ValueError, match="ended"), clock.hold("manual_answer"):
        now.seconds += 5
        raise ValueError("ended")

    assert [pause["kind"] for pause in clock.unreported] == ["manual_answer"]


def test_clock_ignores_what_nobody_waited_for():
    now = Clock(1000.0)
    clock = PauseClock(now)

    with clock.hold("paused"):
        now.seconds += 0.0001

    assert clock.unreported == []


def turn_paused_at(event_type, *parts):
    """Return the events of a turn that took no time, and was paused for 72 s at an event."""
    now, control = Clock(1000.0), RunInspector()
    interpreter = Interpreter(workflow(*parts), HeuristicModel(), environment=Environment(now=now))
    given = TurnInput.with_message("Hello")
    events = []
    for event in interpreter.turn(interpreter.begin(given), given, inspector=control):
        events.append(event.to_wire())
        if event.type == event_type:
            with control.hold("paused"):
                now.seconds += 72
    return events


@pytest.mark.parametrize("event_type", ["start_node_run", "say_llm", "end_node_run", "user_messages"])
def test_pause_is_recorded_and_not_counted(event_type):
    events = turn_paused_at(event_type, say("chat"))

    closing = next(event for event in events if event["type"] == "end_workflow_iteration")
    place = [event["type"] for event in events].index(event_type)
    assert closing["iteration_metrics"]["e2e_latency_milliseconds"] == 0
    assert [event.get("paused_intervals") for event in events].count(None) == len(events) - 1
    (pause,) = events[place + 1]["paused_intervals"]
    assert pause == {"kind": "paused", "began_at": 1000.0, "ended_at": 1072.0}
    assert events[place + 1]["timestamp"] == 1072.0


def test_pause_in_tool_is_not_counted():
    call = node("call", "http_request", url="https://example.invalid/", method="GET")

    events = turn_paused_at("http_request", static("hi", "Hi"), call, direct("hi", "call"))

    metrics = next(e for e in events if e["type"] == "end_workflow_iteration")["iteration_metrics"]
    assert metrics["tool_call_latency_stats"]["max_milliseconds"] == 0.0


def test_control_holds_nothing_before_the_segment_begins():
    control = RunInspector()

    with control.hold("paused"):
        pass

    turn = Interpreter(workflow(static("a", "A")), HeuristicModel())
    given = TurnInput()
    events = list(turn.turn(turn.begin(given), given, inspector=control))
    assert not any("paused_intervals" in event.to_wire() for event in events)

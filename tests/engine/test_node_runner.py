from __future__ import annotations

from typing import Any

import pytest

from debugger.engine.environment import Environment
from debugger.engine.interpreter import Interpreter
from debugger.engine.models import HeuristicModel
from debugger.engine.tools.base import ToolResult
from debugger.engine.tools.inline_python import InlinePythonTool
from debugger.protocol.runs import TurnInput
from tests.engine.test_scheduler import Background
from tests.support.factories import direct, node, say, static, tool, when, worker, workflow

COUNT = "def count(n):\n    return (int(n) if n.isdigit() else 0) + 1\n"


class Clock:
    """Time that passes when someone sleeps, and by a step whenever it is read."""

    def __init__(self, step: float = 0.0) -> None:
        self.time, self.step, self.slept = 1000.0, step, []

    def environment(self) -> Environment:
        return Environment(now=self.now, sleep=self.sleep)

    def now(self) -> float:
        self.time += self.step
        return self.time

    def sleep(self, seconds: float, _woken: Any) -> None:
        self.slept.append(seconds)
        self.time += seconds


def play(clock: Clock, *parts: Any) -> tuple[list[dict[str, Any]], Any]:
    """The events of one turn, and its end."""
    interpreter = Interpreter(workflow(*parts), HeuristicModel(), environment=clock.environment())
    given = TurnInput.with_message(None)
    turn = interpreter.turn(interpreter.begin(given), given)
    events = []
    while True:
        try:
            events.append(next(turn).to_wire())
        except StopIteration as stop:
            return events, stop.value


def counter(**bounds: Any) -> Any:
    """A node that counts its runs in `[[n]]`."""
    loop = {"enabled": True, **bounds}
    return tool("count", COUNT, {"n": "[[n]]"}, result_runtime_variable_name="n", self_loop_config=loop)


def told(events: list[dict[str, Any]]) -> list[str]:
    """The types of what happened after the first node began, bookkeeping left out."""
    dull = {"start_workflow", "start_thread", "end_node_run", "workflow_show_state", "end_workflow_iteration"}
    return [event["type"] for event in events if event["type"] not in dull]


def test_tool_call_ends_with_its_loop(monkeypatch):
    timeouts = []

    def call(self, arguments, context):
        timeouts.append(context.timeout)
        return ToolResult(success=True)

    monkeypatch.setattr(InlinePythonTool, "call", call)

    play(Clock(), counter(expiry_time=5, max_retries=1, time_between_retries=2))

    assert timeouts == [5.0, 3.0]


def test_loop_ends_by_its_condition():
    clock = Clock()

    events, end = play(
        clock,
        counter(max_retries=5, time_between_retries=2),
        static("done", "Done after [[n]]: [[self_loop_outcome]]"),
        when("count", "done", "[[n]] >= 3"),
    )

    delays = [event for event in events if event["type"] == "self_loop_delay"]
    assert [(event["attempt_number"], event["delay_seconds"]) for event in delays] == [(2, 2.0), (3, 2.0)]
    assert clock.slept == [2.0, 2.0]
    assert "self_loop_edge" not in told(events)
    said = next(event["content"] for event in events if event["type"] == "assistant_response")
    assert said == "Done after 3: [[self_loop_outcome]]"
    assert end.status == "completed"


def test_loop_exhausts_its_retries():
    events, end = play(
        Clock(),
        counter(max_retries=3, time_between_retries=2),
        static("sorry", "Sorry."),
        when("count", "sorry", "[[self_loop_outcome]] == 'max_retries'"),
    )

    assert told(events) == [
        "start_node_run",
        *["self_loop_delay", "start_node_run"] * 3,
        "self_loop_exhausted",
        "conditional_edge",
        "workflow_navigation_message",
        "start_node_run",
        "say_static",
        "assistant_response",
        "end_thread",
        "end_workflow",
    ]
    exhausted = next(event for event in events if event["type"] == "self_loop_exhausted")
    assert (exhausted["outcome"], exhausted["total_attempts"]) == ("max_retries", 4)
    assert exhausted["reason"] == "Bounded self-loop for node count stopped after 4 attempt(s): max_retries"
    assert exhausted["source_node_logical_id"] == exhausted["destination_node_logical_id"] == "count"
    assert end.status == "completed"


def test_loop_expires_while_it_sleeps():
    clock = Clock()

    events, _ = play(clock, counter(expiry_time=5, time_between_retries=3))

    exhausted = next(event for event in events if event["type"] == "self_loop_exhausted")
    assert (exhausted["outcome"], exhausted["total_attempts"]) == ("expiry_time", 2)
    assert clock.slept == [3.0, 2.0]
    assert told(events)[-2:] == ["end_thread", "end_workflow"]


def test_long_run_expires_its_loop():
    clock = Clock()
    slow = node("slow", "no_op", delay_seconds=60, self_loop_config={"enabled": True, "expiry_time": 5})

    events, _ = play(clock, slow, static("b", "B"), when("slow", "b", "[[never]] == 1"))

    expired = next(event for event in events if event["type"] == "node_expired")
    assert expired["attempt_number"] == 1
    assert clock.slept == [5.0]
    assert told(events)[-3:] == ["self_loop_exhausted", "end_thread", "end_workflow"]


def test_direct_edge_leaves_the_loop():
    events, _ = play(Clock(), counter(max_retries=3), static("b", "B"), direct("count", "b"))

    assert "self_loop_delay" not in told(events)
    assert told(events)[1] == "direct_edge"


def test_retries_may_exceed_the_looping_guard():
    events, end = play(
        Clock(),
        node("wait", "no_op", self_loop_config={"enabled": True, "max_retries": 100}),
    )

    assert [event["type"] for event in events].count("start_node_run") == 101
    assert end.status == "completed"


@pytest.mark.parametrize("bounds", [{"max_retries": 0}, {"max_retries": 0, "expiry_time": 10}])
def test_no_retry_is_one_attempt(bounds):
    events, _ = play(Clock(), counter(**bounds))

    exhausted = next(event for event in events if event["type"] == "self_loop_exhausted")
    assert exhausted["total_attempts"] == 1


def test_expiry_is_reported_beside_a_transition():
    late = node("late", "no_op", delay_seconds=9, self_loop_config={"enabled": True, "expiry_time": 3})

    events, _ = play(Clock(), late, static("b", "B"), when("late", "b", "1 == 1"))

    assert told(events)[:3] == ["start_node_run", "node_expired", "conditional_edge"]


def test_looping_worker_gets_new_messages():
    retry = {"enabled": True, "max_retries": 2}
    collector = worker("collector", {"x": {"type": "string"}}, self_loop=True, self_loop_config=retry)
    interpreter = Interpreter(workflow(collector), HeuristicModel(), environment=Clock().environment())
    given = TurnInput.with_message("one")

    events = [event.type for event in interpreter.turn(interpreter.begin(given), given)]

    assert events.count("start_node_run") == 1
    assert events[-1] == "workflow_ready_for_input"


def test_message_after_the_time_ends_the_loop():
    chat = say("chat", self_loop_config={"enabled": True, "expiry_time": 60})
    over = when("chat", "late", "[[self_loop_outcome]] == 'expiry_time'")
    run = Background(chat, static("late", "Too late."), over)
    run.turn("one")
    run.clock.seconds += 61

    types = run.turn("two")

    assert types[:3] == ["user_messages", "self_loop_exhausted", "conditional_edge"]
    assert run.one("self_loop_exhausted")["total_attempts"] == 1
    assert run.said() == ["Too late."]


def test_waiting_retries_last_until_their_time_is_up():
    loop = {"enabled": True, "expiry_time": 600, "time_between_retries": 2}

    events, end = play(Clock(), node("poll", "no_op", self_loop_config=loop))

    exhausted = next(event for event in events if event["type"] == "self_loop_exhausted")
    assert (exhausted["outcome"], exhausted["total_attempts"]) == ("expiry_time", 300)
    assert end.status == "completed"

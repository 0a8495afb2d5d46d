from __future__ import annotations

from typing import Any

import pytest

from debugger.engine.environment import Environment
from debugger.engine.interpreter import Interpreter
from debugger.engine.models import HeuristicModel
from debugger.engine.models.base import ModelError, Reply
from debugger.engine.tools.base import ToolResult
from debugger.engine.tools.inline_python import InlinePythonTool
from debugger.protocol.events import TROUBLE, TroubleKind
from debugger.protocol.runs import TurnInput
from tests.engine.test_scheduler import Background
from tests.support.factories import direct, everywhere, node, say, static, tool, when, worker, workflow

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
    chat = say("chat", self_loop=False, self_loop_config={"enabled": True, "expiry_time": 60})
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


def test_messages_are_no_retries_of_a_self_loop():
    chat = say(
        "chat", self_loop=True, self_loop_config={"enabled": True, "max_retries": 2, "expiry_time": 60}
    )
    run = Background(chat)

    for number in range(5):
        run.clock.seconds += 61
        types = run.turn(f"message {number}")

        assert types[-4:-2] == ["self_loop_edge", "busy_wait_for_user_message"]
        assert run.said() == [f"You said: message {number}"]
    assert run.end.status == "waiting_for_user_input"


@pytest.mark.parametrize("leads_on", [False, True])
def test_expired_run_leaves_its_self_loop_by_an_edge(leads_on):
    chat = say("chat", self_loop=True, self_loop_config={"enabled": True, "expiry_time": 60})
    over = when("chat", "late", f"[[self_loop_outcome]] == '{'expiry_time' if leads_on else 'other'}'")
    run = Background(chat, static("late", "Too late."), over)
    model = run.interpreter.model

    class Slow(type(model)):
        def reply(self, prompt):
            run.clock.seconds += 61
            return super().reply(prompt)

    run.interpreter.model = Slow()

    types = run.turn("one")

    assert "node_expired" in types
    after = types[types.index("self_loop_exhausted") + 1 :]
    assert after[:2] == (
        ["conditional_edge", "workflow_navigation_message"]
        if leads_on
        else ["self_loop_edge", "busy_wait_for_user_message"]
    )


class Failing:
    """A model that never answers."""

    def reply(self, prompt: Any) -> Any:
        raise ModelError("overloaded")


def marks(*parts: Any, model: Any = None, text: str | None = "Hi") -> list[Any]:
    """The marks of the warnings of one turn."""
    interpreter = Interpreter(workflow(*parts), model or HeuristicModel(), environment=Clock().environment())
    given = TurnInput.with_message(text)
    turn = interpreter.turn(interpreter.begin(given), given)
    return [event.to_wire()[TROUBLE] for event in turn if event.type == "workflow_warning"]


def test_each_failed_answer_of_a_turn_has_a_warning() -> None:
    chat = worker("chat", wait_for_user_message=False, self_loop_config={"enabled": True, "max_retries": 2})

    assert marks(chat, model=Failing()) == [{"kind": "model", "node": "chat"}] * 3


def test_a_placeholder_is_warned_of_once_a_turn() -> None:
    chat = worker(
        "chat",
        main_response_config={"prompt": "Ask {{who}}."},
        wait_for_user_message=False,
        self_loop_config={"enabled": True, "max_retries": 2},
    )

    assert marks(chat) == [{"kind": "configuration", "node": "chat"}]


def test_a_discarded_answer_that_fails_is_reported() -> None:
    class Judge:
        def reply(self, prompt: Any) -> Any:
            if prompt.kind == "judge":
                return Reply(chosen=prompt.choices[0])
            raise ModelError("overloaded")

    parts = [
        say("chat"),
        static(
            "bye", "Bye", global_node_config=everywhere("wants to go", judged="independent_llm_evaluations")
        ),
    ]

    assert marks(*parts, model=Judge()) == [{"kind": "model", "node": "chat"}]


def test_a_judge_that_fails_is_reported_at_the_source() -> None:
    parts = [static("a", "A"), static("b", "B"), when("a", "b", freeform="the user wants b")]

    assert marks(*parts, model=Failing()) == [{"kind": "model", "node": "a"}]


def test_a_run_that_cannot_be_fetched_is_reported() -> None:
    assert marks(node("fetch", "workflow_run_fetch", workflow_run_id="nothing")) == [
        {"kind": "node", "node": "fetch"}
    ]


@pytest.mark.parametrize("kind", ["schema", "model"])
def test_an_unreported_structured_output_is_a_failure(kind: TroubleKind) -> None:
    class Odd:
        def reply(self, prompt: Any) -> Any:
            return Reply(fields_error="'tea' is missing", fields_trouble=kind)

    chat = worker("chat", {"tea": {"type": "string"}}, wait_for_user_message=False)

    assert marks(chat, model=Odd()) == [{"kind": kind, "node": "chat"}]


def test_a_worker_beside_a_node_is_named() -> None:
    beside = {"type": "companion", "logical_id": "e"}
    parts = [
        static("a", "A"),
        worker("w", wait_for_user_message=False),
        {**direct("a", "w"), **beside},
    ]

    assert marks(*parts, model=Failing()) == [{"kind": "model", "node": "w"}]


def test_an_error_names_the_node_that_caused_it() -> None:
    events, _ = play(Clock(), static("a", "A"), static("b", "B"), direct("a", "b"), when("b", "b", "1 <"))

    assert events[-1]["type"] == "workflow_error"
    assert events[-1][TROUBLE] == {"kind": "error", "node": "b"}

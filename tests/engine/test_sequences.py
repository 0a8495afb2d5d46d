"""The sequences (a) to (k) of ``platform.md#event-order``, in full: every event of a turn in its order.

(a), two static nodes, with every field, is in ``test_interpreter.py``; (h) with its pumps in
``test_scheduler.py``.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from debugger.engine.environment import Environment
from debugger.engine.interpreter import Interpreter
from debugger.engine.options import EngineOptions
from tests.engine.test_interpreter import HIDDEN, Listener, Play
from tests.support.factories import direct, everywhere, node, say, static, tool, when, worker

BLOCK = ["start_node_run", "end_node_run", "workflow_show_state"]
SPOKEN = ["start_node_run", "say_static", "assistant_response", "end_node_run", "workflow_show_state"]
ANSWERED = ["start_node_run", "say_llm", "assistant_response", "end_node_run", "workflow_show_state"]
HOP = ["direct_edge", "workflow_navigation_message"]
CONDITIONAL = ["conditional_edge", "workflow_navigation_message"]
OVER = ["end_thread", "end_workflow_iteration", "end_workflow"]
READY = ["busy_wait_for_user_message", "end_workflow_iteration", "workflow_ready_for_input"]


def wires(play: Play, event_type: str) -> list[dict[str, Any]]:
    return [event.to_wire() for event in play.events if event.type == event_type]


def test_b_chat_loops_with_each_message():
    play = Play(say("chat"))

    first, second = play.turn(), play.turn("hello")

    assert first == ["start_workflow", "start_thread", *READY]
    assert second == ["user_messages", *ANSWERED, "self_loop_edge", *READY]
    heard = play.one("user_messages")
    assert (heard["origin_node_logical_id"], heard["messages"][0]["content"]) == ("chat", "hello")
    started = play.one("start_node_run")["run_input"]
    assert (started["type"], started["messages"][0]["content"]) == ("llm", "hello")
    model, spoken = play.one("say_llm"), play.one("assistant_response")
    assert spoken["logical_id"] == model["message"]["id"]
    assert spoken["llm_usage_info"] == model["llm_usage_info"]
    ended = play.one("end_node_run")["run_output"]
    assert (ended["type"], ended["structured_output"]) == ("say_llm", {})
    loop = play.one("self_loop_edge")
    assert (loop["source_node_logical_id"], loop["destination_node_logical_id"]) == ("chat", "chat")
    waiting = play.one("busy_wait_for_user_message")
    assert (waiting["origin_thread_id"], waiting["origin_node_logical_id"]) == ("0", "chat")
    assert play.one("workflow_ready_for_input")["active_companion_thread_ids"] == []


def test_c_freeform_edge_has_arguments():
    play = Play(
        say("chat"),
        static("bye", "Bye"),
        when(
            "chat",
            "bye",
            freeform="bye",
            condition={"static_messages_config": {"static_messages": ["One moment."]}},
            name="leaves",
        ),
        options=HIDDEN,
    )

    types = play.turn("bye")

    assert types == [
        "user_messages",
        "start_node_run",
        "say_llm",
        "assistant_response",
        "end_node_run",
        "workflow_show_state",
        *CONDITIONAL,
        *SPOKEN,
        *OVER,
    ]
    (call,) = play.one("say_llm")["message"]["tool_calls"]
    assert call["name"] == "Destination_Node__bye"
    assert play.said() == ["One moment.", "Bye"]
    edge = play.one("conditional_edge")
    assert edge["args_filled"] == {"justification": "heard bye", "heard": "bye"}
    assert (edge["edge_name"], edge["edge_logical_id"], edge["edge_run_id"]) == (
        "leaves",
        "edge_chat_bye",
        "1",
    )
    assert edge["super_node_exit_origin"] is None


def test_c_expression_edge_follows_the_reply():
    play = Play(
        say("chat", structured_output_schema={"type": "object", "properties": {"word": {"type": "string"}}}),
        static("bye", "Bye"),
        when(
            "chat",
            "bye",
            "[[word]] == 'bye'",
            condition={"static_messages_config": {"static_messages": ["So long."]}},
        ),
        options=HIDDEN,
    )

    types = play.turn("bye")

    assert types == ["user_messages", *ANSWERED, "assistant_response", *CONDITIONAL, *SPOKEN, *OVER]
    assert play.said() == ["You said: bye", "So long.", "Bye"]
    assert play.one("conditional_edge")["args_filled"] == {}
    assert "'bye' == 'bye'" in play.one("conditional_edge")["reason"]


def test_d_tool_node_result_is_its_output():
    play = Play(
        tool("price", "def price(cups):\n    return 3 * int(cups)\n", {"cups": "2"}),
        static("tell", "[[tool_result]] euros"),
        direct("price", "tell"),
        options=HIDDEN,
    )

    types = play.turn()

    assert types == [*BLOCK, *HOP, *SPOKEN, *OVER]
    output = wires(play, "end_node_run")[0]["run_output"]
    assert (output["type"], output["success"], output["tool_result"], output["error_message"]) == (
        "tool_node",
        True,
        6,
        None,
    )
    shown = wires(play, "workflow_show_state")[0]["runtime_variables"]
    assert shown["tool_result"] == shown["price.tool_result"] == shown["Price.tool_result"] == 6
    assert (shown["tool_result_success"], shown["tool_result_error"]) == (True, None)


def test_f_error_is_last_with_totals():
    play = Play(static("a", "A"), static("b", "B"), when("a", "b", "contains([[x]], 'y')"), options=HIDDEN)

    types = play.turn()

    assert types == [*SPOKEN, "workflow_error"]
    error = play.one("workflow_error")
    assert error["error_message"].startswith("Error evaluating condition expression '")
    assert error["llm_token_usage"]["call_count"] == 0
    assert error["llm_latency_stats"]["call_count"] == 0
    assert play.end.status == "failed"


def test_g_events_of_stop_and_pause():
    play = Play(say("chat"), options=HIDDEN)
    play.turn()

    paused = play.turn(command="pause")
    pause = play.one("pause_thread")["last_node_logical_id"]
    status = play.end.status
    resumed = play.turn("hello", command="resume")
    stopped = play.turn(command="stop")

    assert paused == ["pause_event", "pause_thread", "end_workflow_iteration"]
    assert (pause, status) == ("chat", "paused")
    assert resumed == ["user_messages", *ANSWERED, "self_loop_edge", *READY]
    assert stopped == ["end_workflow_iteration"]
    assert play.end.status == "cancelled"


class Slept:
    """A world in which sleeping takes no time, and is counted."""

    def __init__(self) -> None:
        self.seconds = 5_000.0
        self.naps: list[float] = []

    def environment(self) -> Environment:
        return Environment(now=lambda: self.seconds, random=random.Random(1), sleep=self._sleep)

    def _sleep(self, seconds: float, _woken: Any) -> None:
        self.naps.append(seconds)
        self.seconds += seconds


def retrying(code: str, slept: Slept, **retry: Any) -> Play:
    """Example 25: a greeting, a check that is tried again, an approval or an apology, a farewell."""
    settings = {"enabled": True, "max_retries": 3, "time_between_retries": 2, **retry}
    check = tool("check", code, {"n": "[[answer]]"}, result_runtime_variable_name="answer")
    play = Play(
        static("hello", "Hello"),
        {**check, "self_loop_config": settings},
        static("approved", "Approved."),
        static("sorry", "Sorry."),
        static("bye", "Bye"),
        direct("hello", "check"),
        when("check", "approved", "[[answer]] == 2"),
        when("check", "sorry", "isPresent([[self_loop_outcome]])"),
        direct("approved", "bye"),
        direct("sorry", "bye"),
    )
    play.interpreter = Interpreter(play.interpreter.workflow, Listener(), HIDDEN, slept.environment())
    return play


COUNTS = "def check(n):\n    return int(n) + 1 if str(n).isdigit() else 1\n"
NEVER = "def check(n):\n    return 'pending'\n"


def test_i_retry_success_has_no_outcome():
    slept = Slept()
    play = retrying(COUNTS, slept)

    types = play.turn()

    assert types == [
        *SPOKEN,
        *HOP,
        *BLOCK,
        "self_loop_delay",
        *BLOCK,
        *CONDITIONAL,
        *SPOKEN,
        *HOP,
        *SPOKEN,
        *OVER,
    ]
    delay = play.one("self_loop_delay")
    assert (delay["attempt_number"], delay["delay_seconds"]) == (2, 2.0)
    assert play.said() == ["Hello", "Approved.", "Bye"]
    assert slept.naps == [2.0]
    assert "self_loop_outcome" not in wires(play, "workflow_show_state")[-1]["runtime_variables"]


def test_i_retry_exhausts_its_attempts():
    play = retrying(NEVER, Slept())

    types = play.turn()

    assert types == [
        *SPOKEN,
        *HOP,
        *BLOCK,
        *["self_loop_delay", *BLOCK] * 3,
        "self_loop_exhausted",
        *CONDITIONAL,
        *SPOKEN,
        *HOP,
        *SPOKEN,
        *OVER,
    ]
    assert [one["attempt_number"] for one in wires(play, "self_loop_delay")] == [2, 3, 4]
    exhausted = play.one("self_loop_exhausted")
    assert (exhausted["outcome"], exhausted["total_attempts"]) == ("max_retries", 4)
    assert exhausted["reason"] == "Bounded self-loop for node check stopped after 4 attempt(s): max_retries"
    assert play.said() == ["Hello", "Sorry.", "Bye"]
    last = wires(play, "workflow_show_state")[-1]["runtime_variables"]
    assert last["self_loop_outcome"] == "max_retries"


def test_i_retry_expires_before_an_attempt():
    slept = Slept()
    play = retrying(NEVER, slept, max_retries=None, expiry_time=5)

    types = play.turn()

    assert types.count("self_loop_delay") == 3
    assert slept.naps == [2.0, 2.0, 1.0]
    exhausted = play.one("self_loop_exhausted")
    assert (exhausted["outcome"], exhausted["total_attempts"]) == ("expiry_time", 3)
    assert play.said() == ["Hello", "Sorry.", "Bye"]


def test_i_long_run_is_expired():
    slept = Slept()

    class Slow(Listener):
        def reply(self, prompt: Any) -> Any:
            slept.seconds += 6
            return super().reply(prompt)

    retry = {"enabled": True, "expiry_time": 5}
    play = Play(worker("find", wait_for_user_message=False, self_loop_config=retry))
    play.interpreter = Interpreter(play.interpreter.workflow, Slow(), HIDDEN, slept.environment())

    types = play.turn()

    assert types == [
        "start_node_run",
        "worker_llm",
        "end_node_run",
        "workflow_show_state",
        "node_expired",
        "self_loop_exhausted",
        *OVER,
    ]
    expired = play.one("node_expired")
    assert (expired["attempt_number"], expired["origin_node_logical_id"]) == (1, "find")
    assert "expiry_time of 5 s" in expired["reason"]


def test_j_worker_precedes_the_conditions():
    play = Play(
        say("chat"),
        worker("note", {"word": {"type": "string"}}),
        static("bye", "Bye"),
        {**direct("chat", "note"), "type": "companion"},
        when("chat", "bye", "[[word]] == 'bye'"),
        options=HIDDEN,
    )

    stays, leaves = play.turn("hello"), play.turn("bye")

    beside = ["companion_edge", "start_node_run", "worker_llm", "end_node_run", "workflow_show_state"]
    assert stays == ["user_messages", *ANSWERED, *beside, "self_loop_edge", *READY]
    assert leaves == ["user_messages", *ANSWERED, *beside, *CONDITIONAL, *SPOKEN, *OVER]
    edge = play.one("companion_edge")
    assert (edge["source_node_logical_id"], edge["destination_node_logical_id"]) == ("chat", "note")
    assert edge["origin_thread_id"] == "0"
    assert wires(play, "end_node_run")[1]["run_output"]["structured_output"] == {"word": "bye"}


@pytest.mark.parametrize("judged", ["independent_llm_evaluations", "workflow_default"])
def test_k_true_global_condition_discards_answer(judged):
    play = Play(
        say("chat"),
        static("help", "Help is on its way.", global_node_config=everywhere("help", judged=judged)),
        static("human", "A person comes.", global_node_config=everywhere("human", judged=judged)),
        global_condition_evaluation_method="independent_llm_evaluations",
        options=HIDDEN,
    )

    stays, leaves = play.turn("hello"), play.turn("help")

    assert stays == [
        "user_messages",
        "start_node_run",
        *["condition_evaluator_llm"] * 2,
        *ANSWERED[1:],
        "self_loop_edge",
        *READY,
    ]
    assert leaves == [
        "user_messages",
        "start_node_run",
        *["condition_evaluator_llm"] * 2,
        "discarded_main_llm",
        "end_node_run",
        "workflow_show_state",
        *CONDITIONAL,
        *SPOKEN,
        *OVER,
    ]
    verdicts = wires(play, "condition_evaluator_llm")
    assert [(one["destination_node_logical_id"], one["is_condition_met"]) for one in verdicts] == [
        ("help", True),
        ("human", False),
    ]
    assert play.one("discarded_main_llm")["reason"] == "global_condition_matched"


def test_start_events_can_be_hidden():
    shown, hidden = (
        Play(node("a", "no_op")),
        Play(node("a", "no_op"), options=EngineOptions(start_events=False)),
    )

    assert shown.turn() == ["start_workflow", "start_thread", *BLOCK, *OVER]
    assert hidden.turn() == [*BLOCK, *OVER]

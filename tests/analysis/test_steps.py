from __future__ import annotations

from debugger.analysis.metrics import node_metrics
from debugger.analysis.steps import steps_of_turn, turn_row
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from tests.analysis.played import played_turns
from tests.support.factories import direct, everywhere, say, static, when, worker
from tests.support.timelines import build_timeline

ASK = {"origin_node_logical_id": "ask", "origin_node_name": "Ask", "origin_node_run_id": "1"}
LAB = {"origin_thread_id": "0_companion_lab", "thread_reference_id": "lab"}
MAIN = {"origin_thread_id": "0", "thread_reference_id": "0"}
HOP = {"type": "direct_edge", "source_node_name": "Ask", "destination_node_name": "Order", **MAIN}


def steps(*events):
    turn = TurnLog(1, TurnInput(), [parse_event(event) for event in events])
    return steps_of_turn(turn, build_timeline([turn]))


def usage(response_id, **fields):
    return {"llm_response_id": response_id, **fields}


def test_tokens_that_are_no_number_count_nothing():
    """Some servers of Python write NaN and infinities."""
    (step,), _ = steps(
        {"type": "start_node_run", **ASK, **MAIN},
        {"type": "say_llm", "llm_usage_info": usage("r", total_tokens=float("nan")), **ASK, **MAIN},
        {"type": "say_llm", "llm_usage_info": usage("s", prompt_tokens=float("inf")), **ASK, **MAIN},
    )

    assert [call.total_tokens for call in step.calls] == [0, 0]


def test_call_of_node_that_started_earlier_counts():
    """Background work may end in the middle of a node run."""
    (step,), owners = steps(
        {"type": "worker_llm", "llm_usage_info": usage("r", total_tokens=9), **ASK, **LAB},
        {"type": "end_node_run", **ASK, **LAB},
    )

    assert (step.kind, step.node_name, step.tokens) == ("note", "Ask", 9)
    assert owners == [0, 0]


def test_step_of_a_node_run():
    found, owners = steps(
        {"type": "start_node_run", "timestamp": 100.0, **ASK, **MAIN},
        {"type": "assistant_response", "content": "Which tea?", **ASK, **MAIN},
        {"type": "end_node_run", "timestamp": 100.25, **ASK, **MAIN},
        {"type": "workflow_show_state", **MAIN},
        HOP,
    )

    (step,) = found
    assert (step.kind, step.node_name, step.duration_ms) == ("node", "Ask", 250.0)
    assert (step.first, step.last) == (0, 2)
    assert step.summary == "agent: Which tea? → Order"
    assert owners == [0, 0, 0, 0, 0]


def test_steps_of_user_messages_and_waits():
    found, owners = steps(
        {"type": "user_messages", "messages": [{"type": "human", "content": "Hi"}], **MAIN},
        {"type": "start_node_run", **ASK, **MAIN},
        {"type": "end_node_run", **ASK, **MAIN},
        {"type": "busy_wait_for_user_message", **ASK, **MAIN},
        {"type": "end_workflow_iteration"},
    )

    assert [step.kind for step in found] == ["user", "node", "wait"]
    assert [step.summary for step in found] == ["user: Hi", "Ask ends", "Ask waits for the user"]
    assert owners == [0, 1, 1, 2, 2]


def test_steps_of_interleaved_threads():
    poll = {"origin_node_logical_id": "poll", "origin_node_run_id": "1"}
    found, owners = steps(
        {"type": "start_node_run", **ASK, **MAIN},
        {"type": "start_node_run", **poll, **LAB},
        {"type": "end_node_run", **ASK, **MAIN},
        {"type": "end_node_run", **poll, **LAB},
    )

    assert [step.thread for step in found] == ["0", "lab"]
    assert owners == [0, 1, 0, 1]


def test_steps_of_node_with_worker_beside_it():
    _, (turn,) = played_turns(
        say("ask"),
        worker("note", {"tea": {"type": "string"}}),
        static("bye", "Bye"),
        {**direct("ask", "note"), "type": "companion"},
        when("ask", "bye", "[[tea]] == 'mate'"),
        says=("mate",),
    )

    found, owners = steps_of_turn(turn, build_timeline([turn]))

    assert [(step.node_name, step.summary) for step in found if step.kind == "node"] == [
        ("Ask", "agent: You said: mate → Bye"),
        ("Note", "Note answers"),
        ("Bye", "agent: Bye"),
    ]
    owner = {event.type: owners[place] for place, event in enumerate(turn.events)}
    assert (owner["companion_edge"], owner["worker_llm"], owner["conditional_edge"]) == (1, 2, 1)


def test_durations_of_events_out_of_order_are_not_negative():
    order = {"origin_node_logical_id": "order", "origin_node_name": "Order"}
    events = [
        {"type": "start_node_run", "timestamp": 105.0, **ASK, **MAIN},
        {"type": "end_node_run", "timestamp": 103.0, **ASK, **MAIN},
        {"type": "start_node_run", "timestamp": 106.0, **order, **MAIN},
        {"type": "end_node_run", "timestamp": 109.0, **order, **MAIN},
        {"type": "workflow_ready_for_input", "timestamp": 102.0},
    ]
    turn = TurnLog(1, TurnInput(), [parse_event(event) for event in events])
    rows = build_timeline([turn])
    found, _ = steps_of_turn(turn, rows)

    assert [step.duration_ms for step in found] == [0.0, 3000.0]
    assert turn_row(turn, 0, 0, rows, found, []).duration_ms == 4000.0
    assert sorted(each.share for each in node_metrics(found)) == [0.0, 1.0]


def test_steps_of_failures():
    inside = steps(
        {"type": "start_node_run", **ASK, **MAIN},
        {"type": "end_node_run", **ASK, **MAIN, "run_output": {"success": False, "error_message": "503"}},
    )
    outside = steps({"type": "workflow_error", "error_message": "no start node"})

    assert [(step.summary, step.trouble) for step in inside[0]] == [("Ask failed: 503", "failure")]
    assert [(step.kind, step.summary) for step in outside[0]] == [("note", "no start node")]


def test_a_warning_alone_is_no_failure():
    found, _ = steps(
        {"type": "start_node_run", **ASK, **MAIN},
        {"type": "workflow_warning", "warning_message": "odd", **MAIN},
    )

    assert [step.trouble for step in found] == ["warning"]


def test_model_calls_join_chunks():
    say = {"type": "say_llm", "message": {"content": "x"}, **ASK, **MAIN}
    first = usage("r1", response_latency_milliseconds=100, total_tokens=3)
    last = usage("r1", response_latency_milliseconds=250.5, prompt_tokens=7, completion_tokens=5)
    other = usage("r2", response_latency_milliseconds=None, total_tokens=1)
    found, _ = steps(
        {"type": "start_node_run", **ASK, **MAIN},
        {**say, "llm_usage_info": first},
        {**say, "llm_usage_info": last},
        {**say, "type": "worker_llm", "llm_usage_info": other},
        {**say, "type": "discarded_main_llm", "llm_usage_info": usage("r3", total_tokens=99)},
    )

    (step,) = found
    assert [(call.latency_ms, call.total_tokens) for call in step.calls] == [
        (250.5, 12),
        (None, 1),
        (None, 99),
    ]
    assert step.tokens == 112


def test_result_of_tool_is_no_model_call():
    found, _ = steps(
        {"type": "start_node_run", **ASK, **MAIN},
        {"type": "say_llm", "message": {"type": "ai"}, "llm_usage_info": usage("r1"), **ASK, **MAIN},
        {"type": "say_llm", "message": {"type": "tool"}, "llm_usage_info": {}, **ASK, **MAIN},
        {"type": "say_llm", "message": {"type": "ai"}, "llm_usage_info": usage("r2"), **ASK, **MAIN},
    )

    assert [call.index for call in found[0].calls] == [1, 3]


def test_discarded_answers_count_as_in_metrics():
    judged = everywhere("help", judged="independent_llm_evaluations")
    _, (turn,) = played_turns(say("desk"), say("help", global_node_config=judged), says=("help",))
    (closing,) = [event for event in turn.events if event.type == "end_workflow_iteration"]

    found, _ = steps_of_turn(turn, build_timeline([turn]))

    calls = sum(len(step.calls) for step in found)
    assert calls == closing.to_wire()["iteration_metrics"]["llm_call_count"] == 3


def test_steps_own_the_events_before():
    _, owners = steps({"type": "start_workflow"}, {"type": "start_thread"}, {"type": "start_node_run", **ASK})

    assert owners == [0, 0, 0]


def test_a_turn_without_steps_has_none():
    assert steps({"type": "start_workflow"})[1] == [-1]

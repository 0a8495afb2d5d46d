from __future__ import annotations

from debugger.analysis.gantt import bars
from debugger.analysis.side_effects import SideEffect
from debugger.analysis.steps import steps_of_turn, turn_row
from debugger.analysis.timeline import pauses_of
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from tests.support.timelines import build_timeline

BEGAN = 1785200000.0


def node_run(node, after, took, *between, thread="0"):
    about = {
        "origin_node_logical_id": node,
        "origin_node_name": node.capitalize(),
        "origin_thread_id": thread,
        "thread_reference_id": thread.rpartition("_")[2],
    }
    return [
        {"type": "start_node_run", "timestamp": BEGAN + after, **about},
        *({**event, **about} for event in between),
        {"type": "end_node_run", "timestamp": BEGAN + after + took, **about},
    ]


def steps(*events):
    turn = TurnLog(1, TurnInput(), [parse_event(event) for event in events])
    return steps_of_turn(turn, build_timeline([turn]))[0]


def effect(kind, after_ms, took, how="live", success=True):
    at = f"2026-07-28T00:53:20.{after_ms:03d}Z"
    return SideEffect(1, False, at, "ask", "Ask", kind, "read", "GET /x", how, success, 200, "", took, {})


def rounded(drawn):
    return [(bar.kind, bar.lane, round(bar.begin_ms), round(bar.end_ms)) for bar in drawn]


def test_bars_of_node_runs():
    drawn = bars(steps(*node_run("ask", 0, 0.2), *node_run("bye", 0.25, 0.05)), [])

    assert rounded(drawn) == [("node run", "Ask", 0, 200), ("node run", "Bye", 250, 300)]


def test_bars_of_model_calls():
    usage = {"llm_response_id": "r1", "response_latency_milliseconds": 120.0, "total_tokens": 9}
    said = {"type": "say_llm", "timestamp": BEGAN + 0.15, "llm_usage_info": usage}

    drawn = bars(steps(*node_run("ask", 0, 0.2, said)), [])

    assert ("model call", "Ask", 30, 150) in rounded(drawn)


def test_bars_of_calls_outside():
    drawn = bars(steps(*node_run("ask", 0, 0.2)), [effect("http", 50, 80.0), effect("model", 0, 9.0)])

    assert rounded(drawn) == [("node run", "Ask", 0, 200), ("external call", "Ask", 50, 130)]


def test_a_companion_has_lanes_of_its_own():
    drawn = bars(steps(*node_run("poll", 0, 0.1, thread="0_companion_lab")), [])

    assert [bar.lane for bar in drawn] == ["lab: Poll"]


def test_what_failed_is_marked():
    drawn = bars(steps(*node_run("ask", 0, 0.2)), [effect("http", 50, 80.0, success=False)])

    assert [bar.is_failure for bar in drawn] == [False, True]


def test_without_times_there_is_nothing_to_draw():
    about = {"origin_node_logical_id": "ask"}

    assert bars(steps({"type": "start_node_run", **about}, {"type": "end_node_run", **about}), []) == []


def test_bars_split_node_runs_at_pauses():
    paused = {"kind": "paused", "began_at": BEGAN + 0.05, "ended_at": BEGAN + 72.05}
    asked = {"kind": "manual_answer", "began_at": BEGAN + 72.1, "ended_at": BEGAN + 75.1}
    model = {"type": "say_llm", "timestamp": BEGAN + 75.11, "paused_intervals": [paused, asked]}
    events = [*node_run("ask", 0, 75.2, model), *node_run("bye", 75.25, 0.05)]
    turn = TurnLog(1, TurnInput(), [parse_event(event) for event in events])
    rows = build_timeline([turn])
    read = steps_of_turn(turn, rows)[0]
    row = turn_row(turn, 0, 0, rows, read, [])

    drawn = bars(read, [], row.pauses)

    assert [step.duration_ms for step in read] == [200.0, 50.0]
    assert row.duration_ms == 300.0
    assert rounded(drawn) == [
        ("node run", "Ask", 0, 50),
        ("pause", "Paused", 50, 72050),
        ("node run", "Ask", 72050, 72100),
        ("pause", "Waited for manual answer", 72100, 75100),
        ("node run", "Ask", 75100, 75200),
        ("node run", "Bye", 75250, 75300),
    ]


def test_malformed_pauses_are_left_out():
    odd = [None, {}, {"began_at": "x", "ended_at": 2}, {"began_at": 3, "ended_at": 2}, {"began_at": True}]
    event = {"type": "say_llm", "timestamp": BEGAN, "paused_intervals": odd}

    assert pauses_of(parse_event(event)) == []
    assert pauses_of(parse_event({**event, "paused_intervals": "soon"})) == []

from __future__ import annotations

from dataclasses import replace

import pytest

from debugger.analysis.metrics import costs, node_metrics, node_times, percent, run_metrics, spread
from debugger.analysis.run_projection import RunProjection
from debugger.graph.graph import Graph
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.settings import Settings
from tests.support.factories import say, static, workflow
from tests.support.timelines import build_timeline


def node_run(node, began, took, *between, **output):
    about = {"origin_node_logical_id": node, "origin_node_name": node.capitalize(), "origin_thread_id": "0"}
    return [
        {"type": "start_node_run", "timestamp": began, **about},
        *({**event, **about} for event in between),
        {"type": "end_node_run", "timestamp": began + took, "run_output": output, **about},
    ]


def call(response_id, latency, prompt, completion):
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "llm_response_id": response_id}
    return {"type": "say_llm", "llm_usage_info": {**usage, "response_latency_milliseconds": latency}}


def closing(milliseconds):
    metrics = {"e2e_latency_milliseconds": milliseconds}
    return {"type": "end_workflow_iteration", "iteration_metrics": metrics}


def read(*turns):
    logs = [TurnLog(at + 1, TurnInput(), list(map(parse_event, turn))) for at, turn in enumerate(turns)]
    return RunProjection(Graph(workflow(say("ask"), static("bye")))).read(logs)


def test_times_are_spread():
    found = spread([4.0, 1.0, 3.0, 2.0])

    assert (found.total, found.highest) == (10.0, 4.0)
    assert found.median == 2.5
    assert found.p95 == pytest.approx(3.85)
    assert spread([7.0]).p95 == 7.0
    assert spread([]) is None


def test_node_metrics_sum_runs_slowest_first():
    told = read(
        node_run("bye", 100.0, 0.1, success=True),
        node_run("ask", 200.0, 0.2, call("r1", 150, 10, 5)),
        node_run("ask", 300.0, 0.7, call("r2", 250, 20, 5), success=False),
    )

    ask, bye = node_metrics(told.steps)

    assert (ask.node_name, ask.runs, ask.failures, ask.calls) == ("Ask", 2, 1, 2)
    assert ask.share == pytest.approx(0.9)
    assert ask.latency.median == 200
    assert (ask.prompt_tokens, ask.completion_tokens, ask.total_tokens) == (30, 10, 40)
    assert (bye.runs, bye.calls, bye.latency) == (1, 0, None)


def test_costs_use_first_price_that_fits():
    told = read(
        node_run("ask", 100.0, 0.2, call("r1", 150, 1_000_000, 500_000), priced("r2", "Claude-X", 0, 1000)),
        node_run("ask", 200.0, 0.2, priced("r3", "other", 10, 0), priced("r4", "other", 0, 0)),
    )
    calls = [each for step in told.steps for each in step.calls]
    prices = Settings(prices="claude-x=1/2 EUR, claude-*=9/9 USD, gpt-*=0.25/2 USD").model_prices
    calls[0] = replace(calls[0], model="gpt-5.4-mini")

    found = costs(calls, prices)

    assert found.by_currency == pytest.approx({"USD": 1.25, "EUR": 0.002})
    assert found.unpriced == 1
    assert str(found) == "1.2500 USD + 0.0020 EUR"


def test_costs_need_tokens_in_and_out():
    """Some backends tell the sum alone."""
    event = call("r1", 150, 0, 0)
    told = read(node_run("ask", 100.0, 0.2, {**event, "llm_usage_info": {"total_tokens": 15}}))

    found = costs(told.steps[0].calls, Settings(prices="*=1/2 EUR").model_prices)

    assert (found.by_currency, found.unpriced) == ({}, 1)


def priced(response_id, model, prompt, completion):
    event = call(response_id, 100, prompt, completion)
    return {**event, "llm_usage_info": {**event["llm_usage_info"], "response_model": model}}


def test_run_metrics_sum_turns():
    told = read(
        [*node_run("ask", 100.0, 0.2, call("r1", 150, 10, 5)), closing(210.0)],
        [*node_run("bye", 200.0, 0.1), closing(110.0)],
    )

    whole = run_metrics(told.turn_rows, told.steps)

    assert (whole.turns, whole.node_runs, whole.calls, whole.total_tokens) == (2, 2, 1, 15)
    assert (whole.time.total, whole.latency.total) == (320.0, 150)


def test_turn_row_has_every_column():
    failing = node_run("bye", 100.5, 0.1, success=False)
    warned = {"type": "workflow_warning", "warning_message": "odd"}
    heard = {"type": "user_messages", "timestamp": 99.0, "messages": [{"type": "human", "content": "Hi"}]}
    spoken = {"type": "assistant_response", "content": "Bye!"}
    asked = node_run("ask", 100.0, 0.2, call("r1", 150, 10, 5), spoken)

    (row,) = read([heard, *asked, *failing, warned, closing(1600.0)]).turn_rows

    assert (row.user, row.agent, row.path) == ("Hi", "Bye!", "Ask → Bye")
    assert (row.duration_ms, row.tokens, row.failures, row.warnings) == (1600.0, 15, 1, 1)
    assert (row.first, row.last, row.events) == (0, row.events - 1, 9)


def test_turn_row_duration_without_metrics():
    (row,) = read(node_run("ask", 100.0, 0.25)).turn_rows

    assert row.duration_ms == 250.0


def test_turn_row_path_counts_repeats():
    (row,) = read([*node_run("ask", 100.0, 0.1), *node_run("ask", 101.0, 0.1)]).turn_rows

    assert row.path == "Ask ×2"


def run(*spans, names=()):
    """Node runs one after the other, each a node and its seconds; between two a user thinks for a minute."""
    events, now = [], 1_700_000_000.0
    for node, seconds in spans:
        for kind, at in (("start_node_run", now), ("end_node_run", now + seconds)):
            events.append(
                parse_event(
                    {
                        "type": kind,
                        "timestamp": at,
                        "origin_thread_id": "0",
                        "origin_node_logical_id": node,
                    }
                )
            )
        now += seconds + 60
    return build_timeline([TurnLog(1, TurnInput(), events)], dict.fromkeys(names, "A node"))


def test_node_times_sum_runs_and_shares():
    times = node_times(run(("ask", 1.0), ("look_up", 2.0), ("ask", 1.0)))

    assert times["ask"].total_ms == pytest.approx(2000, abs=1)
    assert {node: round(time.share, 3) for node, time in times.items()} == {"ask": 0.5, "look_up": 0.5}


def test_node_times_of_a_super_node():
    times = node_times(run(("booking/ask", 1.0), ("booking/confirm", 3.0), names=["booking"]))

    assert list(times) == ["booking"]
    assert times["booking"].total_ms == pytest.approx(4000, abs=1)


def test_a_run_without_times_has_none():
    assert node_times([]) == {}


def test_node_times_without_durations():
    times = node_times(run(("ask", 0.0)))

    assert (times["ask"].total_ms, times["ask"].share) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("share", "told"),
    [(0, "0 %"), (0.0001, "<1 %"), (0.01, "1 %"), (0.426, "43 %"), (0.9999, ">99 %"), (1, "100 %")],
)
def test_a_share_is_told_in_percent(share, told):
    assert percent(share) == told

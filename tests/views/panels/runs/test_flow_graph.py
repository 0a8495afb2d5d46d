"""Funnel and heat of 500 runs beside counts that are made from the store by other code."""

from __future__ import annotations

import pytest

from debugger.analysis.run_statistics import NodeFlow, edge_flows, node_flows
from debugger.backends.run_summaries import RunSummaries
from debugger.views.panels.runs.flow_graph import flow_marks
from debugger.views.panels.runs.scope import counted_run
from debugger.views.panels.runs.statistics import funnel_parts
from tests.backends.test_many_runs import count_by_hand

RUNS = 500


def test_funnel_and_heat_of_500_runs_equal_counts_from_the_store(clean, backend, walks):
    walks(RUNS)
    rows = backend.runs(size=RUNS).rows
    summaries = RunSummaries(backend, backend.store.run_facts).read(rows, 60)
    counted = [counted_run(run, summaries[run.workflow_run_id]) for run in rows]
    nodes, edges = node_flows(counted), edge_flows(counted)
    reached, _, stopped, _, takers = count_by_hand(backend.store)

    marks = flow_marks(list(reached), nodes, edges, RUNS, "reached")
    drop_off = flow_marks(list(reached), nodes, edges, RUNS, "stopped")["nodes"]
    bars = {}
    for flow, part, number in funnel_parts(nodes):
        bars.setdefault(flow.node, {})[part] = number

    assert len(rows) == RUNS
    for node, runs in reached.items():
        ended, waiting = stopped.get(node, (0, 0))
        drawn = marks["nodes"][node]
        assert drawn["figure"].startswith(f"{runs} of {RUNS}")
        assert drawn["heat"] == pytest.approx(runs / RUNS, abs=0.0006)
        assert drop_off[node]["heat"] == pytest.approx((ended + waiting) / runs, abs=0.0006)
        assert bars[node] == {
            "continued": runs - ended - waiting,
            "wait here": waiting,
            "ended here": ended,
        }
    assert {edge: mark["heat"] for edge, mark in marks["edges"].items()} == {
        edge: pytest.approx(runs / RUNS, abs=0.0006) for edge, runs in takers.items()
    }


def test_share_of_nearly_all_is_not_all():
    flow = NodeFlow("a", "A", reached=999, visits=999, ended=0, waiting=0, share=0.999)

    marks = flow_marks(["a"], [flow], [], 1_000, "reached")

    assert marks["nodes"]["a"]["figure"] == "999 of 1,000 · >99 %"

from __future__ import annotations

from itertools import pairwise

import pytest

from debugger.analysis.run_facts import EdgeUse, RunSummary
from debugger.analysis.run_statistics import (
    CountedRun,
    Flow,
    PathFilter,
    by_day,
    by_version,
    edge_flows,
    end_reason,
    end_reasons,
    node_flows,
    path_flows,
    percentiles,
)


def counted(run_id, *path, status="completed", version=0, day="2026-07-01", reason="completed", **facts):
    edges = {f"{source}-{target}": EdgeUse(source, target, "next", 1) for source, target in pairwise(path)}
    names = {node: node.upper() for node in path}
    visits = {node: path.count(node) for node in path}
    last = path[-1] if path else ""
    summary = RunSummary(path=path, visits=visits, edges=edges, last_node=last, names=names, **facts)
    return CountedRun(run_id, version, status, day, reason, summary)


RUNS = [
    counted("1", "a", "b", "c"),
    counted("2", "a", "b", status="waiting_for_user_input", reason="waiting for user input"),
    counted("3", "a", status="failed", reason="failed: x"),
    counted("4", "a", "c"),
]


def test_node_flows_tell_reached_ended_and_waiting():
    a, b, c = node_flows(RUNS)

    assert (a.node, a.name, a.reached, a.ended, a.waiting, a.share, a.drop_off) == (
        "a",
        "A",
        4,
        1,
        0,
        1.0,
        0.25,
    )
    assert (b.node, b.reached, b.ended, b.waiting, b.continued, b.drop_off) == ("b", 2, 0, 1, 1, 0.5)
    assert (c.node, c.reached, c.ended, c.drop_off) == ("c", 2, 2, 1.0)


def test_edge_flows_tell_the_share_of_their_source():
    flows = {flow.edge: flow for flow in edge_flows(RUNS)}

    assert (flows["a-b"].runs, flows["a-b"].taken, flows["a-b"].share) == (2, 2, pytest.approx(2 / 3))
    assert flows["a-c"].share == pytest.approx(1 / 3)
    assert (flows["b-c"].share, flows["b-c"].source_name, flows["b-c"].destination_name) == (1.0, "B", "C")


def test_share_of_edge_with_other_source_in_other_version():
    summaries = [RunSummary(edges={"e": EdgeUse(source, "c", "next", 1)}) for source in ("a", "b")]
    runs = [CountedRun("1", number, "completed", "", "", one) for number, one in enumerate(summaries)]

    (flow,) = edge_flows(runs)

    assert (flow.taken, flow.share) == (2, 1.0)


def test_statistics_of_no_runs_are_empty():
    assert node_flows([]) == edge_flows([]) == end_reasons([]) == by_day([]) == path_flows([], 5) == []


def test_end_reasons_are_counted():
    first, *others = end_reasons(RUNS)

    assert (first.name, first.runs, first.share) == ("completed", 2, 0.5)
    assert len(others) == 2


@pytest.mark.parametrize(
    ("status", "source", "error", "expected"),
    [
        ("completed", None, "", "completed"),
        ("failed", "execution_error", "workflow_error", "failed: execution error, workflow error"),
        ("failed", None, "node_failure", "failed: node failure"),
        ("failed", None, "", "failed: unknown error"),
        ("aborted_looping_risk", None, "", "stopped: looping"),
        ("waiting_for_user_input", None, "", "waiting for user input"),
    ],
)
def test_end_reason_is_told_in_words(status, source, error, expected):
    assert end_reason(status, source, RunSummary(error_type=error)) == expected


def test_percentiles_are_between_values_in_proportion():
    assert percentiles([]) == ()
    assert percentiles([7.0]) == (7.0, 7.0, 7.0)
    assert percentiles([float(value) for value in range(101)]) == (50.0, 90.0, 95.0)


def test_percentiles_are_by_version_and_day():
    runs = [
        counted("1", version=10, day="2026-07-02", duration_ms=10.0, prompt_tokens=3, completion_tokens=1),
        counted("2", version=9, day="2026-07-01", duration_ms=None, working_ms=5.0),
        counted("3", version=10, day="2026-07-01", duration_ms=30.0),
    ]

    versions, days = by_version(runs), by_day(runs)

    assert [(row.group, row.runs, row.duration_ms[:1]) for row in versions] == [
        ("v9", 1, ()),
        ("v10", 2, (20.0,)),
    ]
    assert [(row.group, row.runs) for row in days] == [("2026-07-01", 2), ("2026-07-02", 1)]
    assert versions[1].tokens[0] == 2.0


@pytest.mark.parametrize(
    ("kind", "key", "found"),
    [
        ("reached", "b", ["1", "2"]),
        ("stopped", "c", ["1", "4"]),
        ("edge", "a-b", ["1", "2"]),
        ("reason", "failed: x", ["3"]),
    ],
)
def test_path_filter_chooses_runs(kind, key, found):
    assert [run.run_id for run in RUNS if PathFilter(kind, key).fits(run)] == found


def test_path_flows_count_steps():
    assert path_flows(RUNS, 1) == [Flow(1, "a", "b", 2), Flow(1, "a", "c", 1)]
    assert Flow(2, "b", "c", 1) in path_flows(RUNS, 2)

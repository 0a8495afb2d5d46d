from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from debugger.analysis.run_facts import RunSummary
from debugger.analysis.run_statistics import CountedRun, Flow, PathFilter, node_flows
from debugger.exports.csv_files import csv_bytes
from debugger.views.panels.runs.paths import sankey
from debugger.views.panels.runs.scope import RunsState, newest_runs
from debugger.views.panels.runs.statistics_tables import (
    node_table,
    percentile_table,
    problem_table,
    sort_places,
)
from debugger.views.run_state import Element, Selection
from tests.analysis.test_run_statistics import RUNS
from tests.views.bars import control
from tests.views.records import record_of
from tests.views.row_lists import choose, column, drawn, rows, use

NODES = "Statistics by nodes"


@pytest.fixture
def statistics(app):
    """Opens the statistics."""
    return lambda: control(app, "show_statistics").use()


def test_number_of_a_node_is_that_of_its_runs(app, backend, walks, statistics, listed):
    walks(30)
    app.run()
    statistics()
    [runs] = [row["runs"] for row in rows(app, NODES) if row["node_id"] == "price"]

    state_of(app).path = PathFilter("reached", "price", "reached Price")
    control(app, "show_list").use()

    assert not app.exception
    assert len(listed()) == int(runs)
    app.button("runs_path_clear").click().run()
    assert len(listed()) == 30


def state_of(app):
    return record_of(app, RunsState)


def test_statistics_without_runs_have_nothing_to_export(app, walks, statistics):
    app.run()
    statistics()
    assert control(app, "export_found").disabled
    assert control(app, "start_first").label == "Start a run"

    walks(1)
    control(app, "runs_refresh").use()

    assert not control(app, "export_found").disabled


def test_statistics_count_the_runs_of_the_filter(app, walks, statistics):
    walks(20)
    app.run()
    control(app, "runs_status").use("completed")
    statistics()

    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["Runs"] == metrics["Ended"]
    assert sum(map(int, column(app, "ended_here", NODES))) == int(metrics["Runs"])
    assert set(column(app, "wait_here", NODES)) == {"0"}


def test_head_sorts_a_table_and_row_lists_its_runs(app, walks, statistics, listed):
    walks(20)
    app.run()
    statistics()
    counted = column(app, "node", NODES)

    use(app, None, "runs", label=NODES)
    rising = [int(text) for text in column(app, "runs", NODES)]
    use(app, None, "runs", label=NODES)
    falling = [int(text) for text in column(app, "runs", NODES)]
    row = next(at for at, row in enumerate(rows(app, NODES)) if 0 < int(row["runs"]) < 20)
    target, runs = drawn(app, NODES)["rows"][row]["target"], falling[row]
    use(app, None, "runs", label=NODES)

    assert rising == sorted(rising)
    assert falling == sorted(falling, reverse=True)
    assert column(app, "node", NODES) == counted
    choose(app, target, NODES)
    assert len(listed()) == runs


def test_versions_are_sorted_by_their_numbers():
    versions = ["v1", "v10", "v2", None, "v3"]

    assert sort_places(versions, 5, descends=False) == [0, 2, 4, 1, 3]
    assert sort_places(versions, 5, descends=True) == [1, 4, 2, 0, 3]


def test_table_of_problems_lists_kinds_and_runs():
    runs = [
        CountedRun(str(number), 1, "completed", "2026-07-01", "completed", RunSummary(troubles=troubles))
        for number, troubles in enumerate(({"model": 3}, {"model": 1, "configuration": 2}, {}))
    ]

    table = problem_table(runs)

    assert table.rows == [("Model failed", 2, 2 / 3, 4), ("Configuration warning", 1, 1 / 3, 2)]
    assert [[path.fits(run) for run in runs] for path in table.paths] == [
        [True, True, False],
        [False, True, False],
    ]


@pytest.mark.parametrize("name", ["Edges", "Paths", "Ends", "Versions", "Days"])
def test_other_tables_are_drawn(app, walks, statistics, name):
    walks(10)
    app.run()
    statistics()

    app.segmented_control("statistics_table").set_value(name).run()

    assert not app.exception
    assert len(rows(app, f"Statistics by {name.lower()}")) > 1


def test_statistics_without_runs_tell_what_would_be_here(app, statistics):
    app.run()
    statistics()

    assert any("appear here" in caption.value for caption in app.caption)


def test_statistics_of_several_workflows_are_of_one(app, backend, walks, statistics):
    walks(6)
    walks(9)
    app.run()
    statistics()

    values = {metric.label: metric.value for metric in app.metric}
    assert values["Runs"] == "9"
    assert len(app.selectbox("statistics_workflow").options) == 2


def test_csv_has_the_numbers_of_the_table():
    table = node_table(node_flows(RUNS))

    rows = list(csv.DictReader(io.StringIO(csv_bytes(list(table.columns), table.rows).decode("utf-8-sig"))))

    assert [(row["node_id"], row["runs"], row["drop_off"]) for row in rows] == [
        ("a", "4", "0.25"),
        ("b", "2", "0.5"),
        ("c", "2", "1.0"),
    ]
    assert percentile_table("days", "day", []).rows == []


def test_sankey_has_a_node_for_each_step():
    [drawn] = sankey([Flow(1, "a", "b", 3), Flow(2, "b", "a", 2)], {"a": "Desk {b}", "b": "Book"})["series"]

    assert [(node["name"], node["depth"], node["label"]["formatter"]) for node in drawn["data"]] == [
        ("1. a", 0, "Desk (b)"),
        ("2. b", 1, "Book"),
        ("3. a", 2, "Desk (b)"),
    ]
    assert [(link["source"], link["target"], link["value"]) for link in drawn["links"]] == [
        ("1. a", "2. b", 3),
        ("2. b", "3. a", 2),
    ]


def test_paths_are_drawn(app, walks, statistics):
    walks(10)
    app.run()
    statistics()

    app.segmented_control("statistics_picture").set_value("Paths").run()

    assert not app.exception
    assert any("The first 6 steps" in caption.value for caption in app.caption)


def test_runs_of_an_unfinished_search_are_told(app, walks, statistics, monkeypatch):
    walks(4)

    def found(*args):
        return replace(newest_runs(*args), unread=7)

    monkeypatch.setattr("debugger.views.panels.runs.statistics.newest_runs", found)
    app.run()
    statistics()

    assert any("7 older runs could not be read in time" in each.value for each in app.caption)


def test_listed_runs_are_of_the_counted_workflow(app, walks, statistics, listed):
    walks(6)
    walks(9)
    app.run()
    statistics()
    record_of(app, Selection).choose(Element("node", "desk"))
    app.run()

    app.button("list_reached").click().run()

    assert not app.exception
    assert len(listed()) == 9


def test_workflows_of_one_name_can_be_chosen(app, walks, statistics):
    walks(5)
    walks(5)
    app.run()

    statistics()

    assert len(set(app.selectbox("statistics_workflow").options)) == 2

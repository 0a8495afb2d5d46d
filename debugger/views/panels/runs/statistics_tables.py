"""The numbers of many runs as tables and as CSV files."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import streamlit as st

from debugger.analysis.run_statistics import (
    PERCENTILES,
    CountedRun,
    EdgeFlow,
    NodeFlow,
    PathFilter,
    Percentiles,
    by_day,
    by_version,
    end_reasons,
    path_flows,
    trouble_counts,
)
from debugger.analysis.trouble import LABELS
from debugger.exports.csv_files import csv_bytes
from debugger.views import state
from debugger.views.audit import audited_file
from debugger.views.components.tables import ROW, table_height
from debugger.views.panels.runs.flow_graph import edge_filter, list_runs_on, reached_filter
from debugger.views.panels.runs.paths import STEPS
from debugger.views.panels.runs.scope import click_key

_TAB_KEY = "statistics_table"
_MOST_ROWS = 12


@dataclass(frozen=True)
class NumberTable:
    """One table of the statistics."""

    name: str
    """In the name of its file."""
    columns: dict[str, list[Any]]
    formats: dict[str, str] = field(default_factory=dict)
    """Formats of the columns of shares and times."""
    paths: list[PathFilter] | None = None
    """For each row the filter that a click on it sets."""

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """Return the values row by row."""
        return list(zip(*self.columns.values(), strict=True))


def node_table(nodes: Sequence[NodeFlow]) -> NumberTable:
    """Return for each node how many runs reached it, continued, ended or wait, and its drop-off.

    A click on a row lists the runs that reached the node.
    """
    columns: dict[str, list[Any]] = {
        "node": [flow.name for flow in nodes],
        "node_id": [flow.node for flow in nodes],
        "runs": [flow.reached for flow in nodes],
        "share": [flow.share for flow in nodes],
        "visits": [flow.visits for flow in nodes],
        "continued": [flow.continued for flow in nodes],
        "ended_here": [flow.ended for flow in nodes],
        "wait_here": [flow.waiting for flow in nodes],
        "drop_off": [flow.drop_off for flow in nodes],
    }
    formats = {"share": "percent", "drop_off": "percent"}
    return NumberTable("nodes", columns, formats, [reached_filter(flow) for flow in nodes])


def edge_table(edges: Sequence[EdgeFlow]) -> NumberTable:
    """Return for each edge its ends, its runs, how often it was taken, and its share of its source.

    A click on a row lists the runs that used the edge.
    """
    columns: dict[str, list[Any]] = {
        "from": [flow.source_name for flow in edges],
        "to": [flow.destination_name for flow in edges],
        "edge": [flow.label for flow in edges],
        "edge_id": [flow.edge for flow in edges],
        "runs": [flow.runs for flow in edges],
        "taken": [flow.taken for flow in edges],
        "share_of_source": [flow.share for flow in edges],
    }
    return NumberTable(
        "edges", columns, {"share_of_source": "percent"}, [edge_filter(flow) for flow in edges]
    )


def path_table(runs: Sequence[CountedRun], nodes: Sequence[NodeFlow]) -> NumberTable:
    """Return for each step and pair of nodes the number of runs that went from one to the other.

    The first `STEPS` steps count; rows of it cannot be clicked. A node without a name is named by its id.
    """
    names = {flow.node: flow.name for flow in nodes}
    flows = path_flows(runs, STEPS)
    columns: dict[str, list[Any]] = {
        "step": [flow.step for flow in flows],
        "from": [names.get(flow.source, flow.source) for flow in flows],
        "to": [names.get(flow.destination, flow.destination) for flow in flows],
        "from_id": [flow.source for flow in flows],
        "to_id": [flow.destination for flow in flows],
        "runs": [flow.runs for flow in flows],
    }
    return NumberTable("paths", columns)


def reason_table(runs: Sequence[CountedRun]) -> NumberTable:
    """Return how many runs ended for each reason, and their share of all.

    A click on a row lists the runs with that reason.
    """
    found = end_reasons(runs)
    columns: dict[str, list[Any]] = {
        "end": [reason.name for reason in found],
        "runs": [reason.runs for reason in found],
        "share": [reason.share for reason in found],
    }
    paths = [PathFilter("reason", reason.name, f"ended with: {reason.name}") for reason in found]
    return NumberTable("ends", columns, {"share": "percent"}, paths)


def problem_table(runs: Sequence[CountedRun]) -> NumberTable:
    """Return each kind of problem with its runs, share and times, warnings of the configuration too.

    A click on a row lists the runs that had it; without problems the table has no row.
    """
    found = trouble_counts(runs)
    columns: dict[str, list[Any]] = {
        "problem": [LABELS[each.kind] for each in found],
        "runs": [each.runs for each in found],
        "share": [each.share for each in found],
        "times": [each.times for each in found],
    }
    paths = [PathFilter("trouble", each.kind, f"had: {LABELS[each.kind]}") for each in found]
    return NumberTable("problems", columns, {"share": "percent"}, paths)


def percentile_table(name: str, group: str, found: Sequence[Percentiles]) -> NumberTable:
    """Return percentiles of durations, in seconds, and of tokens.

    ``duration_s`` is the time in which a run's turns were executed, ``elapsed_s`` the time from its first
    event to its last.
    """
    columns: dict[str, list[Any]] = {
        group: [row.group for row in found],
        "runs": [row.runs for row in found],
    }
    formats = {}
    for part, values, divisor in (
        ("duration_s", [row.working_ms for row in found], 1000),
        ("elapsed_s", [row.duration_ms for row in found], 1000),
        ("tokens", [row.tokens for row in found], 1),
    ):
        for place, percent in enumerate(PERCENTILES):
            column = f"{part}_p{percent}"
            columns[column] = [round(each[place] / divisor, 3) if each else None for each in values]
            formats[column] = "%.1f"
    return NumberTable(name, columns, formats)


def statistics_tables(
    runs: Sequence[CountedRun], nodes: Sequence[NodeFlow], edges: Sequence[EdgeFlow], workflow: str
) -> None:
    """Draw the choice of a table, its download as CSV, and the chosen table, at first that of nodes.

    Only the chosen table is made. A click on a row of a table that has filters lists its runs.
    """
    makers: dict[str, Callable[[], NumberTable]] = {
        "Nodes": lambda: node_table(nodes),
        "Edges": lambda: edge_table(edges),
        "Paths": lambda: path_table(runs, nodes),
        "Ends": lambda: reason_table(runs),
        "Problems": lambda: problem_table(runs),
        "Versions": lambda: percentile_table("versions", "version", by_version(runs)),
        "Days": lambda: percentile_table("days", "day", by_day(runs)),
    }
    state.begin_widget(_TAB_KEY, "Nodes")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="statistics_bar"):
        chosen = st.segmented_control(
            "Table", list(makers), key=_TAB_KEY, required=True, label_visibility="collapsed"
        )
        table = makers[str(chosen)]()
        _download(table, workflow)
        if table.paths is not None:
            st.caption("Click a row to list its runs.", width="content")
    _draw(table)


def _download(table: NumberTable, workflow: str) -> None:
    """Draw the button that downloads a table as CSV; the file is made, and audited, at the click.

    Its name has the table, the workflow and the time in UTC; a name without letters and digits is "workflow".
    """
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    slug = re.sub(r"[^a-z0-9]+", "-", workflow.lower()).strip("-")[:40] or "workflow"
    st.download_button(
        "CSV",
        key="statistics_csv",
        data=audited_file(
            lambda: csv_bytes(list(table.columns), table.rows), workflow, statistics=table.name
        ),
        file_name=f"statistics-{table.name}-{slug}-{now}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        help="The table below as a file",
    )


def _draw(table: NumberTable) -> None:
    """Draw a table; a click on a cell lists the runs of its row, where rows have filters."""
    columns = st.column_config
    key = click_key(f"statistics_{table.name}")
    config = {
        name: columns.NumberColumn(_title(name), format=table.formats[name])
        if name in table.formats
        else columns.Column(_title(name))
        for name in table.columns
    }
    st.dataframe(
        table.columns,
        key=key,
        hide_index=True,
        row_height=ROW,
        height=table_height(len(table.rows), _MOST_ROWS),
        on_select=partial(_clicked, key, table.paths) if table.paths is not None else "ignore",
        selection_mode="single-cell",
        column_config=config,
        placeholder="–",
        alt=f"Statistics by {table.name}: {len(table.rows)} rows",
    )


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _clicked(key: str, paths: Sequence[PathFilter]) -> None:
    held = state.widget(key)
    cells = held["selection"]["cells"] if held else []
    if cells and cells[0][0] < len(paths):
        list_runs_on(paths[cells[0][0]])

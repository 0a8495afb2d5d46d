"""The numbers of many runs as tables and as CSV files."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
)
from debugger.exports.csv_files import csv_bytes
from debugger.views import state
from debugger.views.audit import audited_file
from debugger.views.components.tables import ROW, table_height
from debugger.views.panels.runs.flow_graph import list_runs_on
from debugger.views.panels.runs.paths import STEPS
from debugger.views.panels.runs.scope import click_key

_TAB_KEY = "statistics_table"
_MOST_ROWS = 12


@dataclass(frozen=True)
class NumberTable:
    """One table of the statistics."""

    name: str
    """In the name of its file."""
    header: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    formats: dict[str, str]
    """Formats of the columns of shares and times."""
    paths: list[PathFilter] | None = None
    """For each row the filter that a click on it sets."""


def node_table(nodes: Sequence[NodeFlow]) -> NumberTable:
    """Return drop-off by node."""
    header = (
        "node",
        "node_id",
        "runs",
        "share",
        "visits",
        "continued",
        "ended_here",
        "wait_here",
        "drop_off",
    )
    rows = [
        (
            flow.name,
            flow.node,
            flow.reached,
            flow.share,
            flow.visits,
            flow.went_on,
            flow.ended,
            flow.waiting,
            flow.drop_off,
        )
        for flow in nodes
    ]
    paths = [PathFilter("reached", flow.node, f"reached {flow.name}") for flow in nodes]
    return NumberTable("nodes", header, rows, {"share": "percent", "drop_off": "percent"}, paths)


def edge_table(edges: Sequence[EdgeFlow]) -> NumberTable:
    """Return shares by edge."""
    header = ("from", "to", "edge", "edge_id", "runs", "taken", "share_of_source")
    rows = [
        (
            flow.source_name,
            flow.destination_name,
            flow.label,
            flow.edge,
            flow.runs,
            flow.taken,
            flow.share,
        )
        for flow in edges
    ]
    paths = [
        PathFilter("edge", flow.edge, f"used {flow.source_name} → {flow.destination_name}") for flow in edges
    ]
    return NumberTable("edges", header, rows, {"share_of_source": "percent"}, paths)


def path_table(runs: Sequence[CountedRun], nodes: Sequence[NodeFlow]) -> NumberTable:
    """Return the runs that went from one step to the next."""
    names = {flow.node: flow.name for flow in nodes}
    rows = [
        (
            flow.step,
            names.get(flow.source, flow.source),
            names.get(flow.destination, flow.destination),
            flow.source,
            flow.destination,
            flow.runs,
        )
        for flow in path_flows(runs, STEPS)
    ]
    return NumberTable("paths", ("step", "from", "to", "from_id", "to_id", "runs"), rows, {})


def reason_table(runs: Sequence[CountedRun]) -> NumberTable:
    """Return the reasons of ends."""
    found = end_reasons(runs)
    rows = [(reason.name, reason.runs, reason.share) for reason in found]
    paths = [PathFilter("reason", reason.name, f"ended with: {reason.name}") for reason in found]
    return NumberTable("ends", ("end", "runs", "share"), rows, {"share": "percent"}, paths)


def percentile_table(name: str, group: str, found: Sequence[Percentiles]) -> NumberTable:
    """Return percentiles of durations, in seconds, and of tokens.

    The duration of a run is that of its turns; from its first event to its last, time elapsed.
    """
    parts = ("duration_s", "elapsed_s", "tokens")
    header = (group, "runs", *(f"{part}_p{percent}" for part in parts for percent in PERCENTILES))
    rows = [
        (
            row.group,
            row.runs,
            *_three(row.working_ms, 1000),
            *_three(row.duration_ms, 1000),
            *_three(row.tokens, 1),
        )
        for row in found
    ]
    formats = dict.fromkeys(header[2:], "%.1f")
    return NumberTable(name, header, rows, formats)


def _three(values: tuple[float, ...], divisor: int) -> tuple[float | None, ...]:
    return tuple(round(value / divisor, 3) for value in values) or (None,) * len(PERCENTILES)


def statistics_tables(
    runs: Sequence[CountedRun], nodes: Sequence[NodeFlow], edges: Sequence[EdgeFlow], workflow: str
) -> None:
    """Draw the tables, one at a time, with their files."""
    makers: dict[str, Callable[[], NumberTable]] = {
        "Nodes": lambda: node_table(nodes),
        "Edges": lambda: edge_table(edges),
        "Paths": lambda: path_table(runs, nodes),
        "Ends": lambda: reason_table(runs),
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
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    slug = re.sub(r"[^a-z0-9]+", "-", workflow.lower()).strip("-")[:40] or "workflow"
    st.download_button(
        "CSV",
        key="statistics_csv",
        data=audited_file(lambda: csv_bytes(table.header, table.rows), workflow, statistics=table.name),
        file_name=f"statistics-{table.name}-{slug}-{now}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        help="The table below as a file",
    )


def _draw(table: NumberTable) -> None:
    columns = st.column_config
    key = click_key(f"statistics_{table.name}")
    config = {
        name: columns.NumberColumn(_title(name), format=table.formats[name])
        if name in table.formats
        else columns.Column(_title(name))
        for name in table.header
    }
    st.dataframe(
        {name: [row[place] for row in table.rows] for place, name in enumerate(table.header)},
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

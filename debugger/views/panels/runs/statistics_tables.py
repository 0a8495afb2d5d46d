"""The numbers of many runs as tables and as CSV files."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import streamlit as st

from debugger.analysis.metrics import percent
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
from debugger.protocol.natural_order import natural_key
from debugger.views import state
from debugger.views.audit import audited_file
from debugger.views.components.rows import Cell, Column, estimate_width, rows_list, table
from debugger.views.panels.runs.flow_graph import edge_filter, list_runs_on, reached_filter
from debugger.views.panels.runs.paths import STEPS

_TAB_KEY = "statistics_table"
_MOST_ROWS = 16
_SHARE = "%"
"""The format of a share."""
_WIDEST = 320
"""Pixels of a column that does not grow."""


@dataclass
class StatisticsOrder:
    """The column that sorts each table, by the table's name, and whether downwards."""

    by: dict[str, tuple[str, bool]] = field(default_factory=dict)


@dataclass(frozen=True)
class NumberTable:
    """One table of the statistics."""

    name: str
    """In the name of its file."""
    columns: dict[str, list[Any]]
    formats: dict[str, str] = field(default_factory=dict)
    """Formats of the columns of shares, and of times as `format` takes them."""
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
    formats = {"share": _SHARE, "drop_off": _SHARE}
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
    return NumberTable("edges", columns, {"share_of_source": _SHARE}, [edge_filter(flow) for flow in edges])


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
    return NumberTable("ends", columns, {"share": _SHARE}, paths)


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
    return NumberTable("problems", columns, {"share": _SHARE}, paths)


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
        for place, level in enumerate(PERCENTILES):
            column = f"{part}_p{level}"
            columns[column] = [round(each[place] / divisor, 3) if each else None for each in values]
            formats[column] = ",.1f"
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
        numbers = makers[str(chosen)]()
        _download(numbers, workflow)
        if numbers.paths is not None:
            st.caption("Click a row to list its runs.", width="content")
    _draw(numbers)


def _download(numbers: NumberTable, workflow: str) -> None:
    """Draw the button that downloads a table as CSV; the file is made, and audited, at the click.

    Its name has the table, the workflow and the time in UTC; a name without letters and digits is "workflow".
    """
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    slug = re.sub(r"[^a-z0-9]+", "-", workflow.lower()).strip("-")[:40] or "workflow"
    st.download_button(
        "CSV",
        key="statistics_csv",
        data=audited_file(
            lambda: csv_bytes(list(numbers.columns), numbers.rows), workflow, statistics=numbers.name
        ),
        file_name=f"statistics-{numbers.name}-{slug}-{now}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        help="The table below as a file",
    )


def _draw(numbers: NumberTable) -> None:
    """Draw a table; a click on a head sorts it, one on a row lists its runs where the table has filters."""
    orders = state.record(StatisticsOrder).by
    name, descends = orders.get(numbers.name, ("", False))
    columns = [
        _column(numbers, each, is_first=at == 0, descends=descends if each == name else None)
        for at, each in enumerate(numbers.columns)
    ]
    shown = table(
        f"Statistics by {numbers.name}",
        sort_places(numbers.columns.get(name), len(numbers.rows), descends=descends),
        columns,
        lambda at: str(at) if numbers.paths is not None else None,
    )
    rows_list(
        f"statistics_{numbers.name}",
        shown,
        on_choose=partial(_list_runs, numbers.paths) if numbers.paths is not None else None,
        on_use=lambda _, column, __: _sort(numbers.name, column),
        most=_MOST_ROWS,
        keeps=True,  # the second click of a double click takes nothing back
    )


def _column(
    numbers: NumberTable, name: str, *, is_first: bool, descends: bool | None
) -> tuple[Column, Callable[[int], Cell]]:
    """Return a column with what makes its cell of a row's place; ``None`` where it does not sort the rows."""
    texts = [_text(value, numbers.formats.get(name, "")) for value in numbers.columns[name]]
    title = name.replace("_", " ").capitalize()
    is_number = any(isinstance(value, int | float) for value in numbers.columns[name])
    width = min(estimate_width([*texts, f"{title} ↓"]), _WIDEST)
    column = Column(
        name,
        title,
        width,
        kind="number" if is_number else "text",
        grows=is_first,
        sort="none" if descends is None else "descending" if descends else "ascending",
    )
    return column, texts.__getitem__


def _text(value: Any, form: str) -> str:
    """Return a value as it is shown; a dash where there is none."""
    if value is None:
        return "–"
    if form == _SHARE:
        return percent(value)
    return format(value, form or ",") if isinstance(value, int | float) else str(value)


def sort_places(values: Sequence[Any] | None, rows: int, *, descends: bool) -> list[int]:
    """Return the places of the rows in the order of a column's values, those without one last."""
    places = list(range(rows))
    if values is None:
        return places
    known = [at for at in places if values[at] is not None]
    known.sort(key=lambda at: _order(values[at]), reverse=descends)
    return known + [at for at in places if values[at] is None]


def _order(value: Any) -> list[tuple[int, float, str]]:
    """Return a value to sort by: numbers by their size, also those in a text, and words in any case."""
    if isinstance(value, int | float):
        return [(0, value, "")]
    return natural_key(str(value))


def _sort(table_name: str, column: str) -> None:
    """Sort by a column: upwards, downwards, then as counted again."""
    orders = state.record(StatisticsOrder).by
    by, descends = orders.get(table_name, ("", False))
    orders[table_name] = ("", False) if by == column and descends else (column, by == column)


def _list_runs(paths: Sequence[PathFilter], place: Any) -> None:
    """List the runs of a row; nothing happens where the table has no such row any more."""
    if str(place).isdecimal() and int(place) < len(paths):
        list_runs_on(paths[int(place)])

"""Tokens and latency of the run, by node and by turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from debugger.analysis.metrics import NodeMetrics, RunMetrics, Spread, node_metrics, run_metrics
from debugger.analysis.steps import TurnRow
from debugger.views import state
from debugger.views.components.markdown import count
from debugger.views.components.tables import ROW, Pager, pager, table_height
from debugger.views.components.toolbar import Item, SegmentedControl, Text
from debugger.views.run_view import RunView

_BY_KEY, _BY = "metrics_by", ("By node", "By turn")
_MOST_ROWS = 9


def metrics_line(view: RunView) -> list[Item]:
    """Return the run's totals and the choice of breakdown."""
    state.begin_widget(_BY_KEY, _BY[0])
    by = SegmentedControl(_BY_KEY, "Metrics", _BY)
    if not view.projections.steps:
        return [by]
    whole = view.memo("run metrics", lambda: run_metrics(view.projections.turn_rows, view.projections.steps))
    pages = _page(view).items if state.widget(_BY_KEY) == _BY[1] else []
    return [by, Text(_run_words(whole)), *pages]


def _page(view: RunView) -> Pager:
    return pager("metrics_turns", len(view.projections.turn_rows), view.session)


def metrics(view: RunView) -> None:
    """Draw the table."""
    if not view.projections.steps:
        st.caption("What nodes and models took and used appears here: start the run to see some.")
    elif state.widget(_BY_KEY) == _BY[1]:
        page = _page(view)
        _turns(view.projections.turn_rows[page.first : page.end])
    else:
        _nodes(view.memo("node metrics", lambda: node_metrics(view.projections.steps)))


def _run_words(whole: RunMetrics) -> str:
    parts = [count(whole.turns, "turn"), count(whole.node_runs, "node run"), count(whole.calls, "model call")]
    if whole.time:
        parts.append(f"{_time(whole.time.total)} in turns, {_time(whole.time.median)} in the median")
    if whole.latency:
        parts.append(f"{_time(whole.latency.total)} in models")
    tokens = f"{whole.prompt_tokens:,} in, {whole.completion_tokens:,} out"
    return " · ".join([*parts, f"{count(whole.total_tokens, 'token')} ({tokens})"])


def _nodes(rows: Sequence[NodeMetrics]) -> None:
    columns = st.column_config
    st.dataframe(
        {
            "node": [row.node_name for row in rows],
            "runs": [row.runs for row in rows],
            "failures": [row.failures for row in rows],
            "share": [row.share for row in rows],
            "total": [_of(row.time, "total") for row in rows],
            "median": [_of(row.time, "median") for row in rows],
            "highest": [_of(row.time, "highest") for row in rows],
            "calls": [row.calls for row in rows],
            "latency": [_of(row.latency, "median") for row in rows],
            "in": [row.prompt_tokens for row in rows],
            "out": [row.completion_tokens for row in rows],
            "tokens": [row.total_tokens for row in rows],
        },
        key="metrics_nodes",
        height=table_height(len(rows), _MOST_ROWS),
        row_height=ROW,
        hide_index=True,
        column_config={
            "node": columns.TextColumn("Node", width=170),
            "runs": columns.NumberColumn("Runs", width=64),
            "failures": columns.NumberColumn("Failures", width=72),
            "share": columns.ProgressColumn(
                "Share", width=120, format="percent", help="Of the time of all node runs"
            ),
            "total": _milliseconds("Total", "Of all its runs"),
            "median": _milliseconds("Median", "Of a run"),
            "highest": _milliseconds("Longest", "Of a run"),
            "calls": columns.NumberColumn("Model calls", width=88),
            "latency": _milliseconds("Latency", "Of a model call, in the median"),
            "in": columns.NumberColumn("Tokens in", width=84),
            "out": columns.NumberColumn("Tokens out", width=88),
            "tokens": columns.NumberColumn("Tokens", width=76),
        },
        placeholder="",
        alt="Metrics by node: runs, failures, time, model calls, latency and tokens",
    )


def _turns(rows: Sequence[TurnRow]) -> None:
    columns = st.column_config
    st.dataframe(
        {
            "turn": [row.number for row in rows],
            "user": [row.user for row in rows],
            "took": [row.duration_ms for row in rows],
            "steps": [row.steps for row in rows],
            "calls": [row.calls for row in rows],
            "tokens": [row.tokens for row in rows],
            "failures": [row.failures for row in rows],
            "warnings": [row.warnings for row in rows],
        },
        key="metrics_turns",
        height=table_height(len(rows), _MOST_ROWS),
        row_height=ROW,
        hide_index=True,
        column_config={
            "turn": columns.NumberColumn("Turn", width=56),
            "user": columns.TextColumn("User", width=320),
            "took": _milliseconds("Took", "End to end"),
            "steps": columns.NumberColumn("Steps", width=64),
            "calls": columns.NumberColumn("Model calls", width=88),
            "tokens": columns.NumberColumn("Tokens", width=76),
            "failures": columns.NumberColumn("Failures", width=72),
            "warnings": columns.NumberColumn("Warnings", width=76),
        },
        placeholder="",
        alt="Metrics by turn: duration, steps, model calls, tokens, failures and warnings",
    )


def _milliseconds(label: str, parts: str) -> Any:
    return st.column_config.NumberColumn(label, width=88, format="%.1f ms", help=parts)


def _of(spread: Spread | None, name: str) -> float | None:
    value: float | None = getattr(spread, name) if spread else None
    return value


def _time(milliseconds: float) -> str:
    return f"{milliseconds / 1000:,.1f} s" if milliseconds >= 1000 else f"{milliseconds:,.0f} ms"

"""Tokens and latency of the run up to the cursor, by node and by turn."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from debugger.analysis.metrics import NodeMetrics, RunMetrics, Spread, node_metrics, percent, run_metrics
from debugger.analysis.run_moment import steps_until
from debugger.analysis.steps import Step, TurnRow
from debugger.views import state
from debugger.views.components.markdown import count
from debugger.views.components.rows import Cell, Column, rows_list, table
from debugger.views.components.tables import draw_pager, pager
from debugger.views.components.toolbar import Item, SegmentedControl, Text
from debugger.views.run_view import RunView

_BY_KEY, _BY = "metrics_by", ("By node", "By turn")


def metrics_line(view: RunView) -> list[Item]:
    """Return the run's totals and the choice of breakdown."""
    state.begin_widget(_BY_KEY, _BY[0])
    by = SegmentedControl(_BY_KEY, "Metrics", _BY)
    turns, steps = _turns_and_steps(view)
    if not steps:
        return [by]
    whole = view.memo_here("run metrics", lambda: run_metrics(turns, steps))
    return [by, Text(_run_words(whole))]


def metrics(view: RunView) -> None:
    """Draw the table."""
    turns, steps = _turns_and_steps(view)
    if not steps:
        st.caption("What nodes and models took and used appears here: start the run to see some.")
    elif state.widget(_BY_KEY) == _BY[1]:
        page = pager("metrics_turns", len(turns), view.session)
        _turns(turns[page.first : page.end])
        draw_pager("metrics_pages", page)
    else:
        _nodes(view.memo_here("node metrics", lambda: node_metrics(steps)))


def _turns_and_steps(view: RunView) -> tuple[Sequence[TurnRow], Sequence[Step]]:
    if not view.is_past:
        return view.projections.turn_rows, view.projections.steps
    return view.memo_here("steps until", lambda: steps_until(view.projections, view.last))


def _run_words(whole: RunMetrics) -> str:
    parts = [count(whole.turns, "turn"), count(whole.node_runs, "node run"), count(whole.calls, "model call")]
    if whole.time:
        parts.append(f"{_time(whole.time.total)} in turns, median {_time(whole.time.median)}")
    if whole.latency:
        parts.append(f"{_time(whole.latency.total)} in models")
    tokens = f"{whole.prompt_tokens:,} in, {whole.completion_tokens:,} out"
    return " · ".join([*parts, f"{count(whole.total_tokens, 'token')} ({tokens})"])


def _nodes(rows: Sequence[NodeMetrics]) -> None:
    shown = table(
        "Metrics by node: runs, failures, time, model calls, latency and tokens",
        rows,
        [
            (Column("node", "Node", 130, grows=True), lambda row: row.node_name),
            (_number("runs", "Runs", 46), lambda row: f"{row.runs:,}"),
            (_number("failures", "Failures", 58), lambda row: f"{row.failures:,}"),
            (
                Column("share", "Share", 92, "bar", help="Of the time of all node runs"),
                lambda row: (percent(row.share), row.share),
            ),
            (_number("total", "Total", 70, "Of all its runs"), lambda row: _of(row.time, "total")),
            (_number("median", "Median", 66, "Of a run"), lambda row: _of(row.time, "median")),
            (_number("highest", "Longest", 66, "Of a run"), lambda row: _of(row.time, "highest")),
            (_number("calls", "Calls", 42, "Model calls"), lambda row: f"{row.calls:,}"),
            (
                _number("latency", "Latency", 66, "Of a model call, median"),
                lambda row: _of(row.latency, "median"),
            ),
            (_number("in", "In", 40, "Tokens in"), lambda row: f"{row.prompt_tokens:,}"),
            (_number("out", "Out", 42, "Tokens out"), lambda row: f"{row.completion_tokens:,}"),
            (_number("tokens", "Tokens", 54), lambda row: f"{row.total_tokens:,}"),
        ],
    )
    rows_list("metrics_nodes", shown, fills=True)


def _turns(rows: Sequence[TurnRow]) -> None:
    shown = table(
        "Metrics by turn: duration, steps, model calls, tokens, failures and warnings",
        rows,
        [
            (_number("turn", "Turn", 44), lambda row: str(row.number)),
            (Column("user", "User", 200, grows=True), lambda row: row.user),
            (
                _number("took", "Duration", 84, "End to end"),
                lambda row: None if row.duration_ms is None else f"{row.duration_ms:,.1f} ms",
            ),
            (_number("steps", "Steps", 54), lambda row: f"{row.steps:,}"),
            (_number("calls", "Calls", 54, "Model calls"), lambda row: f"{row.calls:,}"),
            (_number("tokens", "Tokens", 64), lambda row: f"{row.tokens:,}"),
            (_number("failures", "Failures", 66), lambda row: f"{row.failures:,}"),
            (_number("warnings", "Warnings", 70), lambda row: f"{row.warnings:,}"),
        ],
    )
    rows_list("metrics_turns", shown, fills=True)


def _number(name: str, label: str, width: int, hint: str = "") -> Column:
    return Column(name, label, width, "number", help=hint)


def _of(spread: Spread | None, name: str) -> Cell:
    return f"{getattr(spread, name):,.1f} ms" if spread else None


def _time(milliseconds: float) -> str:
    return f"{milliseconds / 1000:,.1f} s" if milliseconds >= 1000 else f"{milliseconds:,.0f} ms"

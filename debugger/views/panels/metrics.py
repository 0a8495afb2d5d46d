"""Tokens and latency up to the cursor, by node and by turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from debugger.analysis.metrics import (
    NodeMetrics,
    RunMetrics,
    Spread,
    costs,
    node_metrics,
    percent,
    run_metrics,
)
from debugger.analysis.run_moment import steps_until
from debugger.analysis.steps import ModelCall, Step, TurnRow
from debugger.settings import ModelPrice, read_settings
from debugger.views import state
from debugger.views.components.markdown import count
from debugger.views.components.rows import Cell, Column, Columns, rows_list, table
from debugger.views.components.tables import draw_pager, pager
from debugger.views.components.toolbar import Colour, Item, SegmentedControl, Text, Toggle
from debugger.views.help_links import empty_state
from debugger.views.panels.timeline import background_column
from debugger.views.run_view import RunView

_BY_KEY, _BY = "metrics_by", ("By node", "By turn")
_TABLE = Toggle("metrics_table", "Table", help="All numbers instead of the bars")

Row = TypeVar("Row", NodeMetrics, TurnRow)


def metrics_line(view: RunView) -> list[Item]:
    """Return the run's totals, and the choices of breakdown and table.

    Without steps up to the cursor there are the choices alone. Sets the first value of the session key
    `metrics_by`, by node.
    """
    state.begin_widget(_BY_KEY, _BY[0])
    choices: list[Item] = [SegmentedControl(_BY_KEY, "Metrics", _BY), _TABLE]
    turns, steps = _turns_and_steps(view)
    if not steps:
        return choices
    whole = view.memo_here("run metrics", lambda: run_metrics(turns, steps))
    cost = _cost_words([call for step in steps for call in step.calls], read_settings().model_prices)
    return [*choices, Text(_run_words(whole, cost))]


def metrics(view: RunView) -> None:
    """Draw the bars, or the table, by node or by turn as of the cursor; a hint without steps.

    By turn a page of the turns is drawn, with the buttons that turn it.
    """
    turns, steps = _turns_and_steps(view)
    prices = read_settings().model_prices
    if not steps:
        empty_state(
            "Time and tokens of nodes and models appear here: start the run to see some.",
            "stepping#the-timeline",
        )
    elif state.widget(_BY_KEY) == _BY[1]:
        page = pager("metrics_turns", len(turns), view.session)
        shown = turns[page.first : page.end]
        if state.widget(_TABLE.key):
            _turn_table(shown, steps, prices)
        else:
            _turn_bars(shown, turns)
        draw_pager("metrics_pages", page)
    else:
        nodes = view.memo_here("node metrics", lambda: node_metrics(steps))
        if state.widget(_TABLE.key):
            _node_table(nodes, steps, prices)
        else:
            _node_bars(nodes)


def _turns_and_steps(view: RunView) -> tuple[Sequence[TurnRow], Sequence[Step]]:
    if not view.is_past:
        return view.projections.turn_rows, view.projections.steps
    return view.memo_here("steps until", lambda: steps_until(view.projections, view.last))


def _run_words(whole: RunMetrics, cost: str) -> str:
    """Return the totals of a run in words; times and costs that are none or zero are left out."""
    parts = [count(whole.turns, "turn"), count(whole.node_runs, "node run"), count(whole.calls, "model call")]
    if whole.time and (total := _time(whole.time.total)):
        parts.append(f"{total} in turns, median {_time(whole.time.median) or '0 ms'}")
    if whole.latency and (total := _time(whole.latency.total)):
        parts.append(f"{total} in models")
    tokens = f"{whole.prompt_tokens:,} in, {whole.completion_tokens:,} out"
    return " · ".join([*parts, f"{count(whole.total_tokens, 'token')} ({tokens})", *filter(None, [cost])])


def _cost_words(calls: Sequence[ModelCall], prices: Sequence[ModelPrice]) -> str:
    """Return the costs of model calls as text; empty where nothing has a price.

    Without prices it is empty; with some, the number of calls without a price is added, or given alone.
    """
    found = costs(calls, prices)
    if not prices or not (found.by_currency or found.unpriced):
        return ""
    missing = f"{count(found.unpriced, 'call')} without a price" if found.unpriced else ""
    return ", ".join(filter(None, [str(found), missing]))


def _node_bars(rows: Sequence[NodeMetrics]) -> None:
    """Draw a list with the duration of a run of each node, p50 and p95, as bars on one scale."""
    longest = max((row.time.p95 for row in rows if row.time), default=0.0)
    columns: Columns[NodeMetrics] = [
        (Column("node", "Node", 120, grows=True), lambda row: row.node_name),
        _bar("p50_bar", "Run, p50", lambda row: row.time.median if row.time else None, longest, "blue"),
        (
            _number("p50", "p50", 66, "Half of its runs lasted at most this"),
            lambda row: _of(row.time, "median"),
        ),
        _bar("p95_bar", "Run, p95", lambda row: row.time.p95 if row.time else None, longest, "violet"),
        (_number("p95", "p95", 66, "95 of 100 runs lasted at most this"), lambda row: _of(row.time, "p95")),
        (_number("runs", "Runs", 50), lambda row: f"{row.runs:,}"),
    ]
    rows_list("metrics_nodes", table("Duration of a run by node: p50 and p95", rows, columns), fills=True)


def _turn_bars(rows: Sequence[TurnRow], every: Sequence[TurnRow]) -> None:
    """Draw a page of the turns, on the scale of all, with a bar for the duration and one for the tokens."""
    longest = max((row.duration_ms or 0.0 for row in every), default=0.0)
    most = max((row.tokens for row in every), default=0)
    columns: Columns[TurnRow] = [
        (_number("turn", "Turn", 44), lambda row: str(row.number)),
        *background_column(rows),
        (Column("user", "User", 120, grows=True), lambda row: row.user),
        _bar("took_bar", "Duration", lambda row: row.duration_ms, longest, "blue"),
        (_number("took", "", 70, "End to end"), _turn_time),
        _bar("tokens_bar", "Tokens", lambda row: row.tokens, most, "violet"),
        (_number("tokens", "", 60, "In and out"), lambda row: f"{row.tokens:,}"),
    ]
    rows_list("metrics_turns", table("Duration and tokens by turn", rows, columns), fills=True)


def _bar(
    name: str, label: str, value: Callable[[Row], float | None], most: float, colour: Colour
) -> tuple[Column, Callable[[Row], Cell]]:
    """Return a column of bars; their values are in the column after it.

    A cell is empty without a value, for zero, and where the longest is zero.
    """

    def cell(row: Row) -> Cell:
        length = (value(row) or 0.0) / most if most else 0.0
        return ("", 0.0, length, colour) if length else None

    return Column(name, label, 110, "span", grows=True), cell


def _node_table(rows: Sequence[NodeMetrics], steps: Sequence[Step], prices: Sequence[ModelPrice]) -> None:
    """Draw the table of all numbers by node; with prices it has the costs as well.

    With prices each row's node has to be among the steps, else `KeyError` is raised.
    """
    columns: Columns[NodeMetrics] = [
        (Column("node", "Node", 110, grows=True), lambda row: row.node_name),
        (_number("runs", "Runs", 46), lambda row: f"{row.runs:,}"),
        (_number("failures", "Failed", 52), lambda row: f"{row.failures:,}"),
        (
            Column("share", "Share", 92, "bar", help="Of the time of all node runs"),
            lambda row: (percent(row.share), row.share),
        ),
        (_number("total", "Total", 58, "Of all its runs"), lambda row: _of(row.time, "total")),
        (_number("median", "p50", 58, "Of a run"), lambda row: _of(row.time, "median")),
        (_number("p95", "p95", 58, "Of a run"), lambda row: _of(row.time, "p95")),
        (_number("highest", "Longest", 58, "Of a run"), lambda row: _of(row.time, "highest")),
        (_number("calls", "Calls", 44, "Model calls"), lambda row: f"{row.calls:,}"),
        (
            _number("latency", "Latency", 58, "Of a model call, median"),
            lambda row: _of(row.latency, "median"),
        ),
        (_number("in", "In", 42, "Tokens in"), lambda row: f"{row.prompt_tokens:,}"),
        (_number("out", "Out", 42, "Tokens out"), lambda row: f"{row.completion_tokens:,}"),
        (_number("tokens", "Tokens", 54), lambda row: f"{row.total_tokens:,}"),
    ]
    if prices:
        by_node: dict[str, list[ModelCall]] = {}
        for step in steps:
            by_node.setdefault(step.node_logical_id or "", []).extend(step.calls)
        columns.append((_cost_column(), lambda row: _cost_words(by_node[row.node_logical_id], prices)))
    label = "Metrics by node: runs, failures, time, model calls, latency and tokens"
    rows_list("metrics_nodes", table(label, rows, columns), fills=True)


def _turn_table(rows: Sequence[TurnRow], steps: Sequence[Step], prices: Sequence[ModelPrice]) -> None:
    """Draw the table of all numbers by turn; with prices it has the costs as well.

    A turn without steps has empty costs.
    """
    columns: Columns[TurnRow] = [
        (_number("turn", "Turn", 44), lambda row: str(row.number)),
        *background_column(rows),
        (Column("user", "User", 200, grows=True), lambda row: row.user),
        (_number("took", "Duration", 84, "End to end"), _turn_time),
        (_number("steps", "Steps", 54), lambda row: f"{row.steps:,}"),
        (_number("calls", "Calls", 54, "Model calls"), lambda row: f"{row.calls:,}"),
        (_number("tokens", "Tokens", 64), lambda row: f"{row.tokens:,}"),
        (_number("failures", "Failures", 66), lambda row: f"{row.failures:,}"),
        (_number("warnings", "Warnings", 70), lambda row: f"{row.warnings:,}"),
    ]
    if prices:
        by_place: dict[int, list[ModelCall]] = {}
        for step in steps:
            by_place.setdefault(step.place, []).extend(step.calls)
        columns.append((_cost_column(), lambda row: _cost_words(by_place.get(row.place, []), prices)))
    label = "Metrics by turn: duration, steps, model calls, tokens, failures and warnings"
    rows_list("metrics_turns", table(label, rows, columns), fills=True)


def _cost_column() -> Column:
    return Column("cost", "Cost", 100, "number", help="By the prices in the settings")


def _number(name: str, label: str, width: int, hint: str = "") -> Column:
    return Column(name, label, width, "number", help=hint)


def _turn_time(row: TurnRow) -> Cell:
    return None if row.duration_ms is None else _time(row.duration_ms)


def _of(spread: Spread | None, name: str) -> Cell:
    return _time(getattr(spread, name)) if spread else None


def _time(milliseconds: float) -> str | None:
    """Return a duration in seconds or milliseconds; ``None`` for one that is shown as zero."""
    if milliseconds < 0.05:
        return None
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:,.1f} s"
    return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"

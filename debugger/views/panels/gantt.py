"""Gantt chart of one turn: node runs, model calls, outside calls, pauses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from debugger.analysis.gantt import Bar, bars
from debugger.analysis.steps import TurnRow
from debugger.views import actions, refresh, state
from debugger.views.components.markdown import count
from debugger.views.components.tables import ROW, table_height
from debugger.views.components.toolbar import Item, SegmentedControl, Text
from debugger.views.run_view import RunView

_KEY = "gantt"
_VIEW_KEY, _VIEWS = "gantt_view", ("Chart", "Table")
_TABLE_KEY = "gantt_table"
_BARS_KEY = "gantt_events"
_PICKED = "bar"
"""The chart's selection."""
_KINDS = ("node run", "model call", "call outside", "pause")
_MOST_ROWS = 9
_LANE, _MOST = 36, 440
_AROUND = 118
"""Heights in pixels; the last is that of legend, axis and its title."""


def turn_on_view(view: RunView) -> TurnRow | None:
    """Return the turn whose chart is drawn, or ``None``."""
    if not view.projections.turn_rows:
        return None
    return view.projections.turn_rows[-1 if view.event is None else view.rows[view.event].place]


def gantt_line(turn: TurnRow | None) -> list[Item]:
    """Return the turn's summary and the choice of chart or table."""
    if turn is None:
        return []
    state.begin_widget(_VIEW_KEY, _VIEWS[0])
    what = f"Background work after turn {turn.number}" if turn.is_background else f"Turn {turn.number}"
    took = [] if turn.duration_ms is None else [f"{turn.duration_ms:,.1f} ms"]
    paused = sum(pause.ended_at - pause.began_at for pause in turn.pauses)
    waits = [f"{paused:,.1f} s paused"] if turn.pauses else []
    parts = [what, *took, *waits, count(turn.steps, "step"), count(turn.calls, "model call")]
    return [SegmentedControl(_VIEW_KEY, "Gantt as", _VIEWS), Text(" · ".join(parts))]


def gantt(view: RunView, turn: TurnRow | None) -> None:
    """Draw the chart of a turn, or its table."""
    if turn is None:
        st.caption("How long each step of a turn took appears here as bars: start the run to see some.")
        return
    drawn = view.memo(("gantt", turn.place), lambda: _bars(view, turn))
    if not drawn:
        st.caption("No event of this turn tells how long something took.")
    elif state.widget(_VIEW_KEY) == "Table":
        _table(drawn)
    else:
        _chart(drawn, turn, view)


def _bars(view: RunView, turn: TurnRow) -> list[Bar]:
    of_event = view.projections.step_of_event[turn.first : turn.first + turn.events]
    steps = [view.projections.steps[at] for at in sorted(set(of_event) - {-1})]
    effects = [
        effect
        for effect in view.effects
        if (effect.turn_number, effect.is_background) == (turn.number, turn.is_background)
    ]
    return bars(steps, effects, turn.pauses)


def _chart(drawn: Sequence[Bar], turn: TurnRow, view: RunView) -> None:
    lanes = list(dict.fromkeys(bar.lane for bar in drawn))
    st.vega_lite_chart(
        {
            "lane": [bar.lane for bar in drawn],
            "kind": [bar.kind for bar in drawn],
            "what": [bar.name for bar in drawn],
            "begin": [round(bar.begin_ms, 3) for bar in drawn],
            "end": [round(bar.end_ms, 3) for bar in drawn],
            "took": [round(bar.duration_ms, 3) for bar in drawn],
            "outcome": ["failed" if bar.is_failure else "ok" for bar in drawn],
            "event": [bar.index for bar in drawn],
            "when": [_when(bar, view) for bar in drawn],
        },
        _spec(lanes, [kind for kind in _KINDS if kind in {bar.kind for bar in drawn}]),
        key=_KEY,
        height=min(_LANE * len(lanes) + _AROUND, _MOST),
        width="stretch",
        on_select=refresh.refreshing("look", _choose_bar),
        selection_mode=_PICKED,
        alt=f"Gantt chart of turn {turn.number}: {len(drawn)} bars in {len(lanes)} lanes; also as a table",
    )


def _when(bar: Bar, view: RunView) -> str:
    if bar.index is None or view.event is None:
        return "up to here"
    if bar.index == view.event:
        return "chosen"
    return "later" if bar.index > view.event else "up to here"


def _choose_bar() -> None:
    held = state.widget(_KEY)
    picked = held["selection"].get(_PICKED) if held else None
    event = picked[0].get("event") if picked else None
    if isinstance(event, int):
        actions.select_event(event)


def _spec(lanes: Sequence[str], kinds: Sequence[str]) -> dict[str, Any]:
    """Return the chart: lanes in the order in which they begin, with a thin bar for each kind in them.

    Args:
        lanes: The nodes, and the kinds of pauses.
        kinds: The kinds of bars that are drawn, for the legend.
    """
    return {
        "mark": {"type": "bar", "cornerRadius": 2, "minWidth": 3, "cursor": "pointer"},
        "params": [{"name": _PICKED, "select": {"type": "point", "fields": ["event"]}}],
        "encoding": {
            "y": {
                "field": "lane",
                "type": "nominal",
                "sort": list(lanes),
                "title": None,
                "axis": {"labelLimit": 220},
            },
            "yOffset": {"field": "kind", "type": "nominal", "sort": list(_KINDS)},
            "x": {
                "field": "begin",
                "type": "quantitative",
                "title": "milliseconds since the turn began",
                "axis": {"labelBound": True},
            },
            "x2": {"field": "end"},
            "color": {
                "field": "kind",
                "type": "nominal",
                "scale": {"domain": list(_KINDS)},
                "legend": {"title": None, "orient": "top", "values": list(kinds)},
            },
            "opacity": {"condition": {"test": "datum.when == 'later'", "value": 0.35}, "value": 1},
            "stroke": {
                "condition": [
                    {"test": "datum.when == 'chosen'", "value": "#c77700"},
                    {"test": "datum.outcome == 'failed'", "value": "#d32f2f"},
                ],
                "value": "transparent",
            },
            "strokeWidth": {"value": 2},
            "tooltip": [
                {"field": "what", "title": "what"},
                {"field": "kind", "title": "kind"},
                {"field": "took", "title": "took, ms", "format": ",.3f"},
                {"field": "begin", "title": "begins at, ms", "format": ",.3f"},
                {"field": "outcome", "title": "outcome"},
            ],
        },
    }


def _table(drawn: Sequence[Bar]) -> None:
    state.set_widget(_BARS_KEY, [bar.index for bar in drawn])
    columns = st.column_config
    most = max((bar.duration_ms for bar in drawn), default=0.0)
    st.dataframe(
        {
            "lane": [bar.lane for bar in drawn],
            "kind": [bar.kind for bar in drawn],
            "begin": [bar.begin_ms for bar in drawn],
            "took": [bar.duration_ms for bar in drawn],
            "outcome": ["failed" if bar.is_failure else "ok" for bar in drawn],
            "what": [bar.name for bar in drawn],
        },
        key=_TABLE_KEY,
        height=table_height(len(drawn), _MOST_ROWS),
        row_height=ROW,
        hide_index=True,
        on_select=refresh.refreshing("look", _choose),
        selection_mode="single-cell",
        column_config={
            "lane": columns.TextColumn("Node", width=180, help="With the thread before it, if not the main"),
            "kind": columns.TextColumn("Kind", width=96),
            "begin": columns.NumberColumn("Begins", width=96, format="+%.1f ms"),
            "took": columns.ProgressColumn(
                "Took", width=140, format="%.1f ms", min_value=0.0, max_value=most or 1.0
            ),
            "outcome": columns.TextColumn("Outcome", width=72),
            "what": columns.TextColumn("What", width=520),
        },
        placeholder="",
        alt="The bars of the Gantt chart: node, kind, begin and duration of each",
    )


def _choose() -> None:
    cells = state.widget(_TABLE_KEY)["selection"]["cells"]
    indices = state.widget(_BARS_KEY)
    if cells and cells[0][0] < len(indices) and indices[cells[0][0]] is not None:
        actions.select_event(indices[cells[0][0]])

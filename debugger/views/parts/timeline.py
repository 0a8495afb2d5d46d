"""The timeline: every event as a row, to be filtered and chosen from. It is drawn in the lower pane."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from debugger.analysis.timeline import TimelineRow, trouble
from debugger.views import commands, state
from debugger.views.filtering import DENSITIES, Density, Filter, Shown, shown
from debugger.views.parts.heights import ROW, table_height
from debugger.views.parts.plain import count
from debugger.views.reading import Reading

TABLE_KEY = "timeline"
FILTER_KEYS = ("timeline_text", "timeline_types", "timeline_turns", "timeline_density", "timeline_only_node")
_ROWS_KEY = "timeline_rows"
_ALL, _LATEST = "All turns", "Latest turn"
_MOST_ROWS = 10
_NEUTRAL = frozenset({"end_node_run", "http_request"})
"""Types that tell of success and failure alike."""


def timeline_filters(now: Reading) -> Shown:
    """Draw the filters in a line; the rows that they let through."""
    found = shown(now.rows, _filter(now))
    hidden = [f"{found.hidden} hidden"] if found.hidden else []
    wrong = [count(number, kind) for kind, number in trouble(found.rows).items()]
    st.caption(" · ".join([count(len(found.rows), "event"), *hidden, *wrong]), width="content")
    return found


def timeline(now: Reading, found: Shown) -> None:
    """Draw the rows, or say why there are none."""
    if not now.rows:
        st.caption("Every event of the run appears here as a row: start the run to see some.")
    elif not found.rows:
        st.caption("No event matches. Change the filter, or choose “Everything”.")
    else:
        _table(found.rows)


def _filter(now: Reading) -> Filter:
    node = state.page().node
    text = st.text_input(
        "Find in timeline",
        key="timeline_text",
        placeholder="Find …",
        icon=":material/search:",
        label_visibility="collapsed",
        width=150,
    )
    types = st.multiselect(
        "Event types",
        sorted({row.type for row in now.rows}),
        key="timeline_types",
        placeholder="All types",
        label_visibility="collapsed",
        width=170,
    )
    turns = st.selectbox(
        "Turns", (_ALL, _LATEST), key="timeline_turns", label_visibility="collapsed", width=124
    )
    state.begin_widget("timeline_density", "Steps")  # no default of its own: it is kept while not drawn
    density: Density | None = st.segmented_control(
        "Density",
        DENSITIES,
        key="timeline_density",
        required=True,
        label_visibility="collapsed",
    )
    only_node = node is not None and st.toggle("Chosen node only", key="timeline_only_node")
    latest = now.turns[-1].number if now.turns and turns == _LATEST else None
    return Filter(text, frozenset(types), density or "Steps", node if only_node else None, latest)


def _table(rows: Sequence[TimelineRow]) -> None:
    chips = [_chip(row) for row in rows]
    _show_choice(rows)
    state.set_widget(_ROWS_KEY, [(row.index, row.drawn_node) for row in rows])
    st.dataframe(
        {
            "#": [row.index for row in rows],
            "turn": [row.turn_number for row in rows],
            **_threads(rows),
            "time": [None if row.at_ms is None else row.at_ms / 1000 for row in rows],
            "node": [row.node_name or row.node_logical_id or "" for row in rows],
            "type": [[chip] for chip in chips],
            "ms": [row.duration_ms for row in rows],
            "summary": [row.summary for row in rows],
        },
        key=TABLE_KEY,
        height=table_height(len(rows), _MOST_ROWS),
        row_height=ROW,
        hide_index=True,
        on_select=_choose,
        selection_mode="single-cell",
        column_config=_columns(sorted(set(chips))),
        placeholder="",
        alt="Timeline: a row an event, with turn, seconds since the start, node, type, duration and summary",
    )


def _threads(rows: Sequence[TimelineRow]) -> dict[str, list[object]]:
    """Two columns more for a run that does something without its user."""
    told: dict[str, list[object]] = {}
    if any(row.is_background for row in rows):
        told["background"] = [row.is_background for row in rows]
    if len({row.thread for row in rows if row.thread is not None}) > 1:
        told["thread"] = [row.thread or "" for row in rows]
    return told


def _columns(chips: Sequence[str]) -> dict[str, ColumnConfig]:
    columns = st.column_config
    return {
        "#": columns.NumberColumn("#", width=50, help="The event's place in the run"),
        "turn": columns.NumberColumn("Turn", width=50),
        "background": columns.CheckboxColumn(
            "Background", width=90, help="Happened in background work after the turn"
        ),
        "thread": columns.TextColumn("Thread", width=90, help="0 is the thread that talks with the user"),
        "time": columns.NumberColumn("Time", width=76, format="+%.3f s", help="Since the run began"),
        "node": columns.TextColumn("Node", width=140),
        "type": columns.MultiselectColumn(
            "Type", width=196, options=list(chips), color=[_colour(chip) for chip in chips]
        ),
        "ms": columns.NumberColumn("Took", width=76, format="%.1f ms", help="How long a node ran"),
        "summary": columns.TextColumn("Summary", width=640),
    }


def _chip(row: TimelineRow) -> str:
    return f"{row.type} · failed" if row.is_failure and row.type in _NEUTRAL else row.type


def _colour(chip: str) -> str:
    if chip.endswith(" · failed") or chip in ("workflow_error", "node_expired"):
        return "red"
    if chip == "workflow_warning":
        return "orange"
    if chip.endswith("_edge") or chip in ("force_transfer_to_node", "waiting_condition_matched"):
        return "green"
    if chip in ("user_messages", "busy_wait_for_user_message"):
        return "violet"
    if chip in ("assistant_response", "say_static", "say_llm", "worker_llm"):
        return "blue"
    return "gray"


def _show_choice(rows: Sequence[TimelineRow]) -> None:
    """Make the table mark the chosen event, wherever a filter has moved it."""
    place = next((at for at, row in enumerate(rows) if row.index == state.page().event), None)
    held = state.widget(TABLE_KEY)
    cells = held["selection"]["cells"] if held else []
    if place is None and cells:
        state.forget_widget(TABLE_KEY)
    elif place is not None and (not cells or cells[0][0] != place):
        column = cells[0][1] if cells else "summary"
        state.set_widget(TABLE_KEY, {"selection": {"rows": [], "columns": [], "cells": [[place, column]]}})


def _choose() -> None:
    cells = state.widget(TABLE_KEY)["selection"]["cells"]
    if not cells:
        commands.select_event(None)
        return
    index, node = state.widget(_ROWS_KEY)[cells[0][0]]
    if index == state.page().event:
        return  # chosen elsewhere, and only marked here
    commands.select_event(index)
    state.page().node, state.page().edge = node, None
    if state.widget(state.TAB_KEY) not in ("State", "Why", "Event"):
        state.set_widget(state.TAB_KEY, "Event")

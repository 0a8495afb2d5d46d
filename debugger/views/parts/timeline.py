"""The timeline: what happened as rows, to be filtered and chosen from. It is drawn in the lower pane."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.shown import Shown
from debugger.views import commands, panes, state
from debugger.views.parts.heights import ROW, table_height
from debugger.views.parts.pager import pager
from debugger.views.parts.timeline_filters import TIME_KEY, TIMES, found_line
from debugger.views.parts.timeline_tables import Table, Target, events_table, steps_table, turns_table
from debugger.views.reading import Reading

TABLE_KEY = "timeline"
_TARGETS_KEY = "timeline_rows"
_MOST_ROWS = 10


def timeline(now: Reading, found: Shown) -> None:
    """Draw the rows, or say why there are none."""
    if not now.rows:
        st.caption("Everything that happens in the run appears here as a row: start the run to see some.")
    elif not found.places:
        found_line(found)
        st.caption("No event matches. Change the filters, or choose “Raw”.")
    else:
        _table(now, found)


def _table(now: Reading, found: Shown) -> None:
    event = state.page().event
    chosen, is_shown = (None, False) if event is None else found.row_of(event, now.told)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="timeline_line"):
        found_line(found)
        st.space("stretch")
        looked_at = (now.session, found.density, found.hidden, event)
        first, end = pager(TABLE_KEY, len(found.places), looked_at, chosen)
    table = _drawn(now, found, first, end)
    _show_choice(chosen - first if is_shown and chosen is not None and first <= chosen < end else None)
    state.set_widget(_TARGETS_KEY, table.targets)
    st.dataframe(
        table.data,
        key=TABLE_KEY,
        height=table_height(end - first, _MOST_ROWS),
        row_height=ROW,
        hide_index=True,
        on_select=panes.redrawing("look", _choose),
        selection_mode="single-cell",
        column_config=table.columns,
        placeholder="",
        alt=table.alt,
    )


def _drawn(now: Reading, found: Shown, first: int, end: int) -> Table:
    """One page in the density that was asked for."""
    times = state.widget(TIME_KEY) or TIMES[0]
    places = found.places[first:end]
    if found.density == "Turns":
        return turns_table([now.told.turn_rows[at] for at in places], times)
    if found.density == "Steps":
        return steps_table([now.told.steps.steps[at] for at in places], times)
    return events_table([now.rows[at] for at in places], times)


def _show_choice(place: int | None) -> None:
    """Make the table mark the chosen event, wherever a filter or a page has moved it."""
    held = state.widget(TABLE_KEY)
    cells = held["selection"]["cells"] if held else []
    if place is None and cells:
        # Emptied and not forgotten: the grid would keep its own choice, and send it with the next click.
        state.set_widget(TABLE_KEY, {"selection": {"rows": [], "columns": [], "cells": []}})
    elif place is not None and (not cells or cells[0][0] != place):
        column = cells[0][1] if cells else "turn"
        state.set_widget(TABLE_KEY, {"selection": {"rows": [], "columns": [], "cells": [[place, column]]}})


def _choose() -> None:
    cells = state.widget(TABLE_KEY)["selection"]["cells"]
    if not cells:
        commands.select_event(None)
        return
    targets: list[Target] = state.widget(_TARGETS_KEY)
    index, node = targets[cells[0][0]]
    if index == state.page().event:
        return  # chosen elsewhere, and only marked here
    commands.select_event(index)
    state.page().node, state.page().edge = node, None
    if state.widget(state.TAB_KEY) not in ("State", "Why", "Event"):
        state.give_widget(state.TAB_KEY, "Event")

"""The timeline: what happened as rows, to be filtered and chosen from. It is drawn in the lower pane."""

from __future__ import annotations

from typing import Any

import streamlit as st

from debugger.analysis.filtered_timeline import FilteredTimeline
from debugger.views import actions, refresh, state
from debugger.views.components.pager import Pager, pager
from debugger.views.components.rows import rows_list
from debugger.views.components.tables import list_height
from debugger.views.panels.timeline_filters import TIME_KEY, TIMES
from debugger.views.panels.timeline_tables import Table, Target, events_table, steps_table, turns_table
from debugger.views.run_view import Reading

TABLE_KEY = "timeline"
_MOST_ROWS = 10


def timeline_pager(now: Reading, found: FilteredTimeline) -> Pager:
    """Which page of the rows is on view: the one with the chosen event, or what a person has turned to."""
    event = state.page().event
    looked_at = (now.session, found.density, found.hidden, event)
    return pager(TABLE_KEY, len(found.places), looked_at, _chosen(now, found)[0])


def timeline(now: Reading, found: FilteredTimeline, page: Pager) -> None:
    """Draw the rows of a page, or say why there are none."""
    if now.session.turns_to_load:
        st.caption("The events appear here once the run is read.")
    elif not now.rows:
        st.caption("Everything that happens in the run appears here as a row: start the run to see some.")
    elif not found.places:
        st.caption("No event matches. Change the filters, or choose “Raw”.")
    else:
        _table(now, found, page)


def _chosen(now: Reading, found: FilteredTimeline) -> tuple[int | None, bool]:
    """The place of the chosen event among the rows, and whether it is one of them or only near."""
    event = state.page().event
    return (None, False) if event is None else found.row_of(event, now.told)


def _table(now: Reading, found: FilteredTimeline, page: Pager) -> None:
    first, end, _ = page
    chosen, is_shown = _chosen(now, found)
    table = _drawn(now, found, first, end)
    near = chosen - first if chosen is not None and first <= chosen < end else None
    rows_list(
        TABLE_KEY,
        table.columns,
        table.rows,
        chosen=near if is_shown else None,
        near=near,
        page=(id(now.session), found.density, first),
        follows=end == len(found.places),
        height=list_height(end - first, _MOST_ROWS),
        told=table.told,
        on_choose=refresh.redrawing("look", _choose),
    )


def _drawn(now: Reading, found: FilteredTimeline, first: int, end: int) -> Table:
    """One page in the density that was asked for."""
    times = state.widget(TIME_KEY) or TIMES[0]
    places = found.places[first:end]
    if found.density == "Turns":
        return turns_table([now.told.turn_rows[at] for at in places], times)
    if found.density == "Steps":
        return steps_table([now.told.steps.steps[at] for at in places], times)
    return events_table([now.rows[at] for at in places], times)


def _choose(told: Any) -> None:
    target = Target.from_browser(told)
    if target is None:
        actions.select_event(None)
        return
    actions.select_event(target.event)
    state.page().node, state.page().edge = target.node, None
    if state.widget(state.TAB_KEY) not in ("State", "Why", "Event"):
        state.give_widget(state.TAB_KEY, "Event")

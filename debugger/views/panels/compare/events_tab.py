"""Events of both runs, aligned row by row."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from debugger.analysis.comparison.alignment import Item
from debugger.analysis.comparison.comparison import Comparison
from debugger.analysis.paging import VISIBLE_ROWS, first_visible_row
from debugger.session.comparison import RunComparison
from debugger.views import state
from debugger.views.components.markdown import draw_json, plain
from debugger.views.components.tables import ROW
from debugger.views.panels.compare import actions
from debugger.views.panels.compare.actions import CompareState, Side
from debugger.views.panels.compare.differences import COLOURS, WORDS, difference_list
from debugger.views.state import PageLinks
from debugger.views.url_state import Address

_TABLE_KEY = "compare_rows"
_PLACES_KEY = "compare_places"
_INPUT_WORD = "input"


def events_tab(seen: RunComparison) -> None:
    """Draw the rows, and the chosen one in full."""
    held, found = state.record(CompareState), seen.comparison
    places = found.differing if held.only_differences else range(len(found.rows))
    held.top = top = first_visible_row(places, held.row, held.top)
    left, right = st.columns([1.7, 1], gap="small")
    with left:
        _steering(found)
        _table(seen, places[top : top + VISIBLE_ROWS])
        _paging(top, len(places))
    with right:
        event_pair(seen)


def _steering(found: Comparison) -> None:
    held = state.record(CompareState)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="compare_steering"):
        here = -1 if held.row is None else held.row
        _jump("First difference", "compare_first", ":material/call_split:", found.first)
        _jump("Previous", "compare_previous", ":material/keyboard_arrow_up:", found.preceding(max(here, 0)))
        _jump("Next", "compare_next", ":material/keyboard_arrow_down:", found.following(here))
        state.begin_widget(actions.DIFFERENCES_KEY, held.only_differences)
        st.toggle(
            "Differences only",
            key=actions.DIFFERENCES_KEY,
            on_change=actions.show_differences,
        )


def _paging(top: int, count: int) -> None:
    last = min(top + VISIBLE_ROWS, count)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="compare_paging"):
        _scroll("Earlier rows", "compare_earlier", ":material/expand_less:", top - VISIBLE_ROWS, top > 0)
        st.caption(f"Rows {min(top + 1, last)}–{last} of {count}", width="content")
        _scroll("Later rows", "compare_later", ":material/expand_more:", top + VISIBLE_ROWS, last < count)


def _jump(label: str, key: str, icon: str, row: int | None) -> None:
    st.button(label, key=key, icon=icon, on_click=actions.go_to, args=(row,), disabled=row is None)


def _scroll(label: str, key: str, icon: str, top: int, can: bool) -> None:
    st.button(
        label,
        key=key,
        icon=icon,
        type="tertiary",
        on_click=actions.scroll,
        args=(max(0, top),),
        disabled=not can,
    )


def _table(seen: RunComparison, places: Sequence[int]) -> None:
    if not places:
        st.caption(
            "Nothing differs, apart from what is ignored. Switch “Differences only” off to see every row."
        )
        return
    found = seen.comparison
    rows = [found.rows[place] for place in places]
    pairs = [found.pair(row) for row in rows]
    items = [found.get_item(row) for row in rows]
    _show_choice(places)
    state.set_widget(_PLACES_KEY, list(places))
    st.dataframe(
        {
            "verdict": [[WORDS[row.status]] for row in rows],
            "turn": [row.turn for row in rows],
            "node": [seen.names.get(item.node or "", item.node or "") for item in items],
            "type": [item.type if item.event else _INPUT_WORD for item in items],
            "change": [found.change(row) for row in rows],
            "a": [one.summary if one else "" for one, _ in pairs],
            "b": [other.summary if other else "" for _, other in pairs],
        },
        key=_TABLE_KEY,
        hide_index=True,
        row_height=ROW,
        height=ROW * (VISIBLE_ROWS + 1),
        on_select=_choose,
        selection_mode="single-cell",
        placeholder="",
        column_config={
            "verdict": st.column_config.MultiselectColumn(
                "", width=92, options=list(WORDS.values()), color=list(COLOURS.values())
            ),
            "turn": st.column_config.NumberColumn("Turn", width=46),
            "node": st.column_config.TextColumn("Node", width=104),
            "type": st.column_config.TextColumn("Type", width=124),
            "change": st.column_config.TextColumn("What changed", width=188),
            "a": st.column_config.TextColumn("A", width=110),
            "b": st.column_config.TextColumn("B", width=110),
        },
        alt="Rows of both runs: whether they are the same, turn, node, type, what changed, and what happened "
        "in A and in B",
    )


def _show_choice(places: Sequence[int]) -> None:
    row = state.record(CompareState).row
    place = places.index(row) if row in places else None
    held = state.widget(_TABLE_KEY)
    cells = held["selection"]["cells"] if held else []
    if place is None and cells:
        state.forget_widget(_TABLE_KEY)
    elif place is not None and (not cells or cells[0][0] != place):
        column = cells[0][1] if cells else "a"
        state.set_widget(_TABLE_KEY, {"selection": {"rows": [], "columns": [], "cells": [[place, column]]}})


def _choose() -> None:
    cells = state.widget(_TABLE_KEY)["selection"]["cells"]
    places = state.widget(_PLACES_KEY)
    actions.go_to(places[cells[0][0]] if cells and cells[0][0] < len(places) else None)


_HEIGHT = 560


def event_pair(seen: RunComparison) -> None:
    """Draw the differences in the chosen row, and both events as they were recorded."""
    with st.container(border=True, height=_HEIGHT, key="compare_pair"):
        place = state.record(CompareState).row
        if place is None or place >= len(seen.comparison.rows):
            st.caption("Choose a row to see what differs in it, and both events as they were recorded.")
            return
        row = seen.comparison.rows[place]
        item = seen.comparison.get_item(row)
        what = "Input of the turn" if item.event is None else item.type
        node = seen.names.get(item.node or "", item.node or "")
        st.markdown(f"###### {plain(what)}" + (f" · {plain(node)}" if node else ""))
        st.caption(f"Row {place + 1} · turn {row.turn} · {plain(WORDS[row.status])}")
        difference_list(seen.comparison.differences(row))
        one, other = seen.comparison.pair(row)
        _recorded("a", one)
        _recorded("b", other)


def _recorded(side: Side, item: Item | None) -> None:
    name = side.upper()
    if item is None:
        st.caption(f"{name} has no such event.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        where = f", event {item.event_index}" if item.event_index is not None else ""
        st.caption(f"{name} as recorded{where}", width="content")
        place = state.record(CompareState).places[side]
        address = Address(place.backend, run=place.run, turn=item.turn)
        st.page_link(
            state.record(PageLinks).by_name["debug"],
            label=f"Open {name} at turn {item.turn}",
            icon=":material/bug_report:",
            query_params=address.to_parameters(),
            width="content",
        )
    draw_json(item.wire, expanded=1)

"""Events of both runs, aligned row by row."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import streamlit as st

from debugger.analysis.comparison.alignment import KINDS, Item
from debugger.analysis.comparison.comparison import Comparison
from debugger.session.comparison import RunComparison
from debugger.views import state
from debugger.views.components.markdown import count, draw_json, plain
from debugger.views.components.rows import Column, Row, Table, rows_list
from debugger.views.components.tables import pager
from debugger.views.components.toolbar import Button, Spacer, Text, Toggle, bar
from debugger.views.components.toolbar import Item as Part
from debugger.views.panels.compare import actions
from debugger.views.panels.compare.actions import CompareState, Side
from debugger.views.panels.compare.differences import WORDS, difference_rows, status_chip
from debugger.views.state import PageLinks
from debugger.views.url_state import Address

_INPUT_WORD = "input"
_AHEAD = 8
"""Rows below the chosen one: what follows a difference is in sight with it."""
_COLUMNS = (
    Column("turn", "Turn", 46, "number"),
    Column("node", "Node", 110, fits=170),
    Column("type", "Event", 124),
    Column("a", "A", 110, grows=True),
    Column("b", "B", 110, grows=True),
    Column("difference", "Difference", 150, "chip", grows=True),
)


def events_tab(seen: RunComparison) -> None:
    """Draw a page of the aligned rows, all or the differing ones alone, and the chosen row in full.

    Another chosen row brings up the page that has it.
    """
    held, found = state.record(CompareState), seen.comparison
    places = found.differing if held.only_differences else range(len(found.rows))
    chosen = None if held.row is None else bisect_left(places, held.row)
    looked_at = (actions.stamp(seen), tuple(sorted(seen.ignoring)), held.only_differences, held.row)
    page = pager("compare_rows", len(places), looked_at, min(chosen or 0, max(len(places) - 1, 0)))
    left, right = st.columns([1.8, 1], gap="small")
    with left:
        bar("compare_steering", [*_steering(found), *page.items], low=True)
        _table(seen, places[page.first : page.end], (*looked_at[:3], page.first))
    with right:
        event_pair(seen)


def _steering(found: Comparison) -> list[Part]:
    """Return the buttons to the first, previous and next difference, the switch, and the differences' number.

    A button without such a row is disabled; the number has the differences by kind as its help.
    """
    held = state.record(CompareState)
    here = -1 if held.row is None else held.row
    state.begin_widget(actions.DIFFERENCES_KEY, held.only_differences)
    kinds = ", ".join(f"{kind} {found.kinds[kind]}" for kind in KINDS if kind in found.kinds)
    return [
        _jump("First difference", "compare_first", ":material/call_split:", found.first),
        _jump("Previous", "compare_previous", ":material/keyboard_arrow_up:", found.preceding(max(here, 0))),
        _jump("Next", "compare_next", ":material/keyboard_arrow_down:", found.following(here)),
        Toggle(actions.DIFFERENCES_KEY, "Differences only", on_change=actions.show_differences),
        Spacer(),
        Text(
            f"{len(found.differing):,} of {count(len(found.rows), 'row')} differ",
            help=f"By kind: {kinds}" if kinds else "",
            key="compare_differing",
        ),
    ]


def _jump(label: str, key: str, icon: str, row: int | None) -> Button:
    return Button(key, label, actions.go_to, (row,), icon=icon, look="tertiary", disabled=row is None)


def _table(seen: RunComparison, places: Sequence[int], page: tuple[Any, ...]) -> None:
    """Draw the rows at some places of the comparison with the chosen one marked; without any a caption.

    Args:
        seen: The comparison.
        places: The indexes of the rows.
        page: Names the rows on view; while it is equal, the table stays where it was scrolled to.
    """
    if not places:
        st.caption(
            "Nothing differs, apart from what is ignored. Switch “Differences only” off to see every row."
        )
        return
    turns = [seen.comparison.rows[place].turn for place in places]
    rows = [
        _row(seen, place, begins=turn != before)
        for place, turn, before in zip(places, turns, [turns[0], *turns], strict=False)
    ]
    chosen = state.record(CompareState).row
    rows_list(
        "compare_rows",
        Table(
            _COLUMNS, rows, "Rows of both runs: turn, node, event, what happened in A and in B, what differs"
        ),
        chosen=places.index(chosen) if chosen in places else None,
        on_choose=_choose,
        fills=True,
        ahead=_AHEAD,
        page=page,
    )


def _row(seen: RunComparison, place: int, *, begins: bool) -> Row:
    """Return a row of the comparison for the table, identified by its place.

    The summary of a side that has no such event is empty.

    Args:
        seen: The comparison.
        place: The index of the row.
        begins: Whether a line separates it from the row above, which is of another turn.
    """
    found = seen.comparison
    row = found.rows[place]
    item, (one, other) = found.get_item(row), found.pair(row)
    cells = (
        str(row.turn),
        seen.names.get(item.node or "", item.node or ""),
        item.type if item.event else _INPUT_WORD,
        one.summary if one else "",
        other.summary if other else "",
        status_chip(row.status, found.change(row)),
    )
    return Row(cells, [place], begins)


def _choose(target: Any) -> None:
    """Choose the row whose place a list of one integer names; once more leaves it chosen.

    Another target, a place that no row has, and a side without a read run change nothing. Writes
    `CompareState.row`.
    """
    seen = state.record(CompareState).side_by_side()
    place = target[0] if isinstance(target, list) and len(target) == 1 else None
    if seen is not None and type(place) is int and 0 <= place < len(seen.comparison.rows):
        actions.go_to(place)


def event_pair(seen: RunComparison) -> None:
    """Draw the differences of the chosen row and both events as recorded; without a chosen row a caption.

    A place that the comparison does not have counts as no choice. Above them are the node and type of the
    event, or that it is the input of the turn, with row, turn and what differs.
    """
    with st.container(border=True, key="compare_pair", gap="xsmall"):
        place = state.record(CompareState).row
        if place is None or place >= len(seen.comparison.rows):
            st.caption("Choose a row to see what differs in it, and both events as they were recorded.")
            return
        row = seen.comparison.rows[place]
        item = seen.comparison.get_item(row)
        what = "Input of the turn" if item.event is None else item.type
        node = seen.names.get(item.node or "", item.node or "")
        st.markdown(f"**{plain(what)}**" + (f" · {plain(node)}" if node else ""))
        st.caption(f"Row {place + 1:,} · turn {row.turn} · {plain(WORDS[row.status])}")
        difference_rows("compare_pair_rows", seen.comparison.differences(row))
        one, other = seen.comparison.pair(row)
        _recorded("a", one)
        _recorded("b", other)


def _recorded(side: Side, item: Item | None) -> None:
    """Draw an event as recorded, with the link to its turn on the page Debug; a caption for ``None``.

    The caption above has the event's index where the item has one; the side has to have a place.
    """
    name = side.upper()
    if item is None:
        st.caption(f"{name} has no such event.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        where = f", event {item.event_index}" if item.event_index is not None else ""
        place = state.record(CompareState).places[side]
        how = "recorded" if place.version is None else "replayed"
        st.caption(f"{name} as {how}{where}", width="content")
        address = Address(place.backend, run=place.run, turn=item.turn)
        st.page_link(
            state.record(PageLinks).by_name["debug"],
            label=f"Open {name if place.version is None else 'the recorded run'} at turn {item.turn}",
            icon=":material/bug_report:",
            query_params=address.to_parameters(),
            width="content",
        )
    draw_json(item.wire, expanded=1)

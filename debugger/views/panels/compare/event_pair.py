"""The chosen row in full: what differs in its two events, and both as they were recorded."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.comparison.alignment import Item
from debugger.session.comparison import SideBySide
from debugger.views import state
from debugger.views.compare_state import Side
from debugger.views.components.markdown import plain
from debugger.views.panels.compare.difference_list import difference_list
from debugger.views.panels.compare.marks import WORDS
from debugger.views.url_state import Address

_HEIGHT = 560


def event_pair(seen: SideBySide) -> None:
    """Draw the chosen row."""
    with st.container(border=True, height=_HEIGHT, key="compare_pair"):
        place = state.page().compared.row
        if place is None or place >= len(seen.comparison.rows):
            st.caption("Choose a row to see what differs in it, and both events as they were recorded.")
            return
        row = seen.comparison.rows[place]
        item = seen.comparison.either(row)
        what = "Input of the turn" if item.event is None else item.type
        node = seen.names.get(item.node or "", item.node or "")
        st.markdown(f"###### {plain(what)}" + (f" · {plain(node)}" if node else ""))
        st.caption(f"Row {place + 1} · turn {row.turn} · {plain(WORDS[row.verdict])}")
        difference_list(seen.comparison.differences(row))
        one, other = seen.comparison.pair(row)
        _recorded("a", one)
        _recorded("b", other)


def _recorded(side: Side, item: Item | None) -> None:
    name = side.upper()
    if item is None:
        st.caption(f"{name} has nothing here.")
        return
    page = state.page()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        where = f", event {item.event_index}" if item.event_index is not None else ""
        st.caption(f"{name} as recorded{where}", width="content")
        place = page.compared.places[side]
        address = Address(place.backend, run=place.run, turn=item.turn)
        st.page_link(
            page.links["debug"],
            label=f"Open {name} at turn {item.turn}",
            icon=":material/bug_report:",
            query_params=address.to_parameters(),
            width="content",
        )
    st.json(item.wire, expanded=1)

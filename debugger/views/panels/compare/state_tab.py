"""The variables of both runs at the end of a turn."""

from __future__ import annotations

import streamlit as st

from debugger.session.comparison import SideBySide
from debugger.views.components.markdown import count
from debugger.views.panels.compare import actions
from debugger.views.panels.compare.value_table import value_table

_MOST = 18


def state_tab(seen: SideBySide) -> None:
    """Draw the table."""
    if not seen.turns:
        st.caption("The variables of both runs appear here. Neither has a turn.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="compare_state_line"):
        turn = st.selectbox(
            "At the end of turn",
            seen.turns[::-1],
            key=f"compare_turn_{actions.stamp(seen)}",
            format_func=lambda number: (
                f"After turn {number}" + (" (the end)" if number == seen.turns[-1] else "")
            ),
            label_visibility="collapsed",
            width=200,
        )
        with_same = st.toggle("Also what is the same", key="compare_with_same")
        rows = seen.variables(turn, with_same=with_same)
        differing = sum(row.op != "same" for row in rows)
        st.caption(f"{count(differing, 'difference')}", width="content")
    if not rows:
        st.caption("The variables are the same in both runs, but for what is ignored.")
        return
    value_table(
        "compare_variables",
        [(row.sign, row.path, row.a, row.b, row.op) for row in rows],
        alt="Variables of both runs: path, value in A, value in B, and what changed from A to B",
        most=_MOST,
    )

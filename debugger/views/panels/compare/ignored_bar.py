"""What is passed over, by name, and how the turns are put beside each other."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.comparison.ignored import IGNORED
from debugger.session.comparison import SideBySide
from debugger.views import state
from debugger.views.panels.compare import actions

_COVERS = "\n".join(f"- **{one.name}**: {one.covers}" for one in IGNORED)


def ignored_bar(seen: SideBySide) -> None:
    """Draw the toggles."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="compare_ignored"):
        names = [one.name for one in IGNORED]
        state.set_widget(actions.IGNORING_KEY, [name for name in names if name in seen.ignoring])
        st.pills(
            "Ignored",
            names,
            selection_mode="multi",
            key=actions.IGNORING_KEY,
            on_change=actions.ignore,
            help=f"Values that may differ and are passed over. A chosen one is ignored.\n\n{_COVERS}",
            wrap=True,
        )
        st.space("stretch")
        state.set_widget(actions.SHIFT_KEY, seen.shift + 1)
        st.number_input(
            "Turn 1 of B beside",
            min_value=-9_998,
            max_value=9_999,
            step=1,
            key=actions.SHIFT_KEY,
            on_change=actions.move,
            help="Which turn of A stands beside turn 1 of B. A run that goes on from a turn of another "
            "begins beside the turn after it.",
            width=150,
        )

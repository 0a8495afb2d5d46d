"""What can be done with the chosen runs of the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from debugger.protocol.notes import RunLabels
from debugger.views import state
from debugger.views.auth.permissions import on_click
from debugger.views.compare_address import CompareAddress, RunPlace
from debugger.views.components.markdown import count
from debugger.views.panels import note_commands
from debugger.views.panels.marks_form import marks_form


def run_actions(chosen: Sequence[str], marks: Mapping[str, RunLabels], total: int) -> str | None:
    """Draw the actions in a line; the id of the run to open, once."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="run_actions"):
        # From the left: the table's own tools appear above its right end.
        wants_open = st.button(
            "Open", key="open_chosen", icon=":material/open_in_new:", disabled=len(chosen) != 1, help=_ONE
        )
        _star(chosen, marks)
        _marks(chosen, marks)
        wants_comparison = st.button(
            "Compare",
            key="compare_chosen",
            icon=":material/difference:",
            disabled=len(chosen) != 2,
            help="Put two chosen runs side by side",
        )
        told = f"{len(chosen)} of them chosen." if chosen else "Click a row to open it; tick boxes for more."
        st.caption(f"{count(total, 'run')}. {told}", width="content")
    if wants_comparison:
        _compare(chosen)
    return chosen[0] if wants_open else None


_ONE = "Choose one run by its box"


def _star(chosen: Sequence[str], marks: Mapping[str, RunLabels]) -> None:
    has_all = bool(chosen) and all(run_id in marks and marks[run_id].starred for run_id in chosen)
    st.button(
        "Unstar" if has_all else "Star",
        key="star_chosen",
        icon=":material/star:",
        args=(list(chosen),),
        kwargs={"starred": not has_all},
        **on_click(note_commands.star, disabled=not chosen, help="Find it again with “Starred only”"),
    )


def _marks(chosen: Sequence[str], marks: Mapping[str, RunLabels]) -> None:
    with st.popover(
        "Tags and note", icon=":material/sell:", disabled=len(chosen) != 1, help=_ONE, key="marks_chosen"
    ):
        if len(chosen) == 1:
            marks_form(chosen[0], marks.get(chosen[0], RunLabels()))


def _compare(chosen: Sequence[str]) -> None:
    page = state.page()
    later, earlier = (RunPlace(page.backend_name, run_id).text("embedded") for run_id in chosen)
    st.switch_page(page.links["compare"], query_params=CompareAddress(earlier, later).to_parameters())

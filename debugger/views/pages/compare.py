"""Page that compares two runs, versions or backends."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from debugger.errors import DebuggerError
from debugger.session.comparison import RunComparison
from debugger.views import navigation, state
from debugger.views.backends import current_backend
from debugger.views.components.error_box import show_backend_error, show_failures
from debugger.views.help_links import empty_page
from debugger.views.panels.compare import actions
from debugger.views.panels.compare.actions import SIDES, CompareState
from debugger.views.panels.compare.events_tab import events_tab
from debugger.views.panels.compare.header import TAB_KEY, pair_bar, pickers
from debugger.views.panels.compare.path_tab import path_tab
from debugger.views.panels.compare.tabs import state_tab, transcript_tab, versions_tab

TABS: dict[str, Callable[[RunComparison], None]] = {
    "Events": events_tab,
    "Path": path_tab,
    "Transcript": transcript_tab,
    "State": state_tab,
    "Versions": versions_tab,
}
"""In the order in which they are offered."""


def render() -> None:
    """Draw the page Compare.

    Without a usable backend it draws the error alone. Runs that are not read yet are read, and the page
    reruns. The address is followed and updated, and runs are suggested. The comparison is a fragment.
    """
    try:
        current_backend()
    except DebuggerError as error:
        st.markdown("### Compare")
        show_backend_error(error)
        return
    actions.follow_address()
    actions.suggest()
    actions.show_address()
    pickers()
    if state.record(CompareState).unread:
        actions.read_runs(partial(st.spinner, show_time=True))
        st.rerun()  # the pickers name the runs that were read
    show_failures()
    seen = state.record(CompareState).side_by_side()
    if seen is None:
        _empty()
    else:
        st.fragment(_body)()


def _empty() -> None:
    """Draw which runs are still to be chosen, and a button that leads to the page Runs."""
    missing = [f"run {side.upper()}" for side in SIDES if side not in state.record(CompareState).runs]
    text = f"Choose {' and '.join(missing)} above, or tick two runs on the page Runs."
    with empty_page(text, "forks#compare"):
        st.button(
            "Open Runs",
            key="open_runs",
            type="primary",
            icon=":material/format_list_bulleted:",
            on_click=navigation.go_to,
            args=("runs",),
        )


def _body() -> None:
    """Draw the two runs and the chosen tab; nothing without two runs."""
    seen = state.record(CompareState).side_by_side()
    if seen is None:
        return
    pair_bar(seen, list(TABS))
    with st.container(key="compare_body", gap="xsmall"):
        TABS[state.widget(TAB_KEY)](seen)

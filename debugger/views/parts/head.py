"""The right end of the head: what works on every page, and what the page on view adds."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from debugger.views import linking, skin_commands, state
from debugger.views.parts.help import help_button
from debugger.views.shortcuts import keys


def head(of_page: Callable[[], None] | None) -> None:
    """Draw it.

    Args:
        of_page: Draws what the page on view adds.
    """
    with st.container(
        horizontal=True, vertical_alignment="center", gap="xsmall", key="head", width="content"
    ):
        if of_page is not None:
            of_page()
        help_button()


def skin_switch() -> None:
    """Draw the button that changes the skin: it names the one to change to."""
    linking.follow_skin()
    is_demo = state.page().is_demo
    st.button(
        "Engineer view" if is_demo else "Demo view",
        key="skin",
        icon=":material/bug_report:" if is_demo else ":material/co_present:",
        type="tertiary",
        on_click=skin_commands.change_skin,
        shortcut=keys("skin"),
        help="Everything there is to see of the run" if is_demo else "The conversation and the graph alone",
    )

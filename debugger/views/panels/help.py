"""The help: every keyboard shortcut, and the switch for those that are typed like text."""

from __future__ import annotations

from itertools import groupby

import streamlit as st

from debugger.views import state
from debugger.views.components.markdown import plain
from debugger.views.components.toolbar import Button
from debugger.views.panels import skin_commands
from debugger.views.shortcuts import BUILT_IN, SHORTCUTS, Shortcut, keys


def help_button() -> Button:
    """The button that opens the help."""
    return Button(
        "help",
        "Help",
        skin_commands.open_help,
        icon=":material/keyboard:",
        look="tertiary",
        help="Keyboard shortcuts",
        shortcut=keys("help"),
    )


def help_dialog() -> None:
    """Draw the help where it was asked for."""
    page = state.page()
    if page.opens_help and not page.is_confirming:
        page.opens_help = False
        _dialog()


@st.dialog("Keyboard shortcuts", width="medium", on_dismiss="rerun")
def _dialog() -> None:
    state.begin_widget(skin_commands.PLAIN_KEYS_KEY, state.page().has_plain_keys)
    st.toggle(
        "Shortcuts without Ctrl",
        key=skin_commands.PLAIN_KEYS_KEY,
        on_change=skin_commands.allow_plain_keys,
        help="Switch them off where speech input or another aid types single keys",
    )
    groups = [list(group) for _, group in groupby(_listed(), key=lambda shortcut: shortcut.group)]
    left, right = st.columns(2, gap="medium")
    for place, group in enumerate(groups):
        with left if place < 2 else right:
            _group(group)
    st.caption("Keys that are typed into a field stay text. Tab reaches every control.")


def _listed() -> list[Shortcut]:
    return [*SHORTCUTS.values(), *BUILT_IN]


def _group(group: list[Shortcut]) -> None:
    st.markdown(f"**{group[0].group}**")
    lines = [f"`{shortcut.keys}` {plain(shortcut.does)}" for shortcut in group]
    st.markdown("  \n".join(lines))

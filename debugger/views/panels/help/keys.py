"""Keyboard shortcuts, as the help lists them."""

from __future__ import annotations

from itertools import groupby

import streamlit as st

from debugger.views import state
from debugger.views.shortcuts import BUILT_IN, SHORTCUTS, ShortcutState

PLAIN_KEYS_KEY = "has_plain_keys"
"""The switch of the shortcuts that are typed like text."""


def keys_table() -> str:
    """Return the shortcuts as Markdown, by the place where they work."""
    listed = sorted([*SHORTCUTS.values(), *BUILT_IN], key=lambda each: _PLACES.index(each.group))
    parts = []
    for group, shortcuts in groupby(listed, key=lambda each: each.group):
        rows = [f"| `{each.keys}` | {each.does} |" for each in shortcuts]
        parts += [f"## {group}", "", "| Key | Does |", "| --- | --- |", *rows, ""]
    return "\n".join(parts)


_PLACES = list(dict.fromkeys(each.group for each in (*SHORTCUTS.values(), *BUILT_IN)))


def plain_keys_switch() -> None:
    """Draw the switch of the shortcuts without Ctrl."""
    state.begin_widget(PLAIN_KEYS_KEY, state.record(ShortcutState).has_plain_keys)
    st.toggle(
        "Shortcuts without Ctrl",
        key=PLAIN_KEYS_KEY,
        on_change=allow_plain_keys,
        help="Switch them off where speech input or another aid types single keys",
    )


def allow_plain_keys() -> None:
    """Let shortcuts without Ctrl work or not, as the switch says."""
    state.record(ShortcutState).has_plain_keys = bool(state.widget(PLAIN_KEYS_KEY))

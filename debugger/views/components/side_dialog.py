"""Dialogs at the right edge of the window, beside what they are about, and the line of their buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

_WIDTH = 600
"""Pixels, until the edge is dragged; in a window of 820 and less the dialog covers the page."""

Body = Callable[..., Any]


def side_dialog(title: str, *, icon: str, on_dismiss: Callable[[], None]) -> Callable[[Body], Body]:
    """Return the decorator of a function that draws a dialog at the right edge.

    It is modal as each dialog; style.css leaves the page beside it bright, so that its graph or list can be
    read meanwhile, and by dialogs.js a press there leaves it open. Questions that need a yes or a no are
    `st.dialog` instead, in the middle of the window.

    Args:
        title: What it does.
        icon: Stands before the title.
        on_dismiss: Called when a person leaves it, by its cross or Escape.
    """
    return st.dialog(title, width=_WIDTH, position="right", icon=icon, on_dismiss=on_dismiss)


def dialog_footer() -> DeltaGenerator:
    """Return the line of a side dialog that stays in view at its lower edge.

    It is the last one, outside of other containers, and has one primary button, which says what it does.
    """
    return st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="dialog_footer")

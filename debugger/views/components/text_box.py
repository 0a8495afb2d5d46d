"""Boxes of several lines whose text the page sets."""

from __future__ import annotations

from typing import Any

import streamlit as st

from debugger.views import state


def text_box(label: str, key: str, **options: Any) -> None:
    """Draw a box whose text is set by its key; takes the options of Streamlit's ``text_area``.

    A text that is set is sent to the browser once. Where that builds the box twice, as under a dialog that
    closes, the second one shows its default, which is therefore the same text.
    """
    st.text_area(label, state.widget(key) or "", key=key, **options)

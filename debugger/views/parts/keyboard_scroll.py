"""Scrolling by keyboard: a box that scrolls and holds nothing to press gets a tab stop and a name."""

from __future__ import annotations

import streamlit as st

_SCRIPT = """
export default function ({ data }) {
  const box = document.querySelector(`.st-key-${data.box}`);
  if (!box) return;
  box.setAttribute("tabindex", "0");
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", data.name);
}
"""

_SCROLL = st.components.v2.component("keyboard_scroll", html="<i></i>", js=_SCRIPT)


def keyboard_scroll(box: str, name: str) -> None:
    """Let a box be scrolled by keyboard.

    Args:
        box: The key of its container.
        name: What a screen reader calls it.
    """
    _SCROLL(key="keyboard_scroll", height=1, data={"box": box, "name": name})

"""The shortcut that leads to the timeline's search: a button could only press, not go there."""

from __future__ import annotations

import streamlit as st

from debugger.views.shortcuts import keys

_SCRIPT = """
const FIELDS = "input, textarea, select, [contenteditable=true]";

export default function ({ data }) {
  const go = event => {
    const held = event.composedPath()[0];
    const isOurs = data.letter && event.shiftKey && event.key.toUpperCase() === data.letter;
    if (!isOurs || event.ctrlKey || event.metaKey || event.altKey || held.closest?.(FIELDS)) return;
    const box = document.querySelector(".st-key-timeline_text input");
    if (!box) return;
    event.preventDefault();
    box.focus();
    box.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", go);
  return () => document.removeEventListener("keydown", go);
}
"""

_KEY = st.components.v2.component("find_key", html="<i></i>", js=_SCRIPT)


def find_key() -> None:
    """Let the shortcut lead to the search, unless shortcuts without Ctrl are switched off."""
    _KEY(key="find_key", height=1, data={"letter": (keys("search") or "")[-1:]})

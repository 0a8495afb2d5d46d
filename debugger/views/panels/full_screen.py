"""The button that gives the page the whole screen; Escape gives it back."""

from __future__ import annotations

import streamlit as st

_HTML = '<button type="button"></button>'
_STYLE = """
button { width: 100%; min-height: 34px; font: 400 14px var(--st-font); cursor: pointer;
  color: var(--st-text-color); background: var(--st-background-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); white-space: nowrap; }
button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
button:disabled { opacity: .5; cursor: default; }
"""
_SCRIPT = """
export default function ({ parentElement }) {
  const button = parentElement.querySelector("button");
  const tell = () => {
    button.textContent = document.fullscreenElement ? "Leave full screen" : "Full screen";
  };
  button.disabled = !document.fullscreenEnabled;
  button.title = button.disabled ? "This browser does not allow it here" : "";
  button.onclick = () => document.fullscreenElement
    ? document.exitFullscreen() : document.documentElement.requestFullscreen().catch(() => {});
  document.addEventListener("fullscreenchange", tell);
  tell();
  return () => document.removeEventListener("fullscreenchange", tell);
}
"""

_BUTTON = st.components.v2.component("full_screen", html=_HTML, css=_STYLE, js=_SCRIPT)


def full_screen_button() -> None:
    """Draw the button."""
    _BUTTON(key="full_screen", height=36, width=136)

"""The end of a turn for whoever does not see it: read aloud, and the keyboard back in the message box."""

from __future__ import annotations

import streamlit as st

_SCRIPT = """
let last;
const LEFT = ".st-key-suggestions, .st-key-title_bar, .st-key-demo_actions, .st-key-start_here";

export default function ({ data, parentElement }) {
  const told = parentElement.querySelector("p");
  if (told.textContent !== data.told) told.textContent = data.told; // a change is read aloud
  const before = last;
  last = data.turn;
  if (data.turn === null || data.turn === 0 || before === undefined || before === data.turn) return;
  setTimeout(() => {
    const held = document.activeElement;
    if (held && held !== document.body && !held.closest(LEFT)) return; // somebody is at work elsewhere
    document.querySelector('[data-testid="stChatInputTextArea"]')?.focus({ preventScroll: true });
  }, 60);
}
"""

_FOCUS = st.components.v2.component("message_focus", html='<p role="status"></p>', js=_SCRIPT)


def message_focus(turn: int | None, *, told: str = "") -> None:
    """Give the message box the focus when a turn has ended, unless a person is at work elsewhere.

    Args:
        turn: The turn that has ended; ``None`` while no message is waited for.
        told: How the run stands, for screen readers; read aloud when it changes.
    """
    _FOCUS(key="message_focus", height=1, data={"turn": turn, "told": told})

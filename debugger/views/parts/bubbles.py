"""The bubbles of a chat, and the notes between them."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from debugger.analysis.bubbles import Bubble, folded
from debugger.views.parts.plain import count, plain

_AVATARS = {"agent": ":material/smart_toy:", "user": ":material/person:"}


def draw_bubbles(said: Iterable[Bubble], *, turns: bool = True) -> None:
    """Draw what was said.

    Args:
        said: The bubbles in order.
        turns: Whether the turn is told beside who speaks.
    """
    for group in folded(said):
        if len(group) == 1:
            _bubble(group[0], turns)
            continue
        title = count(len(group), "warning")
        with st.expander(title, icon=":material/warning:", key=f"warnings_{group[0].event_index}"):
            for bubble in group:
                _bubble(bubble, turns)


def _bubble(bubble: Bubble, turns: bool) -> None:
    if bubble.role == "warning":
        st.warning(plain(bubble.text), icon=":material/warning:")
    elif bubble.role == "error":
        st.error(plain(bubble.text), icon=":material/dangerous:")
    else:
        with st.chat_message(bubble.role, avatar=_AVATARS[bubble.role]):
            st.text(bubble.text)  # never Markdown: a picture in it would be loaded from where it points
            if bubble.node_name and bubble.role == "agent":
                st.caption(plain(" · ".join([bubble.node_name, *([_when(bubble)] if turns else [])])))


def _when(bubble: Bubble) -> str:
    return f"turn {bubble.turn_number}{', background' if bubble.is_background else ''}"

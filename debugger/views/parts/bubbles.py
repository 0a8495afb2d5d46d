"""The bubbles of a chat, and the notes between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

import streamlit as st

from debugger.analysis.bubbles import Bubble, folded
from debugger.views.parts.plain import count, plain

_ICONS = {"agent": "smart_toy", "user": "person"}
_TURNS_A_PAGE = 10


def draw_bubbles(said: Iterable[Bubble], *, turns: bool = True) -> None:
    """Draw what was said.

    What is said in a few turns is one element: the browser goes through all elements of the page at every
    rerun, and a conversation has hundreds of bubbles. Only of an element with news it reads the words again.

    Args:
        said: The bubbles in order.
        turns: Whether the turn is told beside who speaks.
    """
    for (is_talk, _), run in groupby(folded(said), key=lambda group: (_is_talk(group), _page(group))):
        groups = list(run)
        if is_talk:
            st.html("".join(_talk(bubble, turns) for (bubble,) in groups))
        else:
            for group in groups:
                _notes(group)


def _is_talk(group: Sequence[Bubble]) -> bool:
    return group[0].role in _ICONS


def _page(group: Sequence[Bubble]) -> int:
    return group[0].turn_number // _TURNS_A_PAGE


def _talk(bubble: Bubble, turns: bool) -> str:
    """A bubble as HTML, placed by style.css. Its words stay words, whatever they look like."""
    told = " · ".join([bubble.node_name, *([_when(bubble)] if turns else [])])
    speaker = f"<small>{escape(told)}</small>" if bubble.node_name and bubble.role == "agent" else ""
    return (
        f'<div class="bubble {bubble.role}" role="group" aria-label="Chat message from {bubble.role}">'
        f'<span class="face" aria-hidden="true" translate="no">{_ICONS[bubble.role]}</span>'
        f'<div><p class="words">{escape(bubble.text)}</p>{speaker}</div></div>'
    )


def _notes(group: Sequence[Bubble]) -> None:
    if len(group) == 1:
        _note(group[0])
        return
    with st.expander(
        count(len(group), "warning"), icon=":material/warning:", key=f"warnings_{group[0].event_index}"
    ):
        for bubble in group:
            _note(bubble)


def _note(bubble: Bubble) -> None:
    if bubble.role == "warning":
        st.warning(plain(bubble.text), icon=":material/warning:")
    else:
        st.error(plain(bubble.text), icon=":material/dangerous:")


def _when(bubble: Bubble) -> str:
    return f"turn {bubble.turn_number}{', background' if bubble.is_background else ''}"

"""The difference between two texts in one paragraph: what went is struck through, what came is underlaid."""

from __future__ import annotations

import re

import streamlit as st

from debugger.analysis.differences import Span, text_diff
from debugger.views.components.markdown import plain

_ENDS = re.compile(r"(\s*)(.*?)(\s*)", re.DOTALL)


def word_marks(before: str, after: str) -> None:
    """Draw the difference, with signs beside the colours."""
    st.markdown("".join(_marked(piece) for piece in text_diff(before, after)))


def _marked(piece: Span) -> str:
    match = _ENDS.fullmatch(piece.text)
    lead, words, trail = (match[1], match[2], match[3]) if match else ("", piece.text, "")
    if not words:
        return " "
    shown = plain(words)
    if piece.op == "removed":
        shown = f":red-background[− ~~{shown}~~]"
    elif piece.op == "added":
        shown = f":green-background[\\+ {shown}]"
    return f"{' ' if lead else ''}{shown}{' ' if trail else ''}"

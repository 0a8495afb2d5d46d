"""Text from outside where only Markdown fits: every mark in it is shown, none is obeyed."""

from __future__ import annotations

import json
import re
from typing import Any

import streamlit as st

from debugger.analysis.differences import Span, text_diff
from debugger.expressions import ABSENT

_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:^=&])")


def plain(text: str) -> str:
    """The text with every character that Markdown could read as a mark escaped.

    A picture or a link in it stays words: nothing is loaded from where it points.
    """
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def count(number: int, noun: str) -> str:
    """A number and what it counts: ``1 hop``, ``2,000 hops``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


_LONGEST = 600
"""Characters; a cell shows fewer, and whoever wants the rest chooses it."""


def json_cell(value: Any) -> str:
    """A value as JSON, so 42 and "42" can be told apart; nothing where there is none."""
    if value is ABSENT:
        return ""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


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

"""Differences of two values: labels, marked texts and lists.

A sign, a word and a colour say the same, so that none of them is alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import streamlit as st

from debugger.analysis.comparison.alignment import RowStatus
from debugger.analysis.comparison.path_overlay import Share
from debugger.analysis.differences import Difference, Span, readable_diff, shared_ends
from debugger.views.components.markdown import plain
from debugger.views.components.toolbar import Colour

WORDS: dict[RowStatus, str] = {
    "same": "= same",
    "changed": "~ changed",
    "only_a": "− only A",
    "only_b": "+ only B",
}
COLOURS: dict[RowStatus, Colour] = {"same": "gray", "changed": "orange", "only_a": "red", "only_b": "blue"}

PATH_WORDS: dict[Share, str] = {"only_a": "A only", "only_b": "B only", "common": "both"}


def json_value(value: Any) -> str:
    """Return a value as JSON for a cell.

    As JSON, 42 and "42" differ.
    """
    return json.dumps(value, ensure_ascii=False)


def marked_piece(piece: Span) -> str:
    """Return a piece of two texts as Markdown, marked if unequal."""
    words = plain(piece.text)
    if words and piece.op == "removed":
        words = f":red-background[− {words}]"
    elif words and piece.op == "added":
        words = f":blue-background[+ {words}]"
    before, after = (" " * part.isspace() for part in (piece.text[:1], piece.text[-1:]))
    return before + words + after


_MOST = 30
_LONGEST = 1_500
"""Characters of one value; the whole is in what was recorded."""


def difference_list(found: Sequence[Difference]) -> None:
    """Draw the list; nothing where nothing differs."""
    if not found:
        return
    st.markdown("\n".join(f"- {_describe(each)}" for each in found[:_MOST]))
    if len(found) > _MOST:
        st.caption(f"and {len(found) - _MOST} more")


def _describe(each: Difference) -> str:
    lead = f"**{plain(f'{each.sign} {each.path}')}**  \n  "
    if isinstance(each.before, str) and isinstance(each.after, str) and each.op == "changed":
        same, _ = shared_ends(each.before, each.after)
        begin = max(same - _LONGEST // 3, 0) if max(len(each.before), len(each.after)) > _LONGEST else 0
        pieces = readable_diff(_part(each.before, begin), _part(each.after, begin))
        return lead + "".join(marked_piece(piece) for piece in pieces)
    sides = [] if each.op == "added" else [f":red-background[− {plain(_cut(each.before))}]"]
    if each.op != "removed":
        sides.append(f":blue-background[+ {plain(_cut(each.after))}]")
    return lead + " ".join(sides)


def _part(text: str, begin: int) -> str:
    cut = text[begin : begin + _LONGEST]
    return f"{'…' if begin else ''}{cut}{'…' if begin + _LONGEST < len(text) else ''}"


def _cut(value: object) -> str:
    text = json_value(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

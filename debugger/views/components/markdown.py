"""Text from outside, escaped for Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import streamlit as st

from debugger.analysis.differences import Difference, Span, text_diff
from debugger.expressions import ABSENT
from debugger.graph.labels import shorten

_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:^=&])")


def plain(text: str) -> str:
    """Return the text with all Markdown marks escaped.

    A picture or a link in it stays words: nothing is loaded from where it points.
    """
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


_PLACE = "\ue000"


def with_code(text: str, code: str) -> str:
    """Return the text with all Markdown marks escaped, and a part of it as code.

    Outside of code, Streamlit draws ``>=`` as another character.
    """
    if not code.strip():
        return plain(text)
    longest = max(map(len, re.findall("`+", code)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    shown = f"{fence}{space}{' '.join(code.split())}{space}{fence}"
    return plain(text.replace(code, _PLACE, 1)).replace(_PLACE, shown)


def count(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 node``, ``2,000 nodes``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(words: Sequence[str], most: int) -> str:
    """Return the first words as a list, with the number of the others."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def milliseconds(duration: float | None) -> str | None:
    """Return a duration for a cell: ``1,234.5 ms``; none for one that is shown as zero."""
    return f"{duration:,.1f} ms" if duration is not None and duration >= 0.05 else None


_LONGEST = 600
"""Characters; a cell shows fewer, and the selected one is shown in full."""


def json_cell(value: Any) -> str:
    """Return a value as JSON for a cell; empty where absent.

    As JSON, 42 and "42" differ.
    """
    if value is ABSENT:
        return ""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


_MAX_EXACT = 2**53
"""The largest whole number up to which a browser reads each one exactly."""


def draw_json(value: Any, *, expanded: int = 2) -> None:
    """Draw a value as JSON: a tree, or a text where the browser would change a number in it.

    Args:
        value: The value.
        expanded: The levels of the tree that are open.
    """
    if _is_exact(value):
        st.json(value, expanded=expanded)
    else:
        st.code(json.dumps(value, ensure_ascii=False, indent=2, default=str), language="json")


def _is_exact(value: Any) -> bool:
    if isinstance(value, dict | list):
        return all(map(_is_exact, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, int) or abs(value) <= _MAX_EXACT


_MOST_DIFFERENCES, _LONGEST_SIDE = 30, 60


def difference_lines(found: Sequence[Difference]) -> None:
    """Draw the first `_MOST_DIFFERENCES` differences, a line each, and the number of the others."""
    for each in found[:_MOST_DIFFERENCES]:
        before = [] if each.op == "added" else [each.before]
        after = [] if each.op == "removed" else [each.after]
        sides = " → ".join(shorten(json_cell(side), _LONGEST_SIDE) for side in (*before, *after))
        st.text(f"{each.sign} {each.path}: {sides}")
    if len(found) > _MOST_DIFFERENCES:
        st.caption(f"and {count(len(found) - _MOST_DIFFERENCES, 'more difference')}")


_ENDS = re.compile(r"(\s*)(.*?)(\s*)", re.DOTALL)


def word_marks(before: str, after: str) -> None:
    """Draw the difference, with signs beside the colours."""
    st.markdown("".join(_marked(piece) for piece in text_diff(before, after)))


def _marked(piece: Span) -> str:
    """Return a piece of text as Markdown, coloured and signed where it differs; of blanks alone one blank."""
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

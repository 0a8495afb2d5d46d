"""How sameness and difference look: a sign, a word and a colour, so that no one of them is alone."""

from __future__ import annotations

import json
from typing import Any

from debugger.analysis.comparison.alignment import Verdict
from debugger.analysis.comparison.path_overlay import Share
from debugger.analysis.differences import Span
from debugger.views.components.markdown import plain
from debugger.views.components.toolbar import Colour

WORDS: dict[Verdict, str] = {
    "same": "= same",
    "changed": "~ changed",
    "only_a": "− only A",
    "only_b": "+ only B",
}
COLOURS: dict[Verdict, Colour] = {"same": "gray", "changed": "orange", "only_a": "red", "only_b": "blue"}

PATH_WORDS: dict[Share, str] = {"only_a": "A only", "only_b": "B only", "common": "both"}


def shown(value: Any) -> str:
    """A value in one cell, as JSON: so 42 and "42" can be told apart."""
    return json.dumps(value, ensure_ascii=False)


def marked(piece: Span) -> str:
    """Some words of two texts as Markdown, with a sign and a colour where only one text has them."""
    words = plain(piece.text)
    if words and piece.op == "removed":
        words = f":red-background[− {words}]"
    elif words and piece.op == "added":
        words = f":blue-background[+ {words}]"
    before, after = (" " * part.isspace() for part in (piece.text[:1], piece.text[-1:]))
    return before + words + after

"""Differences of two runs as words, colours, marked texts and rows.

A sign, a word and a colour say the same, so that none of them is alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from debugger.analysis.comparison.alignment import RowStatus
from debugger.analysis.comparison.path_overlay import Share
from debugger.analysis.differences import Difference, Op, Span, readable_diff, shared_ends
from debugger.views.components.rows import Chip, Column, Columns, Mark, estimate_width, rows_list, table
from debugger.views.components.toolbar import Colour

WORDS: dict[RowStatus, str] = {
    "same": "= same",
    "changed": "~ changed",
    "only_a": "− only A",
    "only_b": "+ only B",
}
COLOURS: dict[RowStatus, Colour] = {"same": "gray", "changed": "orange", "only_a": "red", "only_b": "blue"}

PATH_WORDS: dict[Share, str] = {"only_a": "A only", "only_b": "B only", "common": "both"}

_STATUS_OF: dict[str, RowStatus] = {
    "same": "same",
    "changed": "changed",
    "removed": "only_a",
    "added": "only_b",
}
DIFFERENCE_WIDTH = 92
"""Pixels of the column that says what differs in a word."""


def status_chip(status: RowStatus, change: str = "") -> list[Chip]:
    """Return what a row says of its difference, with what changed in words."""
    words = f"~ {change}" if change and status == "changed" else WORDS[status]
    return [(words, COLOURS[status])]


def op_chip(op: Op | Literal["same"]) -> list[Chip]:
    """Return the same of a value: what only B has is ``added``."""
    return status_chip(_STATUS_OF[op])


def json_value(value: Any) -> str:
    """Return a value as JSON for a cell.

    As JSON, 42 and "42" differ.
    """
    return json.dumps(value, ensure_ascii=False)


def side_marks(pieces: Sequence[Span], own: Literal["removed", "added"]) -> list[Mark]:
    """Return one side of two compared texts, with its own words marked.

    Args:
        pieces: The words of both texts.
        own: What the words that only this side has are called there.
    """
    return [mark for piece in pieces if piece.op in ("same", own) for mark in _marks(piece)]


def _marks(piece: Span) -> Iterator[Mark]:
    """Yield a piece of text as marks: a difference marks its words, the space around them is ``same``.

    A piece that is ``same``, or has no word, is one ``same`` mark, also where it is empty.
    """
    words = piece.text.strip()
    if piece.op == "same" or not words:
        yield piece.text, "same"
        return
    lead, _, trail = piece.text.partition(words)
    yield from ((part, "same") for part in (lead,) if part)
    yield words, piece.op
    yield from ((part, "same") for part in (trail,) if part)


_LONGEST = 1_500
"""Characters of one value; the whole is in what was recorded."""


def value_marks(before: Any, after: Any, op: Op | Literal["same"]) -> tuple[list[Mark], list[Mark]]:
    """Return a value of A and of B as marked texts; a missing one is the word "absent".

    Values are JSON, but two texts that differ are compared as they are. Long ones are cut to about `_LONGEST`
    characters, those of a change from shortly before the first difference.

    Args:
        before: The value in A.
        after: The value in B.
        op: The difference; ``added`` is in B only, ``removed`` in A only.
    """
    absent: list[Mark] = [("absent", "quiet")]
    if op == "added":
        return absent, [(_cut(after), "added")]
    if op == "removed":
        return [(_cut(before), "removed")], absent
    if op == "same":
        return [(_cut(before), "same")], [(_cut(after), "same")]
    are_texts = isinstance(before, str) and isinstance(after, str)
    one, other = (each if are_texts else json_value(each) for each in (before, after))
    same, _ = shared_ends(one, other)
    begin = max(same - _LONGEST // 3, 0) if max(len(one), len(other)) > _LONGEST else 0
    pieces = readable_diff(_part(one, begin), _part(other, begin))
    return side_marks(pieces, "removed"), side_marks(pieces, "added")


def _part(text: str, begin: int) -> str:
    cut = text[begin : begin + _LONGEST]
    return f"{'…' if begin else ''}{cut}{'…' if begin + _LONGEST < len(text) else ''}"


def _cut(value: object) -> str:
    text = json_value(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


_MOST = 30
_LONGEST_NAME = 200
"""Pixels; a longer one has several lines."""


def difference_rows(key: str, found: Sequence[Difference]) -> None:
    """Draw the first `_MOST` differences as a table of field, value in A and value in B; nothing without any.

    Args:
        key: The table's key.
        found: The differences from A to B.
    """
    if not found:
        return
    shown, more = list(found[:_MOST]), len(found) - _MOST
    sides = {id(each): value_marks(each.before, each.after, each.op) for each in shown}
    names = min(estimate_width(each.path for each in shown), _LONGEST_NAME)
    columns: Columns[Difference] = [
        (Column("path", "Field", 120, "marks", fits=names), lambda each: [(each.path, "same")]),
        (Column("a", "A", 110, "marks", grows=True), lambda each: sides[id(each)][0]),
        (Column("b", "B", 110, "marks", grows=True), lambda each: sides[id(each)][1]),
    ]
    label = f"Fields that differ, the first {_MOST} of {len(found)}" if more > 0 else "Fields that differ"
    rows_list(key, table(f"{label}: the value in A, and the value in B", shown, columns))

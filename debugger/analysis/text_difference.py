"""The difference between two texts, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_MOST_WORDS = 4000
"""Of both texts, without what they begin and end with alike; comparing costs their square."""


@dataclass(frozen=True)
class Piece:
    """Some words that stand in both texts, or in one of them."""

    text: str
    op: Literal["same", "removed", "added"]


def text_difference(before: str, after: str) -> list[Piece]:
    """What was kept, removed and added, in reading order; joined by ``op`` the pieces give both texts again.

    Texts that are very long and differ a lot are told apart as a whole between what they share at both ends.
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    first, shorter = 0, min(len(old), len(new))
    while first < shorter and old[first] == new[first]:
        first += 1
    behind = 0
    while behind < shorter - first and old[-1 - behind] == new[-1 - behind]:
        behind += 1
    middle = _middle(old[first : len(old) - behind], new[first : len(new) - behind])
    return list(_joined([("same", old[:first]), *middle, ("same", old[len(old) - behind :])]))


_Run = tuple[Literal["same", "removed", "added"], list[str]]


def _middle(old: list[str], new: list[str]) -> Iterator[_Run]:
    if len(old) + len(new) > _MOST_WORDS or not old or not new:
        yield "removed", old
        yield "added", new
        return
    for op, old_from, old_to, new_from, new_to in SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if op == "equal":
            yield "same", old[old_from:old_to]
        else:
            yield "removed", old[old_from:old_to]
            yield "added", new[new_from:new_to]


def _joined(runs: list[_Run]) -> Iterator[Piece]:
    """The runs as texts; empty ones left out, neighbours of one kind in one piece."""
    held: Piece | None = None
    for op, words in runs:
        text = "".join(words)
        if held is not None and text and held.op == op:
            held = Piece(held.text + text, op)
        elif text:
            if held is not None:
                yield held
            held = Piece(text, op)
    if held is not None:
        yield held

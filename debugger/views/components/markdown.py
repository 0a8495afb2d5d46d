"""Text from outside where only Markdown fits: every mark in it is shown, none is obeyed."""

from __future__ import annotations

import re

_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:^=&])")


def plain(text: str) -> str:
    """The text with every character that Markdown could read as a mark escaped.

    A picture or a link in it stays words: nothing is loaded from where it points.
    """
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def count(number: int, noun: str) -> str:
    """A number and what it counts: ``1 hop``, ``2,000 hops``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

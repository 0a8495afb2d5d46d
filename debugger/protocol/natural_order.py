"""The order in which people read names."""

from __future__ import annotations

import re

_DIGITS = 1_000
"""Digits of a number at most; Python refuses to read 4,300 and more, so a longer one counts as a word."""


def natural_key(text: str) -> list[tuple[int, float, str]]:
    """Return a key that sorts numbers within texts by their size and before words, these in any case.

    With it `sorted` puts ``Call 9`` before ``call 10``.
    """
    parts = re.findall(r"\d+|\D+", text.casefold())
    return [
        (0, int(part), "") if part.isdecimal() and len(part) <= _DIGITS else (1, 0, part) for part in parts
    ]

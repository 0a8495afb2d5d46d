"""Texts of reports, cut where no personal data and no secret is cut in two.

A report is masked once its texts are made: the beginning of an address, a number or a key would stay in it,
since no rule knows it any more.
"""

from __future__ import annotations

import re

from debugger.analysis.timeline import shorten

_WORD = re.compile(r"[A-Za-z0-9_.+@%/=:&?#~$!*-]+\Z")
_NUMBER = re.compile(r"(?<![\w@])[0-9\s()+./-]+\Z")
_LONGEST_NUMBER = 64
"""Characters that are looked at for a number; rules know shorter ones only."""


def shorten_between(text: str, length: int) -> str:
    """Return a text on one line of so many characters at most, cut between words and outside of numbers.

    An ellipsis marks a cut; of a text that is one long word nothing else may be left.
    """
    if len(text) <= length:
        return shorten(text, length)
    end = length - 1
    if word := _WORD.search(text, 0, end):
        end = word.start()
    if number := _NUMBER.search(text, max(0, end - _LONGEST_NUMBER), end):
        end = number.start()
    return shorten(f"{text[:end].rstrip()}…", length)

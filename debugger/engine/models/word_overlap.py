"""Word overlap of a message with a condition in plain words."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from operator import attrgetter

THRESHOLD = 0.7
"""The score from which a condition counts as met."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_PART_END = re.compile(r"[.,;:!?()/\n]|\bn?or\b")
_MIN_STEM = 4
"""Letters from which the beginning of a longer word counts as that word, as "book" of "booking"."""


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEGATIONS = _set("no not never none nothing nope neither without cannot")
_STOP_WORDS = _set(
    """
    a about also already am an and any anything are as ask asks at be been being by call caller can client
    contact could currently customer did do does done eg else etc everything express for from get give gives
    guest had has have having he her him his how i i'd i'll i'm i've if in indicate indicated indicates into
    is it it's its just know let lets like make makes may me mention mentions might mine more must my need
    needs now of off on other otherwise our out over patient please provide question questions request
    requests say says shall she should so some something state tell tells than thank thanks that that's the
    their them then there these they they're this those to too true false try up us user very visitor want
    wanted wants was we we'd were what what's when where whether which while who why will wish wishes with
    would you you're your
    """
)
"""Words without a meaning of their own, or that most conditions contain."""


def words(text: str) -> list[str]:
    """Return a text's words without stop words; every negation is "not"."""
    tokens = _WORD.findall(text.lower().replace("’", "'"))
    plain = ("not" if token in _NEGATIONS or token.endswith("n't") else token for token in tokens)
    return [token for token in plain if token not in _STOP_WORDS]


def is_same_word(first: str, second: str) -> bool:
    """Return whether two words are equal, or one begins with the other."""
    short, long = sorted((first, second), key=len)
    return first == second or (len(short) >= _MIN_STEM and long.startswith(short))


@dataclass(frozen=True)
class Overlap:
    """Words that a message shares with the best alternative of a condition."""

    condition: str
    shared: tuple[str, ...] = ()
    """Words of the condition that the message has too, as the condition writes them."""
    total: int = 0
    """Number of the alternative's words."""

    @property
    def score(self) -> float:
        """Return shared words over the root of all words.

        One of two is enough, of three it takes two.
        """
        return len(self.shared) / math.sqrt(self.total) if self.total else 0.0

    @property
    def is_met(self) -> bool:
        """Return whether the condition counts as met."""
        return self.score >= THRESHOLD

    def __str__(self) -> str:
        """Return the words that decided, as text for the user."""
        shared = ", ".join(repr(word) for word in self.shared)
        return f"{shared} of the condition {self.condition!r} ({len(self.shared)} of {self.total} words)"


def overlap(message: str, condition: str) -> Overlap:
    """Compare a message with each alternative of a condition.

    Alternatives are parts between "or" and punctuation, as in "reschedule or cancel".

    Words of a part of the message that has a negation count only for an alternative that has one, and the
    reverse: "I do not want to book" is no wish to book.

    Returns:
        The overlap with the alternative that is met best, the first of several.
    """
    parts = [words(part) for part in _PART_END.split(message.lower())]
    overlaps = []
    for alternative in _PART_END.split(condition.lower()):
        wanted = list(dict.fromkeys(words(alternative)))
        comparable = [word for part in parts if ("not" in part) == ("not" in wanted) for word in part]
        shared = [word for word in wanted if any(is_same_word(word, one) for one in comparable)]
        overlaps.append(Overlap(condition, tuple(shared), len(wanted)))
    return max(overlaps, key=attrgetter("score"))

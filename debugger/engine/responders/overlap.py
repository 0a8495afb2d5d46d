"""How far what a user said meets a condition in plain words: by the words that both share."""

from __future__ import annotations

import math
from dataclasses import dataclass

from debugger.engine.responders.words import NO, Word, clauses, words

THRESHOLD = 0.7
"""The score from which a condition counts as met."""


@dataclass(frozen=True)
class Overlap:
    """What a message shares with the alternative of a condition that it meets best."""

    condition: str
    shared: tuple[str, ...] = ()
    """Words of the condition that the message has too, as the condition writes them."""
    total: int = 0
    """How many words that alternative has."""
    plain_no: bool = False
    """Whether it is met because the message is nothing but a "no" and the alternative denies something."""

    @property
    def score(self) -> float:
        """Shared words over the root of all words: one of two is enough, of three it takes two."""
        if self.plain_no:
            return THRESHOLD
        return len(self.shared) / math.sqrt(self.total) if self.total else 0.0

    @property
    def is_met(self) -> bool:
        """Whether the condition counts as met."""
        return self.score >= THRESHOLD

    def __str__(self) -> str:
        """The words that decided, for people."""
        quoted = f"the condition {self.condition!r}"
        if self.plain_no:
            return f"a plain no, which fits {quoted}"
        shared = ", ".join(repr(word) for word in self.shared)
        return f"{shared} of {quoted} ({len(self.shared)} of {self.total} words)"


def overlap(message: str, condition: str) -> Overlap:
    """Compare a message with a condition.

    A word counts only where both deny it or neither does, so "I do not want to book" meets "caller does not
    want to book" and not "caller wants to book".

    Args:
        message: What the user said.
        condition: The condition in plain words; each alternative in it ("reschedule or cancel") stands alone.

    Returns:
        The overlap with the alternative that is met best, the first of several.
    """
    said = words(message)
    alternatives = [_Alternative(condition, clause) for clause in _telling(condition)]
    found = [alternative.compare(said) for alternative in alternatives]
    return max(found, key=lambda one: one.score, default=Overlap(condition))


@dataclass(frozen=True)
class _Alternative:
    condition: str
    clause: list[Word]

    def compare(self, said: list[Word]) -> Overlap:
        keys = {word.key for word in said}
        wanted = {word.key: word.text for word in self.clause}
        shared = tuple(text for key, text in wanted.items() if key in keys)
        return Overlap(self.condition, shared, len(wanted), plain_no=not shared and self._refused_by(said))

    def _refused_by(self, said: list[Word]) -> bool:
        telling = {word.key for word in said if not word.weak}
        return telling == {(NO, False)} and any(word.denied for word in self.clause)


def _telling(condition: str) -> list[list[Word]]:
    """The alternatives by their telling words; by the weak ones where a condition has no others."""
    found = clauses(condition)
    strong = [[word for word in clause if not word.weak] for clause in found]
    return [clause for clause in strong if clause] or found

"""The words of a text as stems, and how many of them a message shares with a condition in plain words."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from operator import attrgetter

THRESHOLD = 0.7
"""The score from which a condition counts as met."""

YES, NO = "yes", "no"
"""The stems that every way of agreeing, or of refusing, is reduced to."""

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_PIECE_END = re.compile(
    r"[.,;:!?()\[\]\"\n]|\s[-–—]+\s|\b(?:but|however|instead|because|rather)\b|\band(?=\s+(?:i|we|you|please)\b)"
)
_VOWEL = re.compile(r"[aeiouy]")
_ALTERNATIVE = re.compile(r"\bn?or\b|/")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FUNCTION = _set(
    "a an the this that these those there here to of in on at for from by with about as into up out off "
    "over and or if when then than while whether i me my mine we us our you your he him she her it its "
    "they them their his who what which how where why is are was were be been being am do does did done "
    "has have had having can could will would shall should may might must let lets so too very just also "
    "any some all anything something everything else more other another now already currently otherwise e "
    "g i'd i'm i've i'll it's that's what's we'd you're they're eg etc caller user customer client guest "
    "visitor patient"
)
"""Words that say nothing by themselves."""

_WEAK = _set(
    "want like need ask say tell mention request give provide indicate express state wish try question "
    "help know get make thank please true false call contact"
)
"""What most conditions say whatever they are about: that someone speaks, wants or needs."""

_SUFFIXES = (("ation", 4), ("ment", 3), ("ingly", 4), ("edly", 4), ("ing", 3), ("ed", 3), ("ly", 4))
"""Endings that are cut off, and how much of the word must be left."""

_NEGATIONS = _set("not no never none nobody nothing neither without cannot cant dont wont")
_AGREEING = _set("yes yeah yep yup sure ok okay correct confirm agree accept absolutely")
_REFUSING = _set("nope nah refuse decline deny disagree reject")


@dataclass(frozen=True)
class Word:
    """One word that counts."""

    stem: str
    denied: bool
    """Whether a "not" or its like stands before it in the same part of the sentence."""
    text: str
    """As written, in lower case."""
    weak: bool = False
    """Whether it stands in most conditions, whatever they are about."""

    @property
    def key(self) -> tuple[str, bool]:
        """Return what two words must share to mean the same."""
        return self.stem, self.denied


def words(text: str) -> list[Word]:
    """Return every word of a text that counts, in order."""
    return [word for clause in clauses(text) for word in clause]


def clauses(text: str) -> list[list[Word]]:
    """Return the alternatives that a text names, split at punctuation and at "or", without empty ones.

    A denial goes on past an "or" and ends with its part of the sentence: "does not want tea or coffee, asks
    for water" denies both drinks and not the water.
    """
    found: list[list[Word]] = []
    for piece in _PIECE_END.split(text.lower().replace("’", "'")):
        denied = ""
        for part in _ALTERNATIVE.split(piece):
            clause: list[Word] = []
            bare_denial = ""
            for token in _TOKEN.findall(part):
                if token in _NEGATIONS or token.endswith("n't"):
                    denied = bare_denial = token
                elif token not in _FUNCTION:
                    clause.append(_word(token, bool(denied)))
                    bare_denial = bare_denial if clause[-1].weak else ""
            if bare_denial:
                # A denial of nothing in particular, as in "no, thanks" or "needs nothing else", is a refusal.
                clause.append(Word(NO, False, bare_denial))
            found.append(clause)
    return [clause for clause in found if clause]


def stem(word: str) -> str:
    """Return a word without its ending, so that "cancelled", "cancelling" and "cancellation" are one."""
    word = word.removesuffix("'s").replace("'", "")
    if len(word) > 4 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for suffix, shortest in _SUFFIXES:
        rest = word.removesuffix(suffix)
        if rest != word and len(rest) >= shortest and _VOWEL.search(rest):
            word = rest
            break
    # Endings that differ between forms of one word: a last e, y for i, a doubled consonant.
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 2 and word.endswith("y"):
        word = word[:-1] + "i"
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiou":
        word = word[:-1]
    return word


def _word(token: str, denied: bool) -> Word:
    root = stem(token)
    if root in _AGREEING_STEMS or root in _REFUSING_STEMS:
        agrees = (root in _AGREEING_STEMS) != denied
        return Word(YES if agrees else NO, False, token)
    return Word(root, denied, token, weak=root in _WEAK_STEMS)


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
        """Return shared words over the root of all words: one of two is enough, of three it takes two."""
        if self.plain_no:
            return THRESHOLD
        return len(self.shared) / math.sqrt(self.total) if self.total else 0.0

    @property
    def is_met(self) -> bool:
        """Return whether the condition counts as met."""
        return self.score >= THRESHOLD

    def __str__(self) -> str:
        """Return the words that decided, as text for the user."""
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
    said, alternatives = words(message), clauses(condition)
    # By their significant words; by the weak ones where a condition has no others.
    significant = [[word for word in clause if not word.weak] for clause in alternatives]
    compared = [_compare(condition, clause, said) for clause in significant if clause]
    compared = compared or [_compare(condition, clause, said) for clause in alternatives]
    return max(compared, key=attrgetter("score"), default=Overlap(condition))


def _compare(condition: str, alternative: list[Word], said: list[Word]) -> Overlap:
    keys = {word.key for word in said}
    wanted = {word.key: word.text for word in alternative}
    shared = tuple(text for key, text in wanted.items() if key in keys)
    if shared or not any(word.denied for word in alternative):
        return Overlap(condition, shared, len(wanted))
    is_plain_no = {word.key for word in said if not word.weak} == {(NO, False)}
    return Overlap(condition, shared, len(wanted), plain_no=is_plain_no)


_WEAK_STEMS = frozenset(stem(word) for word in _WEAK)
_AGREEING_STEMS = frozenset(stem(word) for word in _AGREEING)
_REFUSING_STEMS = frozenset(stem(word) for word in _REFUSING)

"""The words of a text as stems, each with whether the text denies it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

YES, NO = "yes", "no"
"""The stems that every way of agreeing, or of refusing, is reduced to."""

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_PIECE_END = re.compile(
    r"[.,;:!?()\[\]\"\n]|\s[-–—]+\s|\b(?:but|however|instead|because|rather)\b|\band(?=\s+(?:i|we|you|please)\b)"
)
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
        """What two words must share to say the same."""
        return self.stem, self.denied


def words(text: str) -> list[Word]:
    """Every word of a text that counts, in order."""
    return [word for clause in clauses(text) for word in clause]


def clauses(text: str) -> list[list[Word]]:
    """The alternatives that a text names, split at punctuation and at "or"; those without a word left out.

    A denial goes on past an "or" and ends with its part of the sentence: "does not want tea or coffee, asks
    for water" denies both drinks and not the water.
    """
    pieces = _PIECE_END.split(text.lower().replace("’", "'"))
    found = [clause for piece in pieces for clause in _alternatives(piece)]
    return [clause for clause in found if clause]


def stem(word: str) -> str:
    """A word without its ending, so that "cancelled", "cancelling" and "cancellation" are one."""
    bare = _without_plural(word.removesuffix("'s").replace("'", ""))
    for suffix, shortest in _SUFFIXES:
        rest = bare.removesuffix(suffix)
        if rest != bare and len(rest) >= shortest and _has_vowel(rest):
            return _tidy(rest)
    return _tidy(bare)


def _alternatives(piece: str) -> Iterator[list[Word]]:
    denied = ""
    for part in _ALTERNATIVE.split(piece):
        clause, denied = _clause(part, denied)
        yield clause


def _clause(part: str, denied: str) -> tuple[list[Word], str]:
    """The words of one alternative, and the denial that goes on behind it (empty when there is none)."""
    found: list[Word] = []
    lonely = ""
    for token in _TOKEN.findall(part):
        if token in _NEGATIONS or token.endswith("n't"):
            denied = lonely = token
        elif token not in _FUNCTION:
            found.append(_word(token, bool(denied)))
            lonely = lonely if found[-1].weak else ""
    if lonely:
        # A denial of nothing in particular, as in "no, thanks" or "needs nothing else", is a refusal.
        found.append(Word(NO, False, lonely))
    return found, denied


def _word(token: str, denied: bool) -> Word:
    root = stem(token)
    if root in _AGREEING_STEMS or root in _REFUSING_STEMS:
        agrees = (root in _AGREEING_STEMS) != denied
        return Word(YES if agrees else NO, False, token)
    return Word(root, denied, token, weak=root in _WEAK_STEMS)


def _without_plural(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _has_vowel(text: str) -> bool:
    return re.search(r"[aeiouy]", text) is not None


def _tidy(word: str) -> str:
    """Ends that differ between forms of one word: a last e, y for i, a doubled consonant."""
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 2 and word.endswith("y"):
        word = word[:-1] + "i"
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiou":
        word = word[:-1]
    return word


_WEAK_STEMS = frozenset(stem(word) for word in _WEAK)
_AGREEING_STEMS = frozenset(stem(word) for word in _AGREEING)
_REFUSING_STEMS = frozenset(stem(word) for word in _REFUSING)

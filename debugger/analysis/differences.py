"""Differences between JSON values, and between texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import eq, itemgetter
from typing import Any, Final, Literal

from debugger.protocol.json_codec import encode

Op = Literal["added", "removed", "changed"]

SIGNS: Final[dict[str, str]] = {"added": "+", "removed": "−", "changed": "~"}
"""Signs beside a colour, or instead of one."""

_ID_KEYS = ("id", "logical_id", "_id", "uuid", "key")
_DEEPEST = 100
"""Levels; what is nested deeper is compared as one value."""


@dataclass(frozen=True)
class Difference:
    """One value that changed."""

    path: str
    """Dotted, with ``[n]`` for the place in a list, or ``[id=n]`` where its objects have ids:
    ``order.teas[1].name``. Of what was removed it is the place in the earlier list. ``[order]`` says that
    objects with ids changed places. Empty where the two values themselves differ."""
    before: Any
    """``None`` for what was added; ``op`` distinguishes that from a null."""
    after: Any
    op: Op

    @property
    def sign(self) -> str:
        """Return ``+``, ``−`` or ``~`` for the operation."""
        return SIGNS[self.op]


def differences(before: Any, after: Any, path: str = "") -> list[Difference]:
    """Return the differences between two values.

    Keys of the earlier value come first, in its order, then the new ones.

    Objects and lists on both sides are compared by their parts, everything else as one value.
    Objects in a list belong together by their ids where all of them have one (``id``, ``logical_id``,
    ``_id``, ``uuid`` or ``key``); other lists by what they begin and end with alike, and by place between.
    ``true`` is not ``1``, and a null is not the same as no key.

    Args:
        before: Any JSON value.
        after: Another.
        path: What the paths begin with.
    """
    return list(_of_values(before, after, path, 0))


def is_same(before: Any, after: Any, depth: int = 0) -> bool:
    """Return whether two JSON values are equal; ``True`` is not ``1``, except below `_DEEPEST` levels."""
    if before is after:
        return True
    if before != after:
        return False
    if type(before) is str:  # most values are texts
        return True
    if isinstance(before, bool) or isinstance(after, bool):
        return False
    if depth < _DEEPEST and isinstance(before, Mapping):
        return all(is_same(value, after[key], depth + 1) for key, value in before.items())
    if depth < _DEEPEST and isinstance(before, list):
        return all(is_same(*pair, depth + 1) for pair in zip(before, after, strict=True))
    return True


def is_identical_json(before: Any, after: Any) -> bool:
    """Return whether two JSON values have the same text; faster than `is_same`."""
    # Neither is enough: ``True`` equals ``1``, and the text of a number that is not finite is that of a null.
    return bool(before == after) and encode(before) == encode(after)


def _of_values(before: Any, after: Any, path: str, depth: int) -> Iterator[Difference]:
    """Yield the differences of two values: by their parts where both are objects or lists, else as one."""
    if before is after:
        return
    if depth < _DEEPEST and isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _by_key(before, after, f"{path}." if path else "", "", depth + 1)
    elif depth < _DEEPEST and isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, path, depth + 1)
    elif not is_same(before, after):
        yield Difference(path, before, after, "changed")


def _by_key(
    before: Mapping[Any, Any], after: Mapping[Any, Any], lead: str, close: str, depth: int
) -> Iterator[Difference]:
    """Yield the differences of two objects, keys of the earlier first; a path is lead, key and close."""
    for key, value in before.items():
        if key in after:
            yield from _of_values(value, after[key], f"{lead}{key}{close}", depth)
        else:
            yield Difference(f"{lead}{key}{close}", value, None, "removed")
    for key, value in after.items():
        if key not in before:
            yield Difference(f"{lead}{key}{close}", None, value, "added")


def _of_lists(before: list[Any], after: list[Any], path: str, depth: int) -> Iterator[Difference]:
    """Yield the differences of two lists, by the ids of their objects where all have one, else by place.

    A changed order of what both have is one more difference.
    """
    key = next((key for key in _ID_KEYS if _all_have(key, before) and _all_have(key, after)), None)
    if key is None:
        yield from _by_place(before, after, path, depth)
        return
    old, new = ({item[key]: item for item in items} for items in (before, after))
    yield from _by_key(old, new, f"{path}[{key}=", "]", depth)
    before_order, after_order = [each for each in old if each in new], [each for each in new if each in old]
    if before_order != after_order:
        yield Difference(f"{path}[order]", before_order, after_order, "changed")


def _by_place(before: list[Any], after: list[Any], path: str, depth: int) -> Iterator[Difference]:
    """Yield the differences of what is between the ends that two lists share, by place.

    Paths of what was added have the place in the later list.
    """
    first, behind = shared_ends(before, after, is_same)
    old, new = range(first, len(before) - behind), range(first, len(after) - behind)
    for place in old[: len(new)]:
        yield from _of_values(before[place], after[place], f"{path}[{place}]", depth)
    for place in old[len(new) :]:
        yield Difference(f"{path}[{place}]", before[place], None, "removed")
    for place in new[len(old) :]:
        yield Difference(f"{path}[{place}]", None, after[place], "added")


def shared_ends(
    before: Sequence[Any], after: Sequence[Any], is_equal: Callable[[Any, Any], bool] = eq
) -> tuple[int, int]:
    """Return how many items two lists share at their begin, and then at their end; no item counts twice."""
    first, shorter = 0, min(len(before), len(after))
    while first < shorter and is_equal(before[first], after[first]):
        first += 1
    behind = 0
    while behind < shorter - first and is_equal(before[-1 - behind], after[-1 - behind]):
        behind += 1
    return first, behind


def _all_have(key: str, items: Sequence[Any]) -> bool:
    """Return whether every item is an object with a unique id."""
    ids = [item.get(key) if isinstance(item, Mapping) else None for item in items]
    are_ids = all(isinstance(one, str | int) and not isinstance(one, bool) for one in ids)
    return are_ids and len(set(ids)) == len(ids)


_MARKS = (
    r"!-/:-@\[-\^`{-~\u00a1\u00a7\u00ab\u00b7\u00bb\u00bf"
    r"\u2010-\u2027\u2030-\u205e\u3001-\u3003\u3008-\u3011\u3014-\u301f\uff01-\uff0f\uff1a-\uff20"
)
"""Punctuation, as a set of a pattern."""
_SIGNS_ALONE = "\u3041-\u3096\u30a0-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Chinese and Japanese signs: there are no blanks between words."""
_ON_SIGNS = "\u3099\u309a\ufe00-\ufe0f\U000e0100-\U000e01ef"
_WORDS = re.compile(rf"\s+|[{_MARKS}]|[{_SIGNS_ALONE}][{_ON_SIGNS}]*|[^\s{_MARKS}{_SIGNS_ALONE}]+")
"""Words, blanks and marks; accents, vowel signs and the parts of an emoji belong to a word."""
_MOST_EDITS = 600
"""Words that are removed or added; comparing costs their square."""


@dataclass(frozen=True)
class Span:
    """Words that both texts have, or one of them."""

    text: str
    op: Literal["same", "removed", "added"]


def text_diff(before: str, after: str) -> list[Span]:
    """Return the same, removed and added words, in reading order.

    The spans of each text, joined, are the text again.

    Where more than 600 words differ, what is between the ends that both share is compared as a whole.
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    first, behind = shared_ends(old, new)
    middle = _middle(old[first : len(old) - behind], new[first : len(new) - behind])
    return list(_joined([("same", old[:first]), *middle, ("same", old[len(old) - behind :])]))


_Run = tuple[Literal["same", "removed", "added"], list[str]]


def _middle(old: list[str], new: list[str]) -> Iterator[_Run]:
    """Yield removed, added and same words by turns, some of them empty."""
    at = other = 0
    for same, its in [*_pairs(old, new), (len(old), len(new))]:
        yield "removed", old[at:same]
        yield "added", new[other:its]
        yield "same", old[same : same + 1]
        at, other = same + 1, its + 1


def _pairs(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """Return the places of the most words that both lists have in one order; none where too many differ.

    Source: E. Myers, An O(ND) Difference Algorithm and Its Variations, 1986.
    """
    reached, trail = {1: 0}, list[dict[int, int]]()  # by diagonal the place in the old words
    for edits in range(min(len(old) + len(new), _MOST_EDITS) + 1):
        trail.append(reached.copy())
        for diagonal in range(-edits, edits + 1, 2):
            before = _diagonal_before(reached, diagonal, edits)
            at = reached[before] + (before < diagonal)
            while at < len(old) and at - diagonal < len(new) and old[at] == new[at - diagonal]:
                at += 1
            reached[diagonal] = at
            if at == len(old) and at - diagonal == len(new):
                return _pairs_of(trail, at, at - diagonal)
    return []


def _diagonal_before(reached: Mapping[int, int], diagonal: int, edits: int) -> int:
    """Return the diagonal from which the last edit leads to another one furthest."""
    is_added = diagonal == -edits or (diagonal != edits and reached[diagonal - 1] < reached[diagonal + 1])
    return diagonal + 1 if is_added else diagonal - 1


def _pairs_of(trail: list[dict[int, int]], at: int, other: int) -> list[tuple[int, int]]:
    """Return the pairs of places on the way to the end of both lists, in order.

    Args:
        trail: For each number of edits, the furthest places by diagonal before them.
        at: The end in the old words.
        other: That in the new words.
    """
    found: list[tuple[int, int]] = []
    for edits in range(len(trail) - 1, -1, -1):
        before = _diagonal_before(trail[edits], at - other, edits)
        begin = max(trail[edits][before], 0)
        while at > begin and other > max(begin - before, 0):
            at, other = at - 1, other - 1
            found.append((at, other))
        at, other = begin, begin - before
    return found[::-1]


def _joined(runs: list[_Run]) -> Iterator[Span]:
    """Join neighbours of one kind; empty ones are left out."""
    filled = (run for run in runs if run[1])
    for op, group in groupby(filled, key=itemgetter(0)):
        yield Span("".join(word for _, words in group for word in words), op)


_LEAST_SHARED = 0.5
"""Share of the shorter text's words; below it two texts agree by coincidence."""


def readable_diff(a: str, b: str) -> list[Span]:
    """Return the word differences, or both texts if they share too little."""
    found = text_diff(a, b)
    shared = sum(_weight(piece.text) for piece in found if piece.op == "same")
    if shared >= _LEAST_SHARED * min(_weight(a), _weight(b)):
        return found
    return [Span(a, "removed"), Span(b, "added")]


def _weight(text: str) -> int:
    return len("".join(text.split()))

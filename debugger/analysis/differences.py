"""Differences between JSON values, and between texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
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
    """Return whether two JSON values are equal; ``True`` is not ``1``."""
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
    for key, value in before.items():
        if key in after:
            yield from _of_values(value, after[key], f"{lead}{key}{close}", depth)
        else:
            yield Difference(f"{lead}{key}{close}", value, None, "removed")
    for key, value in after.items():
        if key not in before:
            yield Difference(f"{lead}{key}{close}", None, value, "added")


def _of_lists(before: list[Any], after: list[Any], path: str, depth: int) -> Iterator[Difference]:
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
    """Return how many items two lists share at their begin and end."""
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


_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_MOST_WORDS = 4000
"""Of both texts, without what they begin and end with alike; comparing costs their square."""


@dataclass(frozen=True)
class Span:
    """Words that both texts have, or one of them."""

    text: str
    op: Literal["same", "removed", "added"]


def text_diff(before: str, after: str) -> list[Span]:
    """Return the same, removed and added words, in reading order.

    The spans of each text, joined, are the text again.

    Between what very long and different texts share at both ends they are compared as a whole.
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    first, behind = shared_ends(old, new)
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

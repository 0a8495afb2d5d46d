"""Paths into JSON data: ``a.b``, ``rows[].id``, ``rows[1].id``, ``a['b.c']``.

Unlike a reference in a text (`debugger.expressions.lookup`) a path begins inside a value, can lead to many
places, and knows no made-up properties such as ``size``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from typing import Any, Final

from debugger.errors import InputError
from debugger.expressions import ABSENT
from debugger.expressions.values import shortened


class Every(Enum):
    """The type of `EVERY`."""

    EVERY = "every"


EVERY: Final = Every.EVERY
"""The step into every element of a list, written ``[]``."""

Path = tuple[str | int | Every, ...]
"""The way into a value: names, indexes and `EVERY`. An index below zero counts from the end."""

_Tree = dict[str | int | Every | None, Any]
"""Paths by their first step, each with a tree of what follows; ``None`` where a path ends."""

_SHOWN = 80
"""Characters of a path that an error shows."""

_STEP = re.compile(
    r"""
    (?: \A | (?! \A ) \. ) (?P<name> [^.\[\]]+ )
    | \[ \s* (?P<index> -?[0-9]{1,9} ) \s* \]
    | \[ \s* (?P<quote> ['"] ) (?P<key> .*? ) (?P=quote) \s* \]
    | \[ \s* (?P<every> ) \]
    """,
    re.VERBOSE | re.DOTALL,
)


def parse_path(text: str) -> Path:
    """Read a path as its steps, such as ``("rows", EVERY, "id")``.

    Raises:
        InputError: It is empty or malformed; the message says where.

    Source: ``platform.md#deduplicate`` and ``platform.md#field_extractor``.
    """
    steps, end = list[str | int | Every](), 0
    while match := _STEP.match(text, end):
        steps.append(_step(match))
        end = match.end()
    if end < len(text) or not steps:
        raise InputError(
            f"{shortened(text, _SHOWN)!r} is not a path: it is invalid from character {end + 1} on.",
            advice="Write a path as a.b, rows[].id, rows[1].id or a['b.c'].",
        )
    return tuple(steps)


def value_at(value: Any, path: Path) -> Any:
    """Return the value at a path without `EVERY`, or `ABSENT`.

    Null is a value.
    """
    for step in path:
        if not has_step(value, step):
            return ABSENT
        value = value[step]
    return value


def retain(value: Any, paths: Sequence[Path]) -> Any:
    """Return a copy of a value that has only what the paths lead to; the value itself is not changed.

    At the end of a path all of the value stays.

    Objects and lists on the way keep their places and their order, so ``rows[].id`` gives a list of objects,
    with an empty one for a row that has no ``id``; ``rows[1].id`` gives a list of one.

    Returns:
        The reduced value, or `ABSENT` where all paths lead into something that has no inside.

    Source: ``platform.md#field_extractor``, U-13.
    """
    tree: _Tree = {}
    for path in paths:
        branch = tree
        for step in path:
            branch = branch.setdefault(step, {})
        branch[None] = {}
    return _retain(value, [tree])


def _retain(value: Any, trees: list[_Tree]) -> Any:
    """Return a value with only what the paths of the trees lead to.

    It is the value itself where one of them ends, and `ABSENT` where none does and it is no object or list.
    Members and elements that would be `ABSENT` are left out.
    """
    if any(None in tree for tree in trees):
        return value
    if isinstance(value, dict):
        members = {
            name: _retain(inner, onward) for name, inner in value.items() if (onward := _onward(trees, name))
        }
        return {name: inner for name, inner in members.items() if inner is not ABSENT}
    if isinstance(value, list):
        elements = [
            _retain(inner, onward)
            for index, inner in enumerate(value)
            if (onward := _onward(trees, EVERY, index, index - len(value)))
        ]
        return [element for element in elements if element is not ABSENT]
    return ABSENT


def _step(match: re.Match[str]) -> str | int | Every:
    """Return the step that a match of `_STEP` stands for: `EVERY`, an index, or a name or quoted key."""
    if match["every"] is not None:
        return EVERY
    if match["index"] is not None:
        return int(match["index"])
    name: str = match["key"] if match["key"] is not None else match["name"]
    return name


def has_step(value: Any, step: str | int | Every) -> bool:
    """Return whether a value has something at a step."""
    if isinstance(value, list):
        return isinstance(step, int) and -len(value) <= step < len(value)
    return isinstance(value, dict) and step in value


def _onward(trees: list[_Tree], *steps: str | int | Every) -> list[_Tree]:
    return [tree[step] for tree in trees for step in steps if step in tree]

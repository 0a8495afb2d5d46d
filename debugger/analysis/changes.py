"""The changes between two JSON values, path by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Change:
    """One value that is not what it was."""

    path: str
    """Dotted, with ``[n]`` for the place in a list: ``order.teas[1].name``."""
    before: Any
    """``None`` for what was added; ``op`` tells that apart from a null."""
    after: Any
    op: Literal["added", "removed", "changed"]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What differs between two objects: keys of the earlier one in its order, then the new ones.

    Objects and lists that stand on both sides are gone into; everything else is compared as one value.
    ``true`` is not ``1``, and a null is not the same as no key.
    """
    return list(_of_objects(before, after, ""))


def _of_objects(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[Change]:
    if before is after:
        return
    lead = f"{path}." if path else ""
    for key, value in before.items():
        if key in after:
            yield from _of_values(value, after[key], f"{lead}{key}")
        else:
            yield Change(f"{lead}{key}", value, None, "removed")
    for key, value in after.items():
        if key not in before:
            yield Change(f"{lead}{key}", None, value, "added")


def _of_lists(before: list[Any], after: list[Any], path: str) -> Iterator[Change]:
    for place, (old, new) in enumerate(zip(before, after, strict=False)):
        yield from _of_values(old, new, f"{path}[{place}]")
    for place in range(len(after), len(before)):
        yield Change(f"{path}[{place}]", before[place], None, "removed")
    for place in range(len(before), len(after)):
        yield Change(f"{path}[{place}]", None, after[place], "added")


def _of_values(before: Any, after: Any, path: str) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_objects(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, path)
    elif before is not after and (before != after or isinstance(before, bool) != isinstance(after, bool)):
        yield Change(path, before, after, "changed")

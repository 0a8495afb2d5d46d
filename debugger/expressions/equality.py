"""Equality of JSON values, as a key for sets and dictionaries."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

_MAX_PLAIN = 2**53
"""Numbers up to here are their own key; the hashes of larger ones can be made to collide."""


def equality_key(value: Any) -> Hashable:
    """Return a key that is equal for equal JSON values, and only for those.

    Values of different types are different, except that ``1`` and ``1.0`` are one number. Objects are equal
    whatever the order of their members. The key of a list or an object is a text, because hashes of texts
    are seeded: nobody can choose values whose keys collide, which would make a set of them slow.

    Raises:
        RecursionError: It is nested too deep.
    """
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bool):  # Python counts true as 1
        return (value,)
    if isinstance(value, int | float) and abs(value) <= _MAX_PLAIN:
        return value
    parts: list[str] = []
    _write(value, parts)
    return ("".join(parts), None)


def _write(value: Any, parts: list[str]) -> None:
    """Write a value so that no two different ones are written alike: each text after its length."""
    if isinstance(value, str):
        parts += f"{len(value)}:", value
    elif isinstance(value, bool) or value is None:
        parts.append(f"{value};")
    elif isinstance(value, int):
        parts.append(f"{value:x};")
    elif isinstance(value, dict):
        parts.append("{")
        for name in sorted(value):
            _write(name, parts)
            _write(value[name], parts)
        parts.append("}")
    elif isinstance(value, list | tuple):
        parts.append("[")
        for element in value:
            _write(element, parts)
        parts.append("]")
    elif isinstance(value, float) and value.is_integer():
        parts.append(f"{int(value):x};")
    else:
        parts.append(f"{value!r};")

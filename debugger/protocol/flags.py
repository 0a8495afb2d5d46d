"""The untyped flags of ``workflow_config.miscellaneous`` (``platform/engine.md`` 1.3)."""

from __future__ import annotations

from typing import Any

_WORDS = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}

_LONGEST_COUNT = 18
"""Digits."""


def truth(value: Any, default: bool) -> bool:
    """A flag that may be a boolean or a word for one; anything else means the default."""
    if isinstance(value, bool):
        return value
    return _WORDS.get(str(value).strip().lower(), default)


def number(value: Any, default: int) -> int:
    """A count that may be a number or a text of digits; anything else means the default."""
    if value is None:
        return default
    text = str(value).strip()
    # Python refuses to read very long numbers, and no count is one.
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_COUNT else default

"""Values as the condition language writes them."""

from __future__ import annotations

import json
import re
from typing import Any

_ESCAPED = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MEANINGS = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", '"': '"'}


def write_literal(value: Any) -> str:
    """Write a value: numbers bare, texts in single quotes, true, false, null, the rest as JSON.

    Reading a text, a number, true, false or null back gives the same value.
    """
    if isinstance(value, str):
        return f"'{value.translate(_ESCAPED)}'"
    try:
        if type(value) is int:  # the usual case, spared the encoder
            return str(value)
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return unwritable(value)


def unwritable(value: Any) -> str:
    """What stands for a value too long or too deep to be written."""
    return f"<{type(value).__name__} that cannot be written>"


def read_text(written: str) -> str:
    """The text that a quoted literal stands for.

    A backslash escapes a quote, a backslash, ``n``, ``r`` and ``t``; before anything else it is itself.
    """
    return _ESCAPE.sub(lambda match: _MEANINGS.get(match[1], match[0]), written[1:-1])

"""Values as the condition language writes them."""

from __future__ import annotations

import json
import re
from typing import Any

from debugger.expressions.limits import exceeds

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


def write_bounded(value: Any, length: int) -> str:
    """Write a value as `write_literal` does, where it has at most so many characters; else name its type."""
    if isinstance(value, (str, dict, list, tuple)) and exceeds(value, length):
        return unwritable(value)
    written = write_literal(value)
    return written if len(written) <= length else unwritable(value)


def shortened(text: str, length: int) -> str:
    """Cut a text for a message."""
    return text if len(text) <= length else f"{text[:length]}…"


def unwritable(value: Any) -> str:
    """What stands for a value too long or too deep to be written."""
    return f"<{type(value).__name__} that cannot be written>"


def read_text(written: str) -> str:
    """The text that a quoted literal stands for.

    A backslash escapes a quote, a backslash, ``n``, ``r`` and ``t``; before anything else it is itself.
    """
    return _ESCAPE.sub(lambda match: _MEANINGS.get(match[1], match[0]), written[1:-1])

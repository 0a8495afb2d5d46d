"""JSON encoder and decoder: fast and without loss."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import orjson

# orjson is several times as fast, and turns an integer beyond 64 bits into a float without a word. They are
# looked for in the pattern of digits, for which a regular expression would take ten times as long.
_DIGITS = bytes(ord("0") if byte in b"0123456789" else ord(" ") for byte in range(256))
_LONG_NUMBER = b"0" * 19


def encode(value: Any) -> bytes:
    """Encode a JSON value as compact UTF-8 text.

    Integers of any size keep every digit. A number that is not finite becomes ``null``: JSON has no word for
    it.

    Raises:
        TypeError: Something in it has no JSON form.
        ValueError: It contains itself.
        RecursionError: It is nested too deep.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        return _encode_odd(value)


def _encode_odd(value: Any) -> bytes:
    """Encode values with keys that are not texts, very large integers, deep values and half surrogate pairs.

    Half a surrogate pair is escaped. Raises as `encode`.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # an integer beyond 64 bits, or half a surrogate pair
        try:
            text = _write(value)
        except ValueError as error:
            if "Circular" in str(error):
                raise
            text = _write(without_infinities(value))
        # As orjson writes it, so that a search for a text finds it: only half a surrogate pair is escaped.
        return text.encode("utf-8", "backslashreplace")


def _write(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def without_infinities(value: Any) -> Any:
    """Return a JSON value as it is once it was written: numbers that are not finite are null.

    Objects and lists are copied, and tuples become lists. Raises RecursionError when it is nested too deep.
    """
    if isinstance(value, dict):
        return {key: without_infinities(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_infinities(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def decode(text: bytes) -> Any:
    """Decode a JSON text.

    Integers of any size keep every digit.

    Raises:
        ValueError: It is not JSON.
        RecursionError: It is nested too deep.
    """
    if _LONG_NUMBER in text.translate(_DIGITS):
        return json.loads(text)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # Python's own reader also takes NaN, infinities and half surrogate pairs.
        return json.loads(text)


_CONTROLS = re.compile(rb"\x7f|\xc2([\x80-\x9f])")
"""Those that JSON leaves as they are; in UTF-8."""


def json_bytes(value: Any) -> bytes:
    """Return a value as JSON for a file, which terminals show, too: all control characters are escaped."""
    return _CONTROLS.sub(lambda found: b"\\u00%02x" % (found[1] or found[0])[0], encode(value))

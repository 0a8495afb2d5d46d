"""JSON text from values and back, the quick way that loses nothing."""

from __future__ import annotations

import json
from typing import Any

import orjson
from pydantic_core import from_json


def encode(value: Any) -> bytes:
    """A JSON value as compact UTF-8 text.

    Integers of any size keep every digit. A number that is not finite becomes ``null``: JSON has no word
    for it.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # an integer beyond 64 bits, or half a surrogate pair
        return json.dumps(value, separators=(",", ":")).encode()


def decode(text: bytes | str) -> Any:
    """The value of a JSON text; integers of any size keep every digit.

    Raises:
        ValueError: It is not JSON.
    """
    try:
        return from_json(text)
    except ValueError:  # half a surrogate pair, which only Python's own reader takes
        return json.loads(text)

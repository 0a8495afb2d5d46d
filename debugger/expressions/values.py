"""Comparison, equality and literals of values (``platform.md#condition-grammar``)."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final

from debugger.expressions.limits import check_time, exceeds
from debugger.expressions.references import ABSENT

ORDERINGS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

MAX_NUMBER_CHARACTERS = 400
"""Characters; a longer text is not read as a number, because Python refuses very long ones."""

_NUMBER = re.compile(r"\s*[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?\s*")
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")


class TypeMismatch(Exception):
    """Two values that have no order."""

    advice = "Only two numbers or two texts have an order."


def are_equal(left: Any, right: Any) -> bool:
    """Return whether two values are equal. An absent value equals nothing.

    Numbers are compared with texts that read as numbers, and true and false with the texts ``true`` and
    ``false`` in any case. Of two texts both must be plain numbers (``10``, not ``010``) to count as such.

    Raises:
        LimitError: The time of the evaluation is over; only where the first is no text.
    """
    if left is ABSENT or right is ABSENT:
        return False
    if isinstance(left, bool) or isinstance(right, bool):
        return _boolean(left) is not None and _boolean(left) is _boolean(right)
    numbers = _numbers(left, right)
    if numbers:
        return bool(numbers[0] == numbers[1])
    if not isinstance(left, str):  # lists and objects; a condition may compare the same ones many times
        check_time()
    return bool(left == right)


def are_different(left: Any, right: Any) -> bool:
    """Return whether two values are both present and not equal (U-28)."""
    return left is not ABSENT and right is not ABSENT and not are_equal(left, right)


def are_ordered(sign: str, left: Any, right: Any) -> bool:
    """Return whether a comparison by size holds.

    Numbers are compared by size, texts by their characters.

    Raises:
        TypeMismatch: They have no order, as a text and a number, or lists.
    """
    numbers = _numbers(left, right)
    if numbers:
        return ORDERINGS[sign](*numbers)
    if isinstance(left, str) and isinstance(right, str):
        return ORDERINGS[sign](left, right)
    raise TypeMismatch(f"{_kind(left)} and {_kind(right)} cannot be compared with {sign}")


def is_present(value: Any) -> bool:
    """Return whether a value is neither absent nor null (U-31)."""
    return value is not ABSENT and value is not None


def is_empty(value: Any) -> bool:
    """Return whether a value is absent, null, or has no content; 0 and false are not empty."""
    return not is_present(value) or (isinstance(value, str | list | tuple | Mapping) and not value)


def is_true(value: Any) -> bool:
    """Return whether a value by itself makes a condition hold.

    Not if it is empty, false, ``'false'`` or zero.
    """
    if isinstance(value, str):
        return _boolean(value) is not False and value != ""
    return value is not ABSENT and bool(value)


def _boolean(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower()) if len(value) <= len("false") else None
    return value if isinstance(value, bool) else None


def _numbers(left: Any, right: Any) -> tuple[int | float, int | float] | None:
    """Return two values as numbers; ``None`` unless both are or read as such.

    Two texts must be plain numbers; beside a number any text that reads as one counts. Booleans are none.
    """
    both_texts = isinstance(left, str) and isinstance(right, str)
    pattern = _PLAIN_NUMBER if both_texts else _NUMBER
    left_number = _number(left, pattern)
    right_number = None if left_number is None else _number(right, pattern)
    return None if left_number is None or right_number is None else (left_number, right_number)


def _number(value: Any, pattern: re.Pattern[str]) -> int | float | None:
    """Return a value as a number; ``None`` where it is none.

    A text must match the pattern as a whole and have at most `MAX_NUMBER_CHARACTERS`.
    """
    if isinstance(value, str):
        if len(value) > MAX_NUMBER_CHARACTERS or not pattern.fullmatch(value):
            return None
        return int(value) if value.strip().lstrip("+-").isdigit() else float(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _kind(value: Any) -> str:
    """Return the kind of a value for a message.

    Anything but a boolean, a number, a text and a list is an object, also null.
    """
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list | tuple) else "an object"


_MAX_PLAIN = 2**53
"""Numbers up to here are their own key; the hashes of larger ones can be made to collide."""


def equality_key(value: Any) -> Hashable:
    """Return a hashable key that is equal only for equal JSON values.

    Values of different types are different, except that ``1`` and ``1.0`` are one number. Objects are equal
    whatever the order of their members. The key of a list or an object is a text, because hashes of texts
    are seeded: chosen values whose keys collide would make a set of them slow.

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
    """Write a value unambiguously: each text follows its length.

    The members of an object are sorted, and a float without a fraction is written as an integer. Raises
    RecursionError when the value is nested too deep.
    """
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


_ESCAPED = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MEANINGS = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", '"': '"'}


def write_literal(value: Any) -> str:
    """Write a value as the condition language does.

    Numbers bare, texts in single quotes, true, false, null, the rest as JSON. A value that cannot be written
    is named by its type.

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
    """Write a value as `write_literal` does, or name its type if longer.

    Raises LimitError when the time of the evaluation is over.
    """
    if isinstance(value, (str, dict, list, tuple)) and exceeds(value, length):
        return unwritable(value)
    written = write_literal(value)
    return written if len(written) <= length else unwritable(value)


def shortened(text: str, length: int) -> str:
    """Cut a text for a message, and mark a cut one with an ellipsis at its end."""
    return text if len(text) <= length else f"{text[:length]}…"


def unwritable(value: Any) -> str:
    """Return the substitute for a value that is too long or deep."""
    return f"<{type(value).__name__} that cannot be written>"


def read_text(written: str) -> str:
    """Return the text of a quoted literal.

    A backslash escapes a quote, a backslash, ``n``, ``r`` and ``t``; before anything else it is itself.
    """
    return _ESCAPE.sub(lambda match: _MEANINGS.get(match[1], match[0]), written[1:-1])

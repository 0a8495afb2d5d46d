"""How two values compare, and what a value says on its own (``platform/engine.md`` 4.2)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from debugger.expressions.limits import check_time
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


class MismatchFault(Exception):
    """Two values that have no order. The text says which."""

    advice = "Only two numbers or two texts have an order."


def are_equal(left: Any, right: Any) -> bool:
    """Whether two values are equal. What is absent equals nothing.

    Numbers are compared with texts that read as numbers, and true and false with the texts ``true`` and
    ``false`` in any case. Of two texts both must be plain numbers (``10``, not ``010``) to count as such.
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
    """Whether two values are both there and not equal (U-28)."""
    return left is not ABSENT and right is not ABSENT and not are_equal(left, right)


def are_ordered(sign: str, left: Any, right: Any) -> bool:
    """Whether two values stand in an order: numbers by size, texts by their characters.

    Raises:
        MismatchFault: They have no order, as a text and a number, or lists.
    """
    numbers = _numbers(left, right)
    if numbers:
        return ORDERINGS[sign](*numbers)
    if isinstance(left, str) and isinstance(right, str):
        return ORDERINGS[sign](left, right)
    raise MismatchFault(f"{_kind(left)} and {_kind(right)} cannot be compared with {sign}")


def is_present(value: Any) -> bool:
    """Whether there is a value, and it is not null (U-31)."""
    return value is not ABSENT and value is not None


def is_empty(value: Any) -> bool:
    """Whether a value is absent, null, or a text, list or object with nothing in it."""
    return not is_present(value) or (isinstance(value, str | list | tuple | Mapping) and not value)


def is_true(value: Any) -> bool:
    """Whether a value on its own makes a condition hold: not if it is empty, false, ``'false'`` or zero."""
    if isinstance(value, str):
        return _boolean(value) is not False and value != ""
    return value is not ABSENT and bool(value)


def _boolean(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower()) if len(value) <= len("false") else None
    return value if isinstance(value, bool) else None


def _numbers(left: Any, right: Any) -> tuple[int | float, int | float] | None:
    """Both values as numbers, if both read as such."""
    both_texts = isinstance(left, str) and isinstance(right, str)
    pattern = _PLAIN_NUMBER if both_texts else _NUMBER
    left_number = _number(left, pattern)
    right_number = None if left_number is None else _number(right, pattern)
    return None if left_number is None or right_number is None else (left_number, right_number)


def _number(value: Any, pattern: re.Pattern[str]) -> int | float | None:
    if isinstance(value, str):
        if len(value) > MAX_NUMBER_CHARACTERS or not pattern.fullmatch(value):
            return None
        return int(value) if value.strip().lstrip("+-").isdigit() else float(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list | tuple) else "an object"

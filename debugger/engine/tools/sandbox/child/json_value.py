"""Conversion of Python values to JSON values."""

from __future__ import annotations

import math

TYPE_CHECKING = False  # importing typing would cost 2 ms of every call
if TYPE_CHECKING:
    from typing import Any

_DEEPEST = 100
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1


class NotJsonError(Exception):
    """An error naming a value without a JSON form, and its place."""


def to_json(value: Any, place: str = "result", depth: int = 0) -> Any:
    """Return the same value, made of plain dicts, lists and scalars.

    Tuples become lists, and whole numbers as keys become text, as in Python's own ``json``. What other
    programs could not read again is refused: numbers of more than 64 bits, halves of a surrogate pair.

    Args:
        value: The result of the author's function.
        place: How to reach it from the result, for the message.
        depth: How many lists and dicts it lies in.

    Raises:
        NotJsonError: The value, or one in it, has no form in JSON.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, place)
    if isinstance(value, int):
        return _whole(value, place)
    if isinstance(value, float):
        return _number(value, place)
    if depth >= _DEEPEST:
        raise NotJsonError(f"The result holds lists or dicts more than {_DEEPEST} deep, or holds itself.")
    if isinstance(value, (list, tuple)):
        return [to_json(item, f"{place}[{index}]", depth + 1) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return _object(value, place, depth)
    raise NotJsonError(
        f"{place} is of type {type(value).__name__}, which JSON has no form for; return text, numbers, "
        "True, False, None, and lists, tuples or dicts of these."
    )


def _object(value: dict[Any, Any], place: str, depth: int) -> dict[str, Any]:
    """Return a dict with keys as text and values of JSON.

    Raises:
        NotJsonError: A key or a value has no form in JSON, or two keys become the same text.
    """
    plain: dict[str, Any] = {}
    for key, item in value.items():
        name = _key(key, place)
        if name in plain:
            raise NotJsonError(f"{place} has the key {name!r} twice, as text and as a number.")
        plain[name] = to_json(item, f"{place}[{name!r}]", depth + 1)
    return plain


def _key(key: Any, place: str) -> str:
    """Return the key of a dict as a text.

    Raises NotJsonError where it is neither a text nor a whole number that JSON can have.
    """
    if isinstance(key, str):
        return _text(key, f"a key of {place}")
    if isinstance(key, int) and not isinstance(key, bool):
        return str(_whole(key, f"a key of {place}"))
    raise NotJsonError(f"{place} has a key of type {type(key).__name__}; the keys of JSON are text.")


def _text(value: str, place: str) -> str:
    """Return a plain text, also of a subclass.

    Raises:
        NotJsonError: It has half of a surrogate pair.
    """
    # A subclass, such as an enumeration's member, may print as something else.
    text = str.__str__(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotJsonError(
            f"{place} is text with half of a surrogate pair, {text[error.start]!a}, which no file can hold."
        ) from error
    return text


def _whole(value: int, place: str) -> int:
    number = int.__int__(value)
    if not _SMALLEST <= number <= _LARGEST:
        raise NotJsonError(f"{place} is a number of more than 64 bits; return it as text.")
    return number


def _number(value: float, place: str) -> float:
    number = float.__float__(value)
    if not math.isfinite(number):
        raise NotJsonError(f"{place} is {number}, which JSON has no form for; return None or text instead.")
    return number

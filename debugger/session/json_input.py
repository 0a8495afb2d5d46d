"""JSON as a person types and reads it."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from debugger.errors import InputJsonError
from debugger.protocol.base import JsonObject

_EXCERPT = 30
"""Characters of a line that an excerpt shows."""
_LONG_NUMBER = re.compile(r"\d{4301,}")
"""More digits than Python reads as one number."""


def parse_json(text: str, *, what: str = "The text") -> Any:
    """Return the value of JSON that a person typed; numbers must be finite.

    Args:
        text: What was typed.
        what: How the message calls it.

    Raises:
        InputJsonError: It is not JSON, nested too deeply, or has a number that is not finite or too long;
            line and column (from 1) say where.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError as error:
        raise InputJsonError(f"{what} is nested too deeply.", line=1, column=1) from error
    except json.JSONDecodeError as error:
        reason = error.msg[0].lower() + error.msg[1:]
        raise InputJsonError(
            f"{what} is not JSON: line {error.lineno}, column {error.colno}: {reason}.",
            line=error.lineno,
            column=error.colno,
            advice="Correct it there; what you typed is kept.",
        ) from error
    except _ConstantError as error:
        line, column = place_of(text, error.constant)
        raise InputJsonError(
            f"{what} has a number that cannot be stored: line {line}, column {column}: {error.constant}.",
            line=line,
            column=column,
            advice="Use null or a text instead.",
        ) from error
    except ValueError as error:
        found = _LONG_NUMBER.search(text)
        line, column = place_of(text, found[0] if found else "")
        raise InputJsonError(
            f"{what} has a number that is too long to be read: line {line}, column {column}.",
            line=line,
            column=column,
            advice="Shorten it, or put it in quotes.",
        ) from error


def parse_object(text: str, *, what: str = "The text") -> JsonObject:
    """Return the JSON object that a person typed.

    Args:
        text: What was typed.
        what: How the message calls it.

    Raises:
        InputJsonError: It is not JSON, or it is JSON of another kind.
    """
    data = parse_json(text, what=what)
    if not isinstance(data, dict):
        raise InputJsonError(
            f"{what} must be a JSON object, and it is {_kind(data)}.",
            line=1,
            column=1,
            advice="Begin with { and end with }.",
        )
    return data


def to_json(value: Any) -> str:
    """JSON as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def place_of(text: str, *parts: str) -> tuple[int, int]:
    """Return line and column, from 1, at which the last of successive parts begins.

    A part that is not found is passed over; without any it is the beginning.
    """
    offset = 0
    for part in parts:
        found = text.find(part, offset)
        offset = offset if found < 0 else found
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def excerpt(text: str, line: int, column: int) -> str:
    """Return a part of the line of an error, after its number, and a second line with ``^`` under the column.

    Line and column count from 1; a line that is not there is empty.
    """
    lines = text.split("\n")  # as JSON counts them: any other separator may be in a text
    shown = lines[line - 1].rstrip().replace("\t", " ") if line <= len(lines) else ""
    begin = max(column - 1 - _EXCERPT // 2, 0)
    lead = f"{line} │ "
    return f"{lead}{shown[begin : begin + _EXCERPT]}\n{' ' * (len(lead) + column - 1 - begin)}^"


class _ConstantError(ValueError):
    def __init__(self, constant: str) -> None:
        super().__init__(constant)
        self.constant = constant


def _refuse_constant(constant: str) -> None:
    raise _ConstantError(constant)


def _finite(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):
        raise _ConstantError(written)
    return number


def _kind(data: Any) -> str:
    if data is None:
        return "null"
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "a boolean"}
    return kinds.get(type(data), "a number")

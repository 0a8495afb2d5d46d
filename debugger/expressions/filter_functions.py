"""Liquid's filters, each bounded in the size of what it works on and of what it makes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from liquid import Environment
from liquid.builtin.filters.array import map_
from liquid.builtin.filters.misc import date
from liquid.builtin.filters.string import replace
from liquid.exceptions import FilterArgumentError
from liquid.filter import sequence_filter, string_filter, with_environment

from debugger.expressions.equality import equality_key
from debugger.expressions.limits import (
    MAX_DATE_CHARACTERS,
    LimitFault,
    check_time,
    count_items,
    require_length,
)

_Filter = Callable[..., Any]

_SELECTIONS = frozenset({"default", "first", "last", "size", "slice", "truncate", "truncatewords"})
"""Filters that take a part of a value in one pass, so that the value may have any size."""


_SHORT = 1_000
"""Characters of a text that every filter works on in some microseconds."""


def bounded_environment() -> Environment:
    """Make an environment with Liquid's filters, those of superlinear cost replaced by linear ones."""
    environment = Environment(strict_filters=True)
    environment.filters |= {
        "date": _date,
        "map": _map,
        "remove_last": _remove_last,
        "replace": _replace,
        "replace_last": _replace_last,
        "uniq": _uniq,
    }
    for name, function in environment.filters.items():
        environment.filters[name] = _timed(function) if name in _SELECTIONS else _bounded(name, function)
    return environment


def _timed(function: _Filter) -> _Filter:
    @wraps(function)
    def run(value: Any, *arguments: Any, **named: Any) -> Any:
        _check_time(value)
        return function(value, *arguments, **named)

    return run


def _bounded(name: str, function: _Filter) -> _Filter:
    @wraps(function)
    def run(value: Any, *arguments: Any, **named: Any) -> Any:
        _check_time(value)
        items = count_items(value, f"the filter {name} works on")
        for argument in arguments:
            count_items(argument, f"an argument of the filter {name} has")
        if name == "join" and arguments:
            require_length("the filter join makes", items * len(str(arguments[0])))
        result = function(value, *arguments, **named)
        count_items(result, f"the filter {name} makes")
        return result

    return run


def _check_time(value: Any) -> None:
    """Check the time, unless the value is a short text: the look at the clock would take longer."""
    if type(value) is not str or len(value) > _SHORT:
        check_time()


@string_filter
def _replace(value: str, old: object, new: object = "") -> Any:
    """Replace each occurrence; what it would make is counted before it is made."""
    count = value.count(str(old)) if str(old) else len(value) + 1
    require_length("the filter replace makes", len(value) + count * (len(str(new)) - len(str(old))))
    return replace(value, old, new)


@string_filter
def _remove_last(value: str, old: object) -> str:
    return _replaced_last(value, str(old), "") if str(old) else value


@string_filter
def _replace_last(value: str, old: object, new: object) -> str:
    return _replaced_last(value, str(old), str(new)) if str(old) else value + str(new)


def _replaced_last(value: str, old: str, new: str) -> str:
    """Replace the last occurrence, unless the value begins with it.

    The search goes forward through the reversed text: Python's own backward search is quadratic.
    """
    end = len(value) - value[::-1].find(old[::-1])
    begin = end - len(old)
    return value[:begin] + new + value[end:] if 0 < begin < end <= len(value) else value


@with_environment
def _date(value: Any, format: Any, *, environment: Environment) -> Any:
    """Write a date; reading a long text, or writing a long format, takes time and gives no date."""
    for text in (value, format):
        if isinstance(text, str) and len(text) > MAX_DATE_CHARACTERS:
            raise LimitFault(
                f"the filter date works on {len(text):,} characters, and {MAX_DATE_CHARACTERS:,} is the most"
            )
    return date(value, format, environment=environment)


def _map(value: Any, key: object) -> Any:
    """Take one member of each element; a missing one is null, for which Liquid has an object of its own."""
    found = map_(value, key)
    if not isinstance(found, list):
        return found
    return [each if isinstance(each, str | int | float | dict | list) else None for each in found]


@sequence_filter
def _uniq(value: list[Any], key: object = None) -> list[Any]:
    """Keep the first of equal elements, in linear time."""
    seen = set()
    kept = []
    for element in value:
        mark = equality_key(element) if key is None else _member_key(element, key)
        if mark not in seen:
            seen.add(mark)
            kept.append(element)
    return kept


def _member_key(element: Any, key: object) -> Any:
    try:
        return equality_key(element[key])
    except KeyError:
        return ()  # no JSON value has this key
    except TypeError as error:
        raise FilterArgumentError(
            f"can't read property '{key}' of {type(element).__name__}", token=None
        ) from error

"""Liquid's filters within limits, as in ``[[name | upcase]]``."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from liquid import Environment, RenderContext, Token, TokenStream
from liquid.builtin.expressions import (
    Filter,
    FilteredExpression,
    Literal,
    Path,
    PositionalArgument,
    tokenize,
)
from liquid.builtin.filters.array import map_
from liquid.builtin.filters.misc import date
from liquid.builtin.filters.string import replace
from liquid.exceptions import FilterArgumentError, LiquidError
from liquid.expression import Expression
from liquid.filter import sequence_filter, string_filter, with_environment
from liquid.token import TOKEN_EXPRESSION, TOKEN_RANGE_LITERAL
from liquid.undefined import is_undefined

from debugger.expressions.limits import (
    MAX_DATE_CHARACTERS,
    FilterError,
    LimitError,
    check_time,
    count_items,
    require_length,
    time_limit,
)
from debugger.expressions.references import ABSENT, Scope
from debugger.expressions.values import equality_key

_Filter = Callable[..., Any]

_SELECTIONS = frozenset({"default", "first", "last", "size", "slice", "truncate", "truncatewords"})
"""Filters that take a part of a value in one pass, so that the value may have any size."""


_SHORT = 1_000
"""Characters of a text that every filter works on in some microseconds."""


def bounded_environment() -> Environment:
    """Make an environment with Liquid's filters, all of linear cost.

    An unknown filter is an error there. A filter raises LimitError when the time is over, or when its value,
    an argument or its result is too large.
    """
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
        environment.filters[name] = _bounded(name, function)
    return environment


def _bounded(name: str, function: _Filter) -> _Filter:
    """Return a filter that keeps the limits on size and time.

    It raises LimitError beyond them. The filters of `_SELECTIONS` take and make values of any size; the time
    is not looked at for short texts.
    """

    @wraps(function)
    def run(value: Any, *arguments: Any, **named: Any) -> Any:
        """Call the filter, with checks before and after it."""
        if type(value) is not str or len(value) > _SHORT:  # for a short text the check would cost more
            check_time()
        if name in _SELECTIONS:
            return function(value, *arguments, **named)
        items = count_items(value, f"the filter {name} works on")
        for argument in arguments:
            count_items(argument, f"an argument of the filter {name} has")
        if name == "join" and arguments:
            require_length("the filter join makes", items * len(str(arguments[0])))
        result = function(value, *arguments, **named)
        count_items(result, f"the filter {name} makes")
        return result

    return run


@string_filter
def _replace(value: str, old: object, new: object = "") -> Any:
    """Replace each occurrence, after counting the characters of the result.

    Raises LimitError when they are too many.
    """
    count = value.count(str(old)) if str(old) else len(value) + 1
    require_length("the filter replace makes", len(value) + count * (len(str(new)) - len(str(old))))
    return replace(value, old, new)


@string_filter
def _remove_last(value: str, old: object) -> Any:
    return _replace_last(value, old, "")


@string_filter
def _replace_last(value: str, old: object, new: object) -> str:
    """Replace the last occurrence, unless that is at the beginning; an empty one is at the end.

    The search goes forward through the reversed text: Python's own backward search is quadratic. Without an
    occurrence the text stays as it is.
    """
    if not str(old):
        return value + str(new)
    end = len(value) - value[::-1].find(str(old)[::-1])
    begin = end - len(str(old))
    return value[:begin] + str(new) + value[end:] if 0 < begin < end <= len(value) else value


@with_environment
def _date(value: Any, format: Any, *, environment: Environment) -> Any:
    """Write a date; ``now``, ``today`` and seconds since 1970 are in UTC.

    Raises LimitError when value or format has more than `MAX_DATE_CHARACTERS`. Seconds that are no date, and
    other values, are passed to Liquid's filter.
    """
    for text in (value, format):
        if isinstance(text, str) and len(text) > MAX_DATE_CHARACTERS:
            raise LimitError(
                f"the filter date works on {len(text):,} characters, and {MAX_DATE_CHARACTERS:,} is the most"
            )
    # Liquid would use the zone of the machine.
    if value in ("now", "today"):
        value = datetime.now(UTC)
    elif isinstance(value, int) or (isinstance(value, str) and value.isdigit()):
        with suppress(OverflowError, OSError):
            value = datetime.fromtimestamp(int(value), UTC)
    return date(value, format, environment=environment)


def _map(value: Any, key: object) -> Any:
    """Take one member of each element; a missing one is null, as is one that is no JSON value.

    A result of Liquid's filter that is no list is returned as it is, and its errors leave unchanged.
    """
    found = map_(value, key)
    if not isinstance(found, list):
        return found
    return [each if isinstance(each, str | int | float | dict | list) else None for each in found]


@sequence_filter
def _uniq(value: list[Any], key: object = None) -> list[Any]:
    """Keep the first of equal elements, in linear time.

    With a key the elements are compared by that member alone; those without it count as equal. Raises
    FilterArgumentError when an element can have no members.
    """
    seen = set()
    unique = []
    for element in value:
        mark = equality_key(element) if key is None else _member_key(element, key)
        if mark not in seen:
            seen.add(mark)
            unique.append(element)
    return unique


def _member_key(element: Any, key: object) -> Any:
    """Return the key by which a member is compared; the empty tuple where the element has no such member.

    Raises FilterArgumentError when the element can have no members.
    """
    try:
        return equality_key(element[key])
    except KeyError:
        return ()  # no JSON value has this key
    except TypeError as error:
        raise FilterArgumentError(
            f"can't read property '{key}' of {type(element).__name__}", token=None
        ) from error


MAX_EXPRESSION_CHARACTERS = 2_000
"""Liquid's tokeniser takes quadratic time on some texts, so longer ones are not passed to it."""

_ENVIRONMENT = bounded_environment()
_TEMPLATE = _ENVIRONMENT.from_string("")
_JSON_TYPES = (str, int, float, dict, list, type(None))


def parse_expression(source: str) -> tuple[Expression, list[Filter]]:
    """Read the expression between ``{{`` and ``}}``.

    Returns:
        What the expression begins with, and the filters that follow.

    Raises:
        FilterError: It is no Liquid expression, names an unknown filter, is a range, or is too long.
    """
    if len(source) > MAX_EXPRESSION_CHARACTERS:
        raise LimitError(
            f"the expression has {len(source):,} characters, and {MAX_EXPRESSION_CHARACTERS:,} is the most",
            "Use fewer filters, or compute the value in a tool node.",
        )
    try:
        tokens = list(tokenize(source, Token(TOKEN_EXPRESSION, source, 0, source)))
        if any(token.kind == TOKEN_RANGE_LITERAL for token in tokens):  # (1..999999999) would fill the memory
            raise FilterError("it has a range, which only tags may have")
        expression = FilteredExpression.parse(_ENVIRONMENT, TokenStream(iter(tokens)))
        if not isinstance(expression, FilteredExpression):
            raise FilterError("it has a condition, which only tags may have")
        filters = expression.filters or []
        for each in filters:
            each.validate_filter_arguments(_ENVIRONMENT)
    except (LiquidError, RecursionError, ValueError) as error:
        raise FilterError(_reason(error)) from error
    return expression.left, filters


def make_filter(name: str, arguments: Sequence[str | int | float | None]) -> Filter:
    """Return a filter with fixed arguments."""
    token = Token(TOKEN_EXPRESSION, name, 0, name)
    return Filter(token, name, [PositionalArgument(Literal(token, value)) for value in arguments])


def is_plain_path(expression: Expression) -> bool:
    """Return whether all steps of a path are fixed, unlike ``xs[i]``."""
    return isinstance(expression, Path) and not any(isinstance(step, Path) for step in expression.path)


def evaluate_expression(expression: Expression, scope: Scope) -> Any:
    """Return the value at the beginning of an expression, or `ABSENT`.

    Raises:
        FilterError: Liquid cannot evaluate it.
    """
    try:
        value = expression.evaluate(_context(scope))
    except Exception as error:
        raise FilterError(_reason(error)) from error
    return ABSENT if is_undefined(value) else _as_json(value)


def apply_filters(value: Any, filters: Sequence[Filter], scope: Scope) -> Any:
    """Send a value through filters within the limits on size and time.

    Args:
        value: Any JSON value, or `ABSENT`, which stays so unless one of the filters is ``default``.
        filters: The filters, first to last.
        scope: Where the filters' own arguments are looked up.

    Raises:
        FilterError: A filter cannot work on the value, or not within the limits.
    """
    context = _context(scope)
    with time_limit:
        for each in filters:
            if value is ABSENT and each.name != "default":
                continue
            try:
                value = _as_json(each.evaluate(None if value is ABSENT else value, context))
            except LimitError:
                raise
            # Filters are called with values of any type and let through what Python raises on them.
            except Exception as error:
                raise FilterError(f"the filter {each.name} failed: {_reason(error)}") from error
    return value


def _context(scope: Scope) -> RenderContext:
    # Only read, so neither needs to be mutable or copied.
    variables = ChainMap(scope.dynamic, {"global": scope.dynamic})  # type: ignore[arg-type]
    return RenderContext(_TEMPLATE, globals=variables)


def _as_json(value: Any) -> Any:
    """Convert results of filters that JSON does not know, such as pairs.

    An undefined value is null, a tuple a list, any other foreign type its text. Values inside stay as they
    are.
    """
    if isinstance(value, _JSON_TYPES):
        return value
    if is_undefined(value):
        return None
    return list(value) if isinstance(value, tuple) else str(value)


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    return str(error.args[0]) if error.args else type(error).__name__

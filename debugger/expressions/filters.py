"""Filters of a reference, as in ``[[name | upcase]]``: Liquid's own, run by python-liquid within limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from liquid import RenderContext, Token, TokenStream
from liquid.builtin.expressions import (
    Filter,
    FilteredExpression,
    Literal,
    Path,
    PositionalArgument,
    tokenize,
)
from liquid.exceptions import LiquidError
from liquid.expression import Expression
from liquid.token import TOKEN_EXPRESSION, TOKEN_RANGE_LITERAL
from liquid.undefined import is_undefined

from debugger.expressions.filter_functions import bounded_environment
from debugger.expressions.limits import FilterFault, LimitFault, time_limit
from debugger.expressions.references import ABSENT
from debugger.expressions.scope import Scope

MAX_EXPRESSION_CHARACTERS = 2_000
"""Liquid's tokeniser takes quadratic time on some texts, so longer ones are not passed to it."""

_ENVIRONMENT = bounded_environment()
_TEMPLATE = _ENVIRONMENT.from_string("")
_JSON_TYPES = (str, int, float, dict, list, type(None))


def parse_expression(source: str) -> tuple[Expression, list[Filter]]:
    """Read what stands between ``{{`` and ``}}``.

    Returns:
        What the expression begins with, and the filters that follow.

    Raises:
        FilterFault: It is no Liquid expression, names an unknown filter, is a range, or is too long.
    """
    if len(source) > MAX_EXPRESSION_CHARACTERS:
        raise LimitFault(
            f"the expression has {len(source):,} characters, and {MAX_EXPRESSION_CHARACTERS:,} is the most",
            "Use fewer filters, or compute the value in a tool node.",
        )
    try:
        tokens = list(tokenize(source, Token(TOKEN_EXPRESSION, source, 0, source)))
        _refuse_ranges(tokens)
        expression = FilteredExpression.parse(_ENVIRONMENT, TokenStream(iter(tokens)))
        if not isinstance(expression, FilteredExpression):
            raise FilterFault("it has a condition, which only tags may have")
        filters = expression.filters or []
        for each in filters:
            each.validate_filter_arguments(_ENVIRONMENT)
    except (LiquidError, RecursionError, ValueError) as error:
        raise FilterFault(_reason(error)) from error
    return expression.left, filters


def make_filter(name: str, arguments: Sequence[str | int | float | None]) -> Filter:
    """A filter with fixed arguments."""
    token = Token(TOKEN_EXPRESSION, name, 0, name)
    return Filter(token, name, [PositionalArgument(Literal(token, value)) for value in arguments])


def is_plain_path(expression: Expression) -> bool:
    """Whether an expression is a path whose steps are all fixed, unlike ``xs[i]``."""
    return isinstance(expression, Path) and not any(isinstance(step, Path) for step in expression.path)


def evaluate_expression(expression: Expression, scope: Scope) -> Any:
    """The value of what an expression begins with, or `ABSENT`.

    Raises:
        FilterFault: Liquid cannot evaluate it.
    """
    try:
        value = expression.evaluate(_context(scope))
    except Exception as error:
        raise FilterFault(_reason(error)) from error
    return ABSENT if is_undefined(value) else _as_json(value)


def apply_filters(value: Any, filters: Sequence[Filter], scope: Scope) -> Any:
    """Send a value through filters, each within the limits on size and all within the limit on time.

    Args:
        value: Any JSON value, or `ABSENT`, which stays so unless one of the filters is ``default``.
        filters: The filters, first to last.
        scope: Where the filters' own arguments are looked up.

    Raises:
        FilterFault: A filter cannot work on the value, or not within the limits.
    """
    context = _context(scope)
    with time_limit:
        for each in filters:
            if value is ABSENT and each.name != "default":
                continue
            try:
                value = _as_json(each.evaluate(None if value is ABSENT else value, context))
            except LimitFault:
                raise
            # Filters are called with values of any type and let through what Python raises on them.
            except Exception as error:
                raise FilterFault(f"the filter {each.name} failed: {_reason(error)}") from error
    return value


def _context(scope: Scope) -> RenderContext:
    return RenderContext(_TEMPLATE, globals=scope.dynamic)


def _refuse_ranges(tokens: Sequence[Token]) -> None:
    """A range such as ``(1..999999999)`` is a few characters that can fill the memory."""
    if any(token.kind == TOKEN_RANGE_LITERAL for token in tokens):
        raise FilterFault("it has a range, which only tags may have")


def _as_json(value: Any) -> Any:
    """Filters give a few things that JSON does not know, such as pairs for the entries of an object."""
    if isinstance(value, _JSON_TYPES):
        return value
    if is_undefined(value):
        return None
    return list(value) if isinstance(value, tuple) else str(value)


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    return str(error.args[0]) if error.args else type(error).__name__

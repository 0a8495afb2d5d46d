"""The placeholders of a text: ``{{dynamic}}`` and ``[[runtime]]``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from liquid.builtin.expressions import Filter, Path
from liquid.expression import Expression

from debugger.expressions.filters import (
    apply_filters,
    evaluate_expression,
    is_plain_path,
    parse_expression,
)
from debugger.expressions.limits import FilterError, LimitError, check_time, path_problem
from debugger.expressions.references import ABSENT, Namespace, Reader, Scope, reader

# What an opening bracket begins is a placeholder only if it closes, and what is between looks like a
# reference: "[[1, 2]]" and "{{ }}" are text. A quoted argument of a filter may hold brackets. The quantifiers
# are possessive, so that no text makes the search slow.
_INDEX = r"\[[^\[\]]*+\]"
_QUOTED = r"'[^']*+'|\"[^\"]*+\""
_PATTERN = re.compile(
    rf"""
    \{{\{{ (?!\s*\}}\}}) (?: (?P<dynamic> [^{{}}|]*+ (?: \| (?: [^{{}}'"] | {_QUOTED} )*+ )? ) \}}\}}
                           | (?P<odd_dynamic> [^{{}}]++ ) \}}\}} )
    |
    \[\[ (?!\s*["'\[] | [\d\s,.+-]*+\]\])
         (?: (?P<runtime> (?: [^\[\]{{}}|] | {_INDEX} )++
                          (?: \| (?: [^\[\]{{}}'"] | {_INDEX} | {_QUOTED} )*+ )? ) \]\]
           | (?P<odd_runtime> (?: [^\[\]{{}}] | {_INDEX} )++ ) \]\] )
    """,
    re.VERBOSE,
)
_PLAIN_DYNAMIC = re.compile(r"\w[\w-]*(?:\.\w[\w-]*|\[[0-9]+\])*")


@dataclass(frozen=True)
class Placeholder:
    """One reference in a text."""

    namespace: Namespace
    path: str
    """What is looked up, without filters."""
    expression: str
    """The text between the brackets."""
    text: str
    """As it was written, brackets and all."""
    start: int
    """Where it begins in the text, counted from 0."""

    @property
    def end(self) -> int:
        """Return the position of its end in the text."""
        return self.start + len(self.text)


def placeholders(text: str) -> list[Placeholder]:
    """Return the references in a text, from left to right.

    Brackets that do not close are text.
    """
    return list(iter_placeholders(text))


def iter_placeholders(text: str) -> Iterator[Placeholder]:
    """Find the references in a text one by one."""
    if may_have_placeholders(text):
        yield from map(_placeholder, _PATTERN.finditer(text))


def may_have_placeholders(text: str) -> bool:
    """Return whether a text can contain placeholders, by a fast check."""
    return "{{" in text or "[[" in text


def placeholder_reader(placeholder: Placeholder) -> Reader:
    """Return the function that computes a placeholder's whole expression.

    It gives `ABSENT` where that has no value or costs too much, or where its filters are no Liquid. A path
    that is no Liquid is looked up as a name.
    """
    try:
        read = strict_reader(placeholder)
    except LimitError:
        return _absent

    def compute(scope: Scope) -> Any:
        """Return the value; `ABSENT` where it costs too much."""
        try:
            return read(scope)
        except LimitError:
            return ABSENT

    return compute


def strict_reader(placeholder: Placeholder) -> Reader:
    """Return the function that computes a placeholder's whole expression.

    It gives `ABSENT` where that has no value or its filters are no Liquid, and raises `LimitError` where it
    costs too much. A path that is no Liquid is looked up as a name.

    Raises:
        LimitError: The evaluation that it is made for has run out of time.
    """
    problem = path_problem(placeholder.path)
    if problem:
        return _raiser(LimitError(problem, "Write a shorter path, or compute the value in a tool node."))
    read = reader(placeholder.namespace, placeholder.path)
    has_filters = "|" in placeholder.expression
    if not has_filters and (placeholder.namespace == "runtime" or _PLAIN_DYNAMIC.fullmatch(placeholder.path)):
        return read
    check_time()
    try:
        return _liquid_reader(placeholder, read)
    except LimitError as fault:
        return _raiser(fault)
    except FilterError:
        return _absent if has_filters else read


def _liquid_reader(placeholder: Placeholder, read: Reader) -> Reader:
    """Return the function of an expression that Liquid reads.

    It gives `ABSENT` where a filter fails, and raises LimitError where it costs too much. Raises FilterError
    when the expression is no Liquid, and LimitError when it is too long.
    """
    beginning, filters, _ = _parsed(placeholder)
    is_path = is_plain_path(beginning)

    def compute(scope: Scope) -> Any:
        """Look the path up, else evaluate the beginning by Liquid, and apply the filters."""
        try:
            value = read(scope)
            if value is ABSENT and not is_path:
                value = evaluate_expression(beginning, scope)
            return apply_filters(value, filters, scope)
        except LimitError:
            raise
        except FilterError:
            return ABSENT

    return compute


def names_inside(placeholder: Placeholder) -> list[tuple[int, str]]:
    """Return the dynamic variables in a placeholder's filters and indexes.

    Each has its position in the expression, from left to right. None in a plain path, and in what is no
    Liquid.
    """
    if "|" not in placeholder.expression and _PLAIN_DYNAMIC.fullmatch(placeholder.path):
        return []
    try:
        beginning, filters, shift = _parsed(placeholder)
    except FilterError:
        return []
    waiting = [*beginning.children(), *(argument.value for each in filters for argument in each.args)]
    found = []
    while waiting:
        expression = waiting.pop()
        waiting += expression.children()
        if isinstance(expression, Path):
            found.append((expression.token.start_index + shift, str(expression.path[0])))
    return sorted(found)


def _parsed(placeholder: Placeholder) -> tuple[Expression, list[Filter], int]:
    """Return the beginning and the filters of an expression, and how far it is shifted.

    A path may hold what Liquid would trip over: a runtime path anything, a dynamic one blanks or a word of
    Liquid's own, as ``limit``. Then a substitute goes before the filters. Raises FilterError when a dynamic
    path without filters, or the filters, are no Liquid, and LimitError when the expression is too long.
    """
    head, bar, filters = placeholder.expression.partition("|")
    if placeholder.namespace == "dynamic":
        try:
            return *parse_expression(placeholder.expression), 0
        except LimitError:
            raise
        except FilterError:
            if not bar:
                raise
    return *parse_expression(f"_{bar}{filters}"), len(head) - 1


def _absent(_scope: Scope) -> Any:
    return ABSENT


def _raiser(fault: LimitError) -> Reader:
    """Return a reader that raises such a LimitError for every scope, a new one each time."""
    reason, advice = str(fault), fault.advice

    def refuse(_scope: Scope) -> Any:
        raise LimitError(reason, advice)

    return refuse


def _placeholder(match: re.Match[str]) -> Placeholder:
    """Return the placeholder of a match, its path and expression without blanks around them."""
    expression = next(group for group in match.groups() if group is not None)
    return Placeholder(
        namespace="dynamic" if match[0].startswith("{") else "runtime",
        path=expression.partition("|")[0].strip(),
        expression=expression.strip(),
        text=match[0],
        start=match.start(),
    )

"""Values of variables with which a condition holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice, product
from types import MappingProxyType
from typing import Any

from debugger.errors import ConditionError
from debugger.expressions.conditions import parse
from debugger.expressions.parser import parse_tree
from debugger.expressions.references import ABSENT, Namespace, Scope
from debugger.expressions.syntax import And, Call, Comparison, Constant, Node, Not, Or, Reference, Value

MAX_COMBINATIONS = 2_000
"""Combinations of values that are tried."""

Name = tuple[Namespace, str]
"""A variable as a condition refers to it: its brackets and its path."""
Values = Mapping[Name, Any]


def solution(
    expression: str,
    scope: Scope,
    *,
    others: Sequence[str] = (),
    values: Mapping[Name, Sequence[Any]] = MappingProxyType({}),
    is_allowed: Callable[[Values], bool] = lambda values: True,
) -> Values | None:
    """Return the fewest changes of variables with which a condition holds.

    The values that are tried are those that the conditions compare a variable with, and values next to them;
    up to `MAX_COMBINATIONS` of them are.

    Args:
        expression: The condition.
        scope: The variables as they are.
        others: Conditions that must not hold, such as those of edges that are evaluated before.
        values: Further values to try, such as those that a schema names.
        is_allowed: Tells whether these changes can be made.

    Returns:
        The changed variables; none where the condition holds already. ``None`` without a solution.

    Raises:
        ExpressionError: A condition is not in the language.
    """
    tried: dict[Name, list[Any]] = {}
    named = ((name, value) for text in (expression, *others) for name, value in _candidates(parse_tree(text)))
    for name, value in chain(named, ((name, value) for name, each in values.items() for value in each)):
        options = tried.setdefault(name, [ABSENT])  # ABSENT: as it is
        if not any(type(value) is type(known) and value == known for known in options):
            options.append(value)
    combinations = islice(product(*tried.values()), MAX_COMBINATIONS)
    changes = (
        {name: value for name, value in zip(tried, chosen, strict=True) if value is not ABSENT}
        for chosen in combinations
    )
    for found in sorted(changes, key=len):
        changed = with_values(scope, found)
        if _holds(expression, changed) is not True or not is_allowed(found):
            continue
        if all(_holds(text, changed) is False for text in others):
            return found
    return None


def with_values(scope: Scope, values: Values) -> Scope:
    """Return a scope in which some variables have other values."""
    runtime = {path: value for (namespace, path), value in values.items() if namespace == "runtime"}
    dynamic = {path: value for (namespace, path), value in values.items() if namespace == "dynamic"}
    return replace(scope, runtime={**scope.runtime, **runtime}, dynamic={**scope.dynamic, **dynamic})


def _holds(text: str, scope: Scope) -> bool | None:
    """Return the value of a condition, ``None`` where it fails a run.

    Raises ExpressionError when the text is not in the language.
    """
    try:
        return parse(text).evaluate(scope).value
    except ConditionError:
        return None


def _candidates(node: Node) -> Iterator[tuple[Name, Any]]:
    """Yield values to try for the variables of a condition, some of them repeatedly.

    A reference alone gets both booleans, one in a question its own last name and a blank too, and one that is
    compared with a literal the literal and values next to it. Two references that are compared get none.
    """
    match node:
        case Reference():
            yield from (((node.namespace, node.path), value) for value in (True, False))
        case Call(reference=reference):
            name = reference.path.rpartition(".")[2]
            yield from (((reference.namespace, reference.path), value) for value in (name, "", True, False))
        case Comparison(left=left, right=right):
            for one, other in ((left, right), (right, left)):
                if isinstance(one, Reference) and isinstance(other, Constant | Value):
                    for value in _around(other.value):
                        yield (one.namespace, one.path), value
                elif not isinstance(one, Reference | Constant | Value):
                    yield from _candidates(one)
        case Not(part=part):
            yield from _candidates(part)
        case And(parts=parts) | Or(parts=parts):
            for each in parts:
                yield from _candidates(each)


def _around(value: Any) -> tuple[Any, ...]:
    """Return a value and values next to it.

    That is the other boolean, one more and one less, another text and a blank; null gets a text.
    """
    if isinstance(value, bool):
        return value, not value
    if isinstance(value, int | float):
        return value, value + 1, value - 1
    return (value, f"{value}x", "") if isinstance(value, str) else (value, "x")

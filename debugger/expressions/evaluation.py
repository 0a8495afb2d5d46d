"""From the tree of a condition to a function that computes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from debugger.expressions.comparison import (
    ORDERINGS,
    are_different,
    are_equal,
    are_ordered,
    is_empty,
    is_present,
    is_true,
)
from debugger.expressions.filters import apply_filters, make_filter
from debugger.expressions.literals import shortened
from debugger.expressions.references import Reader, reader
from debugger.expressions.scope import Scope
from debugger.expressions.syntax import (
    Call,
    Comparison,
    Conjunction,
    Constant,
    Disjunction,
    Inversion,
    Node,
    Reference,
    Value,
)

Evaluate = Callable[[Scope, list[str]], Any]
"""Computes a node for a scope, and adds to the warnings. Raises `MismatchFault` and `FilterFault`."""

_SHOWN = 1_000
"""Characters of a condition that a warning shows; a long one may have a warning for each comparison."""

_QUESTIONS: dict[str, Callable[[Any], bool]] = {
    "isPresent": is_present,
    "isAbsent": lambda value: not is_present(value),
    "isEmpty": is_empty,
    "isNonEmpty": lambda value: not is_empty(value),
}


def compile_node(node: Node, text: str) -> Evaluate:
    """Make the function of a node.

    Args:
        node: The tree or a part of it.
        text: The condition as it was written, for the warnings.
    """
    text = shortened(text, _SHOWN)
    match node:
        case Constant(value=value) | Value(value=value):
            return lambda _scope, _warnings: value
        case Reference():
            read = reference_reader(node)
            return lambda scope, _warnings: read(scope)
        case Call():
            return _call(node)
        case Inversion(part=part):
            inner = compile_node(part, text)
            return lambda scope, warnings: not is_true(inner(scope, warnings))
        case Conjunction(parts=parts):
            return _all_of([compile_node(each, text) for each in parts])
        case Disjunction(parts=parts):
            return _any_of([compile_node(each, text) for each in parts])
        case Comparison():
            return _comparison(node, text)


def reference_reader(reference: Reference) -> Reader:
    """Looks a reference up and sends what it finds through the filters."""
    read = reader(reference.namespace, reference.path)
    if not reference.filters:
        return read
    filters = [
        make_filter(call.name, [argument.value for argument in call.arguments]) for call in reference.filters
    ]
    return lambda scope: apply_filters(read(scope), filters, scope)


def _call(node: Call) -> Evaluate:
    ask = _QUESTIONS[node.function]
    read = reference_reader(node.reference)
    return lambda scope, _warnings: ask(read(scope))


def _all_of(parts: Sequence[Evaluate]) -> Evaluate:
    def evaluate(scope: Scope, warnings: list[str]) -> bool:
        return all(is_true(part(scope, warnings)) for part in parts)

    return evaluate


def _any_of(parts: Sequence[Evaluate]) -> Evaluate:
    def evaluate(scope: Scope, warnings: list[str]) -> bool:
        return any(is_true(part(scope, warnings)) for part in parts)

    return evaluate


def _comparison(node: Comparison, text: str) -> Evaluate:
    left, right = compile_node(node.left, text), compile_node(node.right, text)
    if node.operator in ORDERINGS:
        return _ordering(node, left, right, text)
    compare = are_equal if node.operator == "==" else are_different
    return lambda scope, warnings: compare(left(scope, warnings), right(scope, warnings))


def _ordering(node: Comparison, left: Evaluate, right: Evaluate, text: str) -> Evaluate:
    sign = node.operator
    compare = ORDERINGS[sign]

    def evaluate(scope: Scope, warnings: list[str]) -> bool:
        one, other = left(scope, warnings), right(scope, warnings)
        if type(one) is int and type(other) is int:  # by far the most frequent
            return compare(one, other)
        missing = [
            str(part) for part, value in ((node.left, one), (node.right, other)) if not is_present(value)
        ]
        if not missing:
            return are_ordered(sign, one, other)
        comparison = shortened(str(node), _SHOWN)
        warnings.append(
            f"{' and '.join(missing)} has no value, so {comparison} is false in the condition {text}"
        )
        return False

    return evaluate

"""Conditions and templates against a second evaluator, written from the platform's rules alone.

It shares no code with the product: a condition is made as a tree, written as text for the product, and
evaluated here by the table of the rules.
"""

from __future__ import annotations

import json
import operator
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugger.errors import ConditionError
from debugger.expressions import Scope, parse, render

NONE = object()
"""The value of a variable that is not set."""
NUMBER = re.compile(r"-?\d+(\.\d+)?")
LEADING_ZERO = re.compile(r"-?0\d")
NAMES = ("a", "b", "c_1", "other")
RUNTIME, DYNAMIC = ("[[", "]]"), ("{{", "}}")

texts = st.sampled_from(["", "tea", "Tea", "12 cups", "ä", "true", "x y", "it"]) | st.sampled_from(
    ["3", "-2", "10", "2.5", "03"]
)
numbers = st.integers(-12, 12) | st.sampled_from([0.5, 2.5, -0.25, 10.0])
ordered = numbers | texts
values = ordered | st.booleans() | st.none() | st.sampled_from([[], {}, [1], {"k": 1}])
variables = st.dictionaries(st.sampled_from(NAMES), values)

references = st.tuples(st.just("reference"), st.sampled_from([RUNTIME, DYNAMIC]), st.sampled_from(NAMES))
literals = st.tuples(st.just("literal"), numbers | texts | st.booleans() | st.none())
orderable = st.tuples(st.just("literal"), ordered)
comparisons = st.tuples(
    st.sampled_from(["==", "!="]), references | literals, references | literals
) | st.tuples(st.sampled_from(["<", "<=", ">", ">="]), references | orderable, references | orderable)
calls = st.tuples(st.sampled_from(["isPresent", "isAbsent", "isEmpty", "isNonEmpty"]), references)
trees = st.recursive(
    comparisons | calls,
    lambda inner: st.tuples(st.sampled_from(["AND", "OR"]), inner, inner) | st.tuples(st.just("NOT"), inner),
    max_leaves=6,
)


class TypeConflictError(Exception):
    """Two values that have no order."""


def written(tree: Any) -> str:
    """Write a tree, with parentheses wherever they may be needed."""
    kind, *parts = tree
    if kind == "reference":
        (begin, end), name = parts
        return begin + name + end
    if kind == "literal":
        return f"'{parts[0]}'" if isinstance(parts[0], str) else json.dumps(parts[0])
    if kind == "NOT":
        return f"NOT ({written(parts[0])})"
    if kind in ("AND", "OR"):
        return f"({written(parts[0])}) {kind} ({written(parts[1])})"
    if len(parts) == 1:
        return f"{kind}({written(parts[0])})"
    return f"{written(parts[0])} {kind} {written(parts[1])}"


def value_of(tree: Any, runtime: dict[str, Any], dynamic: dict[str, Any]) -> Any:
    kind, *parts = tree
    if kind == "literal":
        return parts[0]
    where, name = parts
    return (runtime if where == RUNTIME else dynamic).get(name, NONE)


def as_number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    return float(value) if isinstance(value, str) and NUMBER.fullmatch(value) else None


def as_numbers(one: Any, other: Any) -> tuple[float, float] | None:
    """Return two numbers, or texts of them; two texts are none where one has a leading zero, as ids have."""
    if isinstance(one, str) and isinstance(other, str) and any(map(LEADING_ZERO.match, (one, other))):
        return None
    numbers = as_number(one), as_number(other)
    return None if None in numbers else numbers


def equal(one: Any, other: Any) -> bool:
    """Compare numbers by size, true and false with their texts, and anything else as it is."""
    numbers = as_numbers(one, other)
    if numbers:
        return numbers[0] == numbers[1]
    for this, that in ((one, other), (other, one)):
        if isinstance(this, bool) and isinstance(that, str):
            return that == str(this).lower()
    return type(one) is type(other) and one == other


def holds(tree: Any, runtime: dict[str, Any], dynamic: dict[str, Any]) -> bool:
    """Evaluate from left to right; what decides nothing any more is not looked at.

    Raises:
        TypeConflictError: Two values that are compared by size have no order.
    """
    kind, *parts = tree
    if kind == "NOT":
        return not holds(parts[0], runtime, dynamic)
    if kind == "AND":
        return holds(parts[0], runtime, dynamic) and holds(parts[1], runtime, dynamic)
    if kind == "OR":
        return holds(parts[0], runtime, dynamic) or holds(parts[1], runtime, dynamic)
    one, *others = (value_of(part, runtime, dynamic) for part in parts)
    if not others:
        is_missing = one is NONE or one is None
        is_blank = is_missing or (not isinstance(one, bool | int | float) and len(one) == 0)
        return {
            "isPresent": not is_missing,
            "isAbsent": is_missing,
            "isEmpty": is_blank,
            "isNonEmpty": not is_blank,
        }[kind]
    (other,) = others
    if one is NONE or other is NONE:
        return False  # also for !=
    if kind in ("==", "!="):
        return equal(one, other) is (kind == "==")
    if one is None or other is None:
        return False  # null is no more present than a variable that is not set
    compare = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}[kind]
    numbers = as_numbers(one, other)
    if numbers:
        return compare(*numbers)
    if isinstance(one, str) and isinstance(other, str):
        return compare(one, other)
    raise TypeConflictError


def check(tree: Any, runtime: dict[str, Any], dynamic: dict[str, Any]) -> None:
    condition, scope = parse(written(tree)), Scope(runtime=runtime, dynamic=dynamic)
    try:
        expected: bool | None = holds(tree, runtime, dynamic)
    except TypeConflictError:
        expected = None
    if expected is None:
        with pytest.raises(ConditionError, match="Error evaluating condition expression"):
            condition.evaluate(scope)
    else:
        assert condition.evaluate(scope).value is expected, (written(tree), runtime, dynamic)


@given(trees, variables, variables)
@settings(max_examples=300)
def test_conditions_are_as_the_rules_say(tree, runtime, dynamic):
    check(tree, runtime, dynamic)


@pytest.mark.campaign
@given(trees, variables, variables)
@settings(max_examples=20_000)
def test_many_conditions_are_as_the_rules_say(tree, runtime, dynamic):
    check(tree, runtime, dynamic)


pieces = st.sampled_from(
    ["Hello ", "{{a}}", "[[a]]", "{{ b }}", "[[b]]", "{{missing}}", "[[missing]]", " · ", "{", "]"]
)
plain = st.text("abc äß{}[]<>|'", max_size=6) | st.sampled_from(["{{b}}", "[[b]]", "{{a}}", "[["])


@given(st.lists(pieces, max_size=8), plain, plain, plain, plain)
@settings(max_examples=200)
def test_inserted_values_are_not_read_again(parts, run_a, run_b, given_a, given_b):
    scope = Scope(runtime={"a": run_a, "b": run_b}, dynamic={"a": given_a, "b": given_b})
    known = {"{{a}}": given_a, "[[a]]": run_a, "{{ b }}": given_b, "[[b]]": run_b}
    text = " ".join(parts)  # pieces that would together be another placeholder stay apart

    assert render(text, scope).text == " ".join(known.get(part, part) for part in parts)


@given(st.lists(pieces, max_size=8), st.text("abc ä.,", max_size=6), st.text("abc ä.,", max_size=6))
@settings(max_examples=200)
def test_rendering_a_rendered_text_changes_nothing(parts, one, other):
    scope = Scope(runtime={"a": one, "b": other}, dynamic={"a": other, "b": one})
    once = render(" ".join(parts), scope).text

    assert render(once, scope).text == once

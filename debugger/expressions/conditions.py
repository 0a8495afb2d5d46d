"""A condition: parsed once, evaluated often (``platform.md#conditions``).

``[[count]] >= 3 AND NOT (isEmpty([[name]]) OR {{tier}} == 'basic')``

A reference is resolved to a value with its type; the text with the values filled in is made for people only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from debugger.errors import ConditionError
from debugger.expressions.bounded_cache import BoundedCache
from debugger.expressions.filters import apply_filters, make_filter
from debugger.expressions.limits import MAX_SHOWN_CHARACTERS, FilterError, LimitError, time_limit
from debugger.expressions.parser import parse_tree
from debugger.expressions.references import ABSENT, Reader, Scope, reader, reader_bytes
from debugger.expressions.syntax import (
    And,
    Call,
    Comparison,
    Constant,
    Node,
    Not,
    Or,
    Reference,
    Value,
    references_of,
)
from debugger.expressions.values import (
    ORDERINGS,
    TypeMismatch,
    are_different,
    are_equal,
    are_ordered,
    is_empty,
    is_present,
    is_true,
    shortened,
    write_bounded,
)


@dataclass(frozen=True)
class ConditionResult:
    """The result of a condition."""

    value: bool
    warnings: tuple[str, ...] = ()
    """One for each comparison by size that was false only because a variable had no value."""


_HOLDS, _FAILS = ConditionResult(True), ConditionResult(False)

MAX_CONDITIONS_BYTES = 32_000_000
_conditions: BoundedCache[str, Condition] = BoundedCache(MAX_CONDITIONS_BYTES)


class Condition:
    """A condition that can be evaluated. Made by `parse`.

    Two conditions are equal when their structure is.

    ``str()`` writes it in one uniform way that parses to an equal condition.
    """

    __slots__ = ("_evaluate", "_root", "references", "text")

    def __init__(self, text: str, root: Node) -> None:
        """Compile a tree; finds its references first."""
        self.text = text
        """As it was written."""
        self.references: tuple[Reference, ...] = tuple(references_of(root))
        """Every reference in it, from left to right."""
        self._root = root
        self._evaluate = compile_node(root, text)

    def evaluate(self, scope: Scope) -> ConditionResult:
        """Evaluate the condition with these variables.

        Raises:
            ConditionError: Two values cannot be compared, a filter cannot work on a value, or it costs too
                much. The message begins as the platform's does: ``Error evaluating condition expression
                '<hydrated>'``.

        Source: ``platform.md#conditions`` and ``platform.md#condition-grammar``.
        """
        warnings: list[str] = []
        with time_limit:
            try:
                value = is_true(self._evaluate(scope, warnings))
            except (TypeMismatch, FilterError) as fault:
                advice = fault.advice if isinstance(fault, LimitError | TypeMismatch) else ""
                raise self._error(str(fault), scope, advice) from fault
            except RecursionError as error:
                advice = "Compute it in a tool node."
                raise self._error("a value is nested too deep", scope, advice) from error
        if warnings:
            return ConditionResult(value, tuple(warnings))
        return _HOLDS if value else _FAILS

    def hydrated(self, scope: Scope) -> str:
        """Return the text with the values filled in.

        A reference without a value, or whose filters fail, stays as it is written.

        It is made for people only: a value that does not fit into `MAX_SHOWN_CHARACTERS` is named by its
        type.
        """
        parts, end, room = [], 0, MAX_SHOWN_CHARACTERS
        with time_limit:
            for reference in self.references:
                written = _written(reference, scope, room)
                room -= len(written)
                parts += [self.text[end : reference.start], written]
                end = reference.end
        return "".join(parts) + self.text[end:]

    def _error(self, reason: str, scope: Scope, advice: str) -> ConditionError:
        return ConditionError(
            f"Error evaluating condition expression '{self.hydrated(scope)}': {reason}.", advice=advice
        )

    def __str__(self) -> str:
        return str(self._root)

    def __repr__(self) -> str:
        return f"parse({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and self._root == other._root

    def __hash__(self) -> int:
        return hash(self._root)


def parse(text: str) -> Condition:
    """Read a condition. The same text is read once, as long as it is in the cache.

    Raises:
        ExpressionError: It is not in the language; says what was found and expected, and the column.

    Source: the grammar of ``platform.md#condition-grammar``, in ``grammar.lark``.
    """
    condition = _conditions.get(text)
    if condition is None:
        condition = Condition(text, parse_tree(text))
        paths = (reference.path for reference in condition.references)
        _conditions.put(text, condition, 1_000 + 150 * len(text) + sum(map(reader_bytes, paths)))
    return condition


def _written(reference: Reference, scope: Scope, room: int) -> str:
    """Return the value of a reference as a literal, or its type if that is longer than the room.

    A reference without a value, or whose filters fail or cost too much, stays as it is written.
    """
    try:
        value = reference_reader(reference)(scope)
        return reference.text if value is ABSENT else write_bounded(value, room)
    except FilterError:
        return reference.text


Evaluate = Callable[[Scope, list[str]], Any]
"""Computes a node for a scope, and adds to the warnings. Raises `TypeMismatch` and `FilterError`."""

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

    It adds a sentence to the warnings for each comparison by size with a missing value, and raises
    TypeMismatch and FilterError.

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
        case Call(function=function, reference=reference):
            question, read = _QUESTIONS[function], reference_reader(reference)
            return lambda scope, _warnings: question(read(scope))
        case Not(part=part):
            inner = compile_node(part, text)
            return lambda scope, warnings: not is_true(inner(scope, warnings))
        case And(parts=parts) | Or(parts=parts):
            combine = all if isinstance(node, And) else any
            compiled = [compile_node(each, text) for each in parts]
            return lambda scope, warnings: combine(is_true(part(scope, warnings)) for part in compiled)
        case Comparison(operator=sign) if sign in ORDERINGS:
            return _ordering(node, text)
        case Comparison(operator=sign):
            left, right = compile_node(node.left, text), compile_node(node.right, text)
            compare = are_equal if sign == "==" else are_different
            return lambda scope, warnings: compare(left(scope, warnings), right(scope, warnings))


def reference_reader(reference: Reference) -> Reader:
    """Return the function that looks a reference up and applies its filters.

    That function gives `ABSENT` where there is no value and no filter ``default``, and raises FilterError
    when a filter cannot work on the value.
    """
    read = reader(reference.namespace, reference.path)
    if not reference.filters:
        return read
    filters = [
        make_filter(call.name, [argument.value for argument in call.arguments]) for call in reference.filters
    ]
    return lambda scope: apply_filters(read(scope), filters, scope)


def _ordering(node: Comparison, text: str) -> Evaluate:
    """Return the function of a comparison by size.

    It gives ``False`` and adds a warning where a value is absent or null, and raises TypeMismatch when two
    present values have no order.
    """
    left, right = compile_node(node.left, text), compile_node(node.right, text)
    compare = ORDERINGS[node.operator]

    def evaluate(scope: Scope, warnings: list[str]) -> bool:
        """Compare both values; a missing one gives ``False`` and a warning."""
        one, other = left(scope, warnings), right(scope, warnings)
        if type(one) is int and type(other) is int:  # by far the most frequent
            return compare(one, other)
        missing = [
            str(part) for part, value in ((node.left, one), (node.right, other)) if not is_present(value)
        ]
        if not missing:
            return are_ordered(node.operator, one, other)
        comparison = shortened(str(node), _SHOWN)
        warnings.append(
            f"{' and '.join(missing)} has no value, so {comparison} is false in the condition {text}"
        )
        return False

    return evaluate

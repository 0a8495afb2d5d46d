"""A condition: parsed once, evaluated often (``platform/engine.md`` section 4).

``[[count]] >= 3 AND NOT (isEmpty([[name]]) OR {{tier}} == 'basic')``

A reference is resolved to a value with its type; the text with the values filled in is made for people only.
"""

from __future__ import annotations

from dataclasses import dataclass

from debugger.errors import ConditionError
from debugger.expressions.bounded_cache import BoundedCache
from debugger.expressions.comparison import MismatchFault, is_true
from debugger.expressions.evaluation import compile_node, reference_reader
from debugger.expressions.limits import MAX_SHOWN_CHARACTERS, FilterFault, LimitFault, time_limit
from debugger.expressions.literals import write_bounded
from debugger.expressions.parsing import parse_tree
from debugger.expressions.references import ABSENT, reader_bytes
from debugger.expressions.scope import Scope
from debugger.expressions.syntax import Node, Reference, references_of


@dataclass(frozen=True)
class Verdict:
    """Whether a condition holds."""

    value: bool
    warnings: tuple[str, ...] = ()
    """One for each comparison by size that was false only because a variable had no value."""


_HOLDS, _FAILS = Verdict(True), Verdict(False)

MAX_CONDITIONS_BYTES = 32_000_000
_conditions: BoundedCache[str, Condition] = BoundedCache(MAX_CONDITIONS_BYTES)

_MAX_UNTIMED_REFERENCES = 8
"""A condition of so few references without filters cannot take long, whatever their values are."""


class Condition:
    """A condition that can be evaluated. Made by `parse`; two are equal when their structure is.

    ``str()`` writes it in one uniform way that parses to an equal condition.
    """

    __slots__ = ("_evaluate", "_is_timed", "_root", "references", "text")

    def __init__(self, text: str, root: Node) -> None:
        self.text = text
        """As it was written."""
        self.references: tuple[Reference, ...] = tuple(references_of(root))
        """Every reference in it, from left to right."""
        self._root = root
        self._evaluate = compile_node(root, text)
        self._is_timed = len(self.references) > _MAX_UNTIMED_REFERENCES or any(
            reference.filters for reference in self.references
        )

    def evaluate(self, scope: Scope) -> Verdict:
        """Whether it holds for these variables.

        Raises:
            ConditionError: Two values cannot be compared, a filter cannot work on a value, or it costs too
                much. The message begins as the platform's does: ``Error evaluating condition expression
                '<hydrated>'``.

        Source: ``platform/engine.md`` 4.1 and 4.2.
        """
        if not self._is_timed:
            return self._verdict(scope)
        with time_limit:
            return self._verdict(scope)

    def _verdict(self, scope: Scope) -> Verdict:
        warnings: list[str] = []
        try:
            value = is_true(self._evaluate(scope, warnings))
        except (MismatchFault, FilterFault) as fault:
            advice = fault.advice if isinstance(fault, LimitFault | MismatchFault) else ""
            raise self._error(str(fault), scope, advice) from fault
        except RecursionError as error:
            raise self._error("a value is nested too deep", scope, "Compute it in a tool node.") from error
        if warnings:
            return Verdict(value, tuple(warnings))
        return _HOLDS if value else _FAILS

    def hydrated(self, scope: Scope) -> str:
        """Return the text with the values filled in. A reference to nothing stays as it was written.

        It is made for people only: a value that does not fit into `MAX_SHOWN_CHARACTERS` is named by its
        type.
        """
        if not self._is_timed:
            return self._hydrated(scope)
        with time_limit:
            return self._hydrated(scope)

    def _hydrated(self, scope: Scope) -> str:
        parts, end, room = [], 0, MAX_SHOWN_CHARACTERS
        for reference in self.references:
            written = _written(reference, scope, room)
            room -= len(written)
            parts += [self.text[end : reference.start], written]
            end = reference.end
        return "".join(parts) + self.text[end:]

    def _error(self, reason: str, scope: Scope, advice: str) -> ConditionError:
        return ConditionError(
            f"Error evaluating condition expression '{self._hydrated(scope)}': {reason}.", advice=advice
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
    """Read a condition. The same text is read once.

    Raises:
        ExpressionError: It is not in the language; says what was found and expected, and the column.

    Source: the grammar of ``platform/engine.md`` 4.2, in ``grammar.lark``.
    """
    condition = _conditions.get(text)
    if condition is None:
        condition = Condition(text, parse_tree(text))
        _conditions.put(text, condition, _condition_bytes(condition))
    return condition


def _condition_bytes(condition: Condition) -> int:
    return (
        1_000
        + 150 * len(condition.text)
        + sum(reader_bytes(reference.path) for reference in condition.references)
    )


def _written(reference: Reference, scope: Scope, room: int) -> str:
    try:
        value = reference_reader(reference)(scope)
        return reference.text if value is ABSENT else write_bounded(value, room)
    except FilterFault:
        return reference.text

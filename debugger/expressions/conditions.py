"""A condition: parsed once, evaluated often (``platform/engine.md`` section 4).

``[[count]] >= 3 AND NOT (isEmpty([[name]]) OR {{tier}} == 'basic')``

A reference is resolved to a value with its type; the text with the values filled in is made for people only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from debugger.errors import ConditionError
from debugger.expressions.comparison import MismatchFault, is_true
from debugger.expressions.evaluation import compile_node, reference_reader
from debugger.expressions.filters import FilterFault
from debugger.expressions.literals import write_literal
from debugger.expressions.parsing import parse_tree
from debugger.expressions.references import ABSENT
from debugger.expressions.scope import Scope
from debugger.expressions.syntax import Node, Reference, references_of


@dataclass(frozen=True)
class Verdict:
    """Whether a condition holds."""

    value: bool
    warnings: tuple[str, ...] = ()
    """One for each comparison by size that was false only because a variable had no value."""


_HOLDS, _FAILS = Verdict(True), Verdict(False)


class Condition:
    """A condition that can be evaluated. Made by `parse`; two are equal when their structure is.

    ``str()`` writes it in one uniform way that parses to an equal condition.
    """

    __slots__ = ("_evaluate", "_root", "references", "text")

    def __init__(self, text: str, root: Node) -> None:
        self.text = text
        """As it was written."""
        self.references: tuple[Reference, ...] = tuple(references_of(root))
        """Every reference in it, from left to right."""
        self._root = root
        self._evaluate = compile_node(root, text)

    def evaluate(self, scope: Scope) -> Verdict:
        """Whether it holds for these variables.

        Raises:
            ConditionError: Two values cannot be compared, or a filter cannot work on a value. The message
                begins as the platform's does: ``Error evaluating condition expression '<hydrated>'``.

        Source: ``platform/engine.md`` 4.1 and 4.2.
        """
        warnings: list[str] = []
        try:
            value = is_true(self._evaluate(scope, warnings))
        except (MismatchFault, FilterFault, RecursionError) as fault:
            raise ConditionError(
                f"Error evaluating condition expression '{self.hydrated(scope)}': {fault}.",
                advice="Only two numbers or two texts have an order."
                if isinstance(fault, MismatchFault)
                else "",
            ) from fault
        if warnings:
            return Verdict(value, tuple(warnings))
        return _HOLDS if value else _FAILS

    def hydrated(self, scope: Scope) -> str:
        """The text with the values filled in. A reference to nothing stays as it was written."""
        parts, end = [], 0
        for reference in self.references:
            parts += [self.text[end : reference.start], _written(reference, scope)]
            end = reference.end
        return "".join(parts) + self.text[end:]

    def __str__(self) -> str:
        return str(self._root)

    def __repr__(self) -> str:
        return f"parse({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and self._root == other._root

    def __hash__(self) -> int:
        return hash(self._root)


@lru_cache(maxsize=4096)
def parse(text: str) -> Condition:
    """Read a condition. The same text is read once.

    Raises:
        ExpressionError: It is not in the language; says what was found and expected, and the column.

    Source: the grammar of ``platform/engine.md`` 4.2, in ``grammar.lark``.
    """
    return Condition(text, parse_tree(text))


def _written(reference: Reference, scope: Scope) -> str:
    try:
        value = reference_reader(reference)(scope)
    except FilterFault:
        return reference.text
    return reference.text if value is ABSENT else write_literal(value)

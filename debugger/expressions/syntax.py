"""The syntax tree of a condition.

``str()`` of a node writes it so that parsing gives an equal node.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from debugger.expressions.references import Namespace
from debugger.expressions.values import write_literal


@dataclass(frozen=True)
class Constant:
    """``true``, ``false`` or ``null``."""

    value: bool | None

    def __str__(self) -> str:
        return write_literal(self.value)


@dataclass(frozen=True)
class Value:
    """A text or a number."""

    value: str | int | float

    def __str__(self) -> str:
        return write_literal(self.value)


@dataclass(frozen=True)
class FilterCall:
    """One filter after a path."""

    name: str
    arguments: tuple[Constant | Value, ...] = ()

    def __str__(self) -> str:
        if not self.arguments:
            return self.name
        return f"{self.name}: {', '.join(str(argument) for argument in self.arguments)}"


@dataclass(frozen=True)
class Reference:
    """A reference to a variable, with its filters."""

    namespace: Namespace
    path: str
    """What is looked up, without the brackets and without filters."""
    filters: tuple[FilterCall, ...] = ()
    text: str = field(default="", compare=False)
    """As it was written, brackets and all."""
    start: int = field(default=0, compare=False)
    """Where it begins in the condition, counted from 0."""

    @property
    def end(self) -> int:
        """Return the position of its end in the condition."""
        return self.start + len(self.text)

    def __str__(self) -> str:
        inside = " | ".join((self.path, *map(str, self.filters)))
        return f"[[{inside}]]" if self.namespace == "runtime" else "{{" + inside + "}}"


@dataclass(frozen=True)
class Call:
    """A question about a variable: ``isPresent([[name]])``."""

    function: str
    reference: Reference

    def __str__(self) -> str:
        return f"{self.function}({self.reference})"


@dataclass(frozen=True)
class Comparison:
    """A comparison of two values."""

    operator: str
    left: Node
    right: Node

    def __str__(self) -> str:
        return f"{_operand(self.left)} {self.operator} {_operand(self.right)}"


@dataclass(frozen=True)
class Not:
    """NOT."""

    part: Node

    def __str__(self) -> str:
        return f"NOT {_wrapped(self.part, And, Or)}"


@dataclass(frozen=True)
class And:
    """AND of two or more."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " AND ".join(_wrapped(part, And, Or) for part in self.parts)


@dataclass(frozen=True)
class Or:
    """OR of two or more."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " OR ".join(_wrapped(part, Or) for part in self.parts)


Node = Constant | Value | Reference | Call | Comparison | Not | And | Or


def references_of(node: Node) -> Iterator[Reference]:
    """Yield every reference in a tree, from left to right."""
    match node:
        case Reference():
            yield node
        case Call(reference=reference):
            yield reference
        case Comparison(left=left, right=right):
            yield from references_of(left)
            yield from references_of(right)
        case Not(part=part):
            yield from references_of(part)
        case And(parts=parts) | Or(parts=parts):
            for each in parts:
                yield from references_of(each)


def _wrapped(node: Node, *loose: type) -> str:
    return f"({node})" if isinstance(node, loose) else str(node)


def _operand(node: Node) -> str:
    return _wrapped(node, Comparison, Not, And, Or)

"""An expression as it stood when it was judged, worked out again from the recorded state."""

from __future__ import annotations

from dataclasses import dataclass

from debugger.errors import ConditionError, ExpressionError
from debugger.expressions import ABSENT, Condition, Scope, hydrate, lookup, parse


@dataclass(frozen=True)
class Judgement:
    """What came of an expression."""

    value: bool | None
    """``None`` where it cannot be read or evaluated."""
    filled: str
    absent: tuple[str, ...] = ()
    """The references without a value, as they are written."""
    error: str = ""


def judged_expression(text: str, scope: Scope) -> Judgement:
    """Evaluate an expression; a fault is told in the judgement."""
    try:
        condition = parse(text)
        absent = tuple(dict.fromkeys(absent_references(condition, scope)))
        return Judgement(condition.evaluate(scope).value, condition.hydrated(scope), absent)
    except (ExpressionError, ConditionError) as error:
        return Judgement(None, hydrate(text, scope), error=str(error))


def refers_to_absent(text: str, scope: Scope) -> bool:
    """Whether an expression names a variable that has no value; one that cannot be read names none."""
    try:
        return any(absent_references(parse(text), scope))
    except ExpressionError:
        return False


def absent_references(condition: Condition, scope: Scope) -> list[str]:
    """The references of a condition that have no value."""
    return [
        reference.text
        for reference in condition.references
        if lookup(scope, reference.namespace, reference.path) is ABSENT
    ]

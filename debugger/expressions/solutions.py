"""Values of variables with which a condition holds."""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, pairwise
from types import MappingProxyType
from typing import Any

from debugger.errors import ConditionError
from debugger.expressions.conditions import parse
from debugger.expressions.parser import parse_tree
from debugger.expressions.references import ABSENT, Namespace, Scope
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

MAX_COMBINATIONS = 5_000
"""Values, each of one more variable, that are tried in either order of search."""
_MAX_HALVED = 2**52
"""From here on a float has no halves."""
MAX_SIZE = 100
"""The length of a list or text that is tried."""

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

    The values that are tried are those that the conditions compare a variable with, values next to them and
    between them, and those to try of a variable that it is compared with. One variable after the other gets
    a value, and values with which the conditions cannot come out any more are skipped. Where the fewest
    changes are not found within `MAX_COMBINATIONS`, others are looked for.

        solution("[[n]] > 3 AND [[n]] < 5", Scope())  # {("runtime", "n"): 4}

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
    search = _Search(expression, scope, others, _options((expression, *others), values))
    for order in (_fewest_changes, _most_variables):
        try:
            return search.run(order, is_allowed)
        except _TooManyError:
            continue
    return None


_Assignment = tuple[int, ...]
"""The chosen options of the first variables, by their numbers; 0 leaves a variable as it is."""


def _fewest_changes(chosen: _Assignment) -> tuple[int, ...]:
    return (sum(number > 0 for number in chosen),)


def _most_variables(chosen: _Assignment) -> tuple[int, ...]:
    return -len(chosen), *_fewest_changes(chosen)


class _TooManyError(Exception):
    """`MAX_COMBINATIONS` values were tried."""


_Decision = Callable[[_Assignment], bool | None]
"""Tells what a condition comes out as; ``None`` where further variables, or an error, decide."""


class _Search:
    """The search for values of variables; the most promising choice is continued first."""

    def __init__(
        self, expression: str, scope: Scope, others: Sequence[str], options: Mapping[Name, Sequence[Any]]
    ) -> None:
        """Prepare the conditions; nothing is tried yet.

        Args:
            expression: The condition that is to hold.
            scope: The variables as they are.
            others: The conditions that must not hold.
            options: The values to try of each variable; the first is `ABSENT` and leaves it as it is.
        """
        self._expression, self._scope, self._others, self._options = expression, scope, others, options
        self._names = list(options)
        self._holds = self._compile(parse_tree(expression))
        self._others_hold = [self._compile(parse_tree(text)) for text in others]

    def run(
        self, order: Callable[[_Assignment], tuple[int, ...]], is_allowed: Callable[[Values], bool]
    ) -> Values | None:
        """Return the first changes in an order with which the condition holds; ``None`` without any.

        Raises:
            _TooManyError: There may be some, but too many values were tried.
        """
        tried = 0
        waiting: list[tuple[tuple[int, ...], _Assignment]] = [((), ())]
        while waiting:
            _, chosen = heapq.heappop(waiting)
            if len(chosen) == len(self._names):
                changes = self._changes(chosen)
                if self._is_solution(changes) and is_allowed(changes):
                    return changes
                continue
            for number in range(len(self._options[self._names[len(chosen)]])):
                tried += 1
                if tried > MAX_COMBINATIONS:
                    raise _TooManyError
                following = (*chosen, number)
                if self._is_possible(following):
                    heapq.heappush(waiting, (order(following), following))
        return None

    def _changes(self, chosen: _Assignment) -> Values:
        pairs = zip(self._options.items(), chosen, strict=False)
        return {name: options[number] for (name, options), number in pairs if number}

    def _is_possible(self, chosen: _Assignment) -> bool:
        """Return whether the conditions may come out, whatever the values of the further variables."""
        return self._holds(chosen) is not False and all(
            holds(chosen) is not True for holds in self._others_hold
        )

    def _is_solution(self, changes: Values) -> bool:
        changed = with_values(self._scope, changes)
        return _holds(self._expression, changed) is True and all(
            _holds(text, changed) is False for text in self._others
        )

    def _compile(self, node: Node) -> _Decision:
        """Return the decision of a part of a condition.

        One that comes out false cannot hold; one that comes out true cannot be false, but may fail.
        """
        match node:
            case Not(part=part):
                inner = self._compile(part)
                return lambda chosen: None if (found := inner(chosen)) is None else not found
            case And(parts=parts) | Or(parts=parts):
                return _combine([self._compile(part) for part in parts], decisive=isinstance(node, Or))
            case _:
                return self._compile_atom(node)

    def _compile_atom(self, node: Node) -> _Decision:
        """Return the decision of a part without AND, OR and NOT; equal values are evaluated once."""
        roots = {_root((each.namespace, each.path)) for each in references_of(node)}
        places = [place for place, name in enumerate(self._names) if _root(name) in roots]
        text, known = str(node), dict[_Assignment, bool | None]()

        def decide(chosen: _Assignment) -> bool | None:
            if places and places[-1] >= len(chosen):
                return None
            key = tuple(chosen[place] for place in places)
            if key not in known:
                known[key] = _holds(text, with_values(self._scope, self._changes(chosen)))
            return known[key]

        return decide


def _combine(parts: Sequence[_Decision], *, decisive: bool) -> _Decision:
    """Return the decision of parts of which one that comes out as ``decisive`` decides all."""

    def decide(chosen: _Assignment) -> bool | None:
        is_open = False
        for part in parts:
            found = part(chosen)
            if found is decisive:
                return decisive
            is_open = is_open or found is None
        return None if is_open else not decisive

    return decide


def _root(name: Name) -> Name:
    """Return a variable without the path into its value, so that names of parts of one value are equal."""
    namespace, path = name
    return namespace, re.split(
        r"[.\[]", path.removeprefix("global." if namespace == "dynamic" else ""), maxsplit=1
    )[0]


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


def _options(texts: Sequence[str], values: Mapping[Name, Sequence[Any]]) -> dict[Name, list[Any]]:
    """Return the values to try of each variable of some conditions; the first of each is `ABSENT`.

    Args:
        texts: The conditions.
        values: Further values to try.
    """
    options: dict[Name, list[Any]] = {}

    def add(name: Name, value: Any) -> None:
        known = options.setdefault(name, [ABSENT])
        if not any(type(value) is type(each) and value == each for each in known):
            known.append(value)

    trees = [parse_tree(text) for text in texts]
    for name, value in chain.from_iterable(map(_candidates, trees)):
        add(name, value)
    for name, each in values.items():
        for value in each:
            add(name, value)
    for known in options.values():
        known += _between(known)
    pairs = list(chain.from_iterable(map(_compared, trees)))
    for pair in (*pairs, *reversed(pairs)):  # twice: a value may come by way of a third variable
        both = [(each.namespace, each.path) for each in pair]
        of_both = [options.get(name, []) for name in both]  # not what they hold: it may be a secret
        for name, others in zip(both, reversed(of_both), strict=True):
            for value in (*others, 1, 0, 2):
                add(name, value)
    return options


def _candidates(node: Node) -> Iterator[tuple[Name, Any]]:
    """Yield values to try for the variables of a condition, some of them repeatedly.

    A reference alone gets both booleans, one in a question its own last name and a blank too, and one that is
    compared with a literal the literal and values next to it, or lists and texts of that size.
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
                    is_size = bool(one.filters) and one.filters[-1].name == "size"
                    for value in _of_size(other.value) if is_size else _around(other.value):
                        yield (one.namespace, one.path), value
                elif not isinstance(one, Reference | Constant | Value):
                    yield from _candidates(one)
        case Not(part=part):
            yield from _candidates(part)
        case And(parts=parts) | Or(parts=parts):
            for each in parts:
                yield from _candidates(each)


def _compared(node: Node) -> Iterator[tuple[Reference, Reference]]:
    """Yield the variables of a condition that are compared with one another."""
    match node:
        case Comparison(left=Reference() as left, right=Reference() as right):
            yield left, right
        case Comparison(left=left, right=right):
            yield from chain(_compared(left), _compared(right))
        case Not(part=part):
            yield from _compared(part)
        case And(parts=parts) | Or(parts=parts):
            yield from chain.from_iterable(map(_compared, parts))


def _around(value: Any) -> tuple[Any, ...]:
    """Return a value and values next to it.

    That is the other boolean, one more and one less, another text and a blank; null gets a text.
    """
    if isinstance(value, bool):
        return value, not value
    if isinstance(value, int | float):
        return value, value + 1, value - 1
    return (value, f"{value}x", "") if isinstance(value, str) else (value, "x")


def _between(values: Sequence[Any]) -> list[float]:
    """Return numbers between those of some values that are at most one apart."""
    numbers = sorted({each for each in values if type(each) in (int, float) and abs(each) < _MAX_HALVED})
    return [low + (high - low) / 2 for low, high in pairwise(numbers) if high - low <= 1]


def _of_size(size: Any) -> list[Any]:
    """Return lists and texts of a size and of those next to it; none where they would be too long."""
    sizes = _around(size) if isinstance(size, int) and not isinstance(size, bool) else ()
    return [part * each for each in sizes if 0 <= each <= MAX_SIZE for part in (["x"], "x")]

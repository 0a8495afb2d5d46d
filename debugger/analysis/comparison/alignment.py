"""Which items of two runs belong together: turn by turn, then by node and type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal, NamedTuple

from debugger.analysis.comparison.items import Item
from debugger.analysis.difference import differences

Verdict = Literal["same", "changed", "only_a", "only_b"]

_WINDOW = 200
"""Longer stretches without a match at their ends are aligned in pieces, for the cost grows with the cube."""


class Row(NamedTuple):
    """Two items that belong together, or one that stands alone."""

    verdict: Verdict
    turn: int
    """The turn in run A, or the one that it would be there."""
    a: int | None
    """Its place among the items of run A."""
    b: int | None


class _Stretch(NamedTuple):
    """Some items of both runs in a row: from and up to but not including."""

    turn: int
    a: int
    a_end: int
    b: int
    b_end: int


def align(a: Sequence[Item], b: Sequence[Item], shift: int = 0) -> list[Row]:
    """The rows of a comparison, in the order of the turns; what only A has comes before what only B has.

    Args:
        a: The items of run A.
        b: The items of run B.
        shift: How many turns of A came before the first of B: turn 1 of B belongs to turn 1 + ``shift`` of A.
    """
    return [row for stretch in _turns(a, b, shift) for row in _rows(a, b, stretch)]


def _turns(a: Sequence[Item], b: Sequence[Item], shift: int) -> Iterator[_Stretch]:
    places_a, places_b = _by_turn(a, 0), _by_turn(b, shift)
    for turn in sorted({*places_a, *places_b}):
        yield _Stretch(turn, *places_a.get(turn, (0, 0)), *places_b.get(turn, (0, 0)))


def _by_turn(found: Sequence[Item], shift: int) -> dict[int, tuple[int, int]]:
    """Where each turn begins and ends; background work belongs to the turn that it came after."""
    places: dict[int, tuple[int, int]] = {}
    end = 0
    for turn, group in groupby(found, key=lambda item: item.turn):
        begin, end = end, end + sum(1 for _ in group)
        places[turn + shift] = (begin, end)
    return places


def _rows(a: Sequence[Item], b: Sequence[Item], whole: _Stretch) -> Iterator[Row]:
    turn, at, a_end, bt, b_end = whole
    if [item.digest for item in a[at:a_end]] == [item.digest for item in b[bt:b_end]]:
        yield from (Row("same", turn, at + n, bt + n) for n in range(a_end - at))
        return
    while at < a_end and bt < b_end and _key(a[at]) == _key(b[bt]):
        yield _pair(a, b, turn, at, bt)
        at, bt = at + 1, bt + 1
    tail = 0
    while at < a_end - tail and bt < b_end - tail and _key(a[a_end - tail - 1]) == _key(b[b_end - tail - 1]):
        tail += 1
    yield from _middle(a, b, _Stretch(turn, at, a_end - tail, bt, b_end - tail))
    yield from (_pair(a, b, turn, a_end - n, b_end - n) for n in range(tail, 0, -1))


def _middle(a: Sequence[Item], b: Sequence[Item], whole: _Stretch) -> Iterator[Row]:
    """The rows of a stretch that begins and ends with items that do not belong together."""
    turn = whole.turn
    for at, bt in _windows(whole):
        keys_a = [_key(item) for item in a[at : min(at + _WINDOW, whole.a_end)]]
        keys_b = [_key(item) for item in b[bt : min(bt + _WINDOW, whole.b_end)]]
        for op, i, i_end, j, j_end in SequenceMatcher(None, keys_a, keys_b, autojunk=False).get_opcodes():
            if op == "equal":
                yield from (_pair(a, b, turn, at + i + n, bt + j + n) for n in range(i_end - i))
            else:
                yield from (Row("only_a", turn, place, None) for place in range(at + i, at + i_end))
                yield from (Row("only_b", turn, None, place) for place in range(bt + j, bt + j_end))


def _windows(whole: _Stretch) -> Iterator[tuple[int, int]]:
    longest = max(whole.a_end - whole.a, whole.b_end - whole.b)
    for begun in range(0, longest, _WINDOW):
        yield min(whole.a + begun, whole.a_end), min(whole.b + begun, whole.b_end)


def _key(item: Item) -> tuple[str, str | None]:
    return item.type, item.node


def _pair(a: Sequence[Item], b: Sequence[Item], turn: int, at: int, bt: int) -> Row:
    one, other = a[at], b[bt]
    is_same = one.digest == other.digest or not differences(one.essence, other.essence)
    return Row("same" if is_same else "changed", turn, at, bt)

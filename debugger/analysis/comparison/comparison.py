"""Two runs, aligned."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from debugger.analysis.comparison.alignment import Row, Verdict, align
from debugger.analysis.comparison.ignored import USUAL
from debugger.analysis.comparison.items import Item, items
from debugger.analysis.comparison.kinds import Kind, kind_of
from debugger.analysis.difference import Difference, differences
from debugger.protocol.runs import TurnLog


@dataclass
class Comparison:
    """What two runs share, and what they do not."""

    a: list[Item]
    b: list[Item]
    rows: list[Row]
    """In the order of the turns."""

    @cached_property
    def differing(self) -> list[int]:
        """The places of the rows that are not the same, in order."""
        return [place for place, row in enumerate(self.rows) if row.verdict != "same"]

    @property
    def first(self) -> int | None:
        """The row where the runs part; ``None`` when nothing differs."""
        return self.differing[0] if self.differing else None

    @cached_property
    def counts(self) -> dict[Verdict, int]:
        """How many rows there are of each verdict."""
        return dict(Counter(row.verdict for row in self.rows))

    @cached_property
    def kinds(self) -> dict[Kind, int]:
        """How many differing rows there are of each kind, of what is there."""
        return dict(Counter(kind_of(self.either(self.rows[place])) for place in self.differing))

    def following(self, place: int) -> int | None:
        """The next differing row after a place."""
        found = bisect_right(self.differing, place)
        return self.differing[found] if found < len(self.differing) else None

    def preceding(self, place: int) -> int | None:
        """The last differing row before a place."""
        found = bisect_left(self.differing, place)
        return self.differing[found - 1] if found else None

    def first_at(self, node: str) -> int | None:
        """The first differing row of a node; else its first row; ``None`` where it has none."""
        rows = (place for place, row in enumerate(self.rows) if self.either(row).node == node)
        differing = (place for place in self.differing if self.either(self.rows[place]).node == node)
        return next(differing, None) or next(rows, None)

    def pair(self, row: Row) -> tuple[Item | None, Item | None]:
        """The items of A and of B in a row."""
        return None if row.a is None else self.a[row.a], None if row.b is None else self.b[row.b]

    def either(self, row: Row) -> Item:
        """The item of A in a row, or that of B where A has none."""
        return next(item for item in self.pair(row) if item is not None)

    @property
    def last_turns(self) -> tuple[int, int]:
        """The last turns of A and of B, by the numbers of the rows; 0 where a run has none."""
        backwards = self.rows[::-1]
        last_a = next((row.turn for row in backwards if row.a is not None), 0)
        return last_a, next((row.turn for row in backwards if row.b is not None), 0)

    def differences(self, row: Row) -> list[Difference]:
        """What differs between the two items of a row, from A to B; nothing where only one is there."""
        one, other = self.pair(row)
        return differences(one.essence, other.essence) if one and other else []


def compare(
    a: Sequence[TurnLog], b: Sequence[TurnLog], ignoring: Collection[str] = USUAL, *, shift: int = 0
) -> Comparison:
    """Put two runs side by side.

    Args:
        a: The turns of run A.
        b: The turns of run B.
        ignoring: What is passed over, by the names of `debugger.analysis.comparison.ignored`.
        shift: How many turns of A came before the first of B, as where B goes on from a turn of A.
    """
    of_a, of_b = items(a, ignoring), items(b, ignoring)
    return Comparison(of_a, of_b, align(of_a, of_b, shift))

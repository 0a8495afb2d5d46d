"""Whether two turns did the same."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from debugger.analysis.comparison.alignment import Row, align
from debugger.analysis.comparison.ignored import DEFAULT
from debugger.analysis.comparison.items import Item, items
from debugger.analysis.difference import Difference, differences
from debugger.protocol.runs import TurnLog


@dataclass(frozen=True)
class EventDifference:
    """One event that the two turns do not share, or in which they differ."""

    type: str
    """The event's type."""
    node: str | None
    """Its node's id; of a hop, that of the node that it leaves."""
    place: int
    """Which event of its turn, from 0: of A, where only B has it of B."""
    only_in: str
    """``"A"`` or ``"B"``; empty when both have the event."""
    values: tuple[Difference, ...] = ()
    """What of it differs, from A to B; empty when only one has it."""

    def __str__(self) -> str:
        at = f" at {self.node}" if self.node else ""
        if self.only_in:
            return f"{self.type}{at}: only in {self.only_in}"
        return f"{self.type}{at}: {', '.join(value.path for value in self.values)}"


@dataclass(frozen=True)
class SameTurn:
    """What came of comparing two turns."""

    differences: tuple[EventDifference, ...]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def same_turn(a: TurnLog, b: TurnLog, ignoring: Collection[str] = DEFAULT) -> SameTurn:
    """Compare the events of two turns, whatever their numbers and their inputs are.

    Args:
        a: A turn.
        b: Another one.
        ignoring: What is passed over, by the names of `debugger.analysis.comparison.ignored`.
    """
    of_a = items([a], ignoring, with_inputs=False)
    of_b = items([b], ignoring, with_inputs=False)
    return SameTurn(tuple(_differing(align(of_a, of_b, a.number - b.number), of_a, of_b)))


def _differing(rows: list[Row], a: list[Item], b: list[Item]) -> Iterator[EventDifference]:
    for row in rows:
        one = None if row.a is None else a[row.a]
        other = None if row.b is None else b[row.b]
        if one and other and row.verdict == "changed":
            found = tuple(differences(one.essence, other.essence))
            yield EventDifference(one.type, one.node, row.a or 0, "", found)
        elif one and not other:
            yield EventDifference(one.type, one.node, row.a or 0, "A")
        elif other and not one:
            yield EventDifference(other.type, other.node, row.b or 0, "B")

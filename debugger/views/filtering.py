"""Which rows of the timeline are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from debugger.analysis.timeline import TimelineRow

Density = Literal["Steps", "Everything"]
DENSITIES: tuple[Density, ...] = ("Steps", "Everything")


@dataclass(frozen=True)
class Filter:
    """What a person wants to see. Failures are shown whatever else is asked for."""

    text: str = ""
    """Words that summary, type or node must contain, in any case."""
    types: frozenset[str] = frozenset()
    """Event types; none means all."""
    density: Density = "Steps"
    """``Steps`` leaves the bookkeeping out."""
    node: str | None = None
    """A node's id; only its events."""
    turn: int | None = None
    """A turn's number; only its events, failures among them."""

    def shows(self, row: TimelineRow) -> bool:
        """Whether a row is shown."""
        if self.turn is not None and row.turn_number != self.turn:
            return False
        if row.is_failure:
            return True
        return (
            (self.density == "Everything" or row.importance == "high" or row.type in self.types)
            and (not self.types or row.type in self.types)
            and (self.node is None or self.node in (row.drawn_node, row.node_logical_id))
            and self._matches(row)
        )

    def _matches(self, row: TimelineRow) -> bool:
        place = f"{row.summary} {row.type} {row.node_name or ''} {row.node_logical_id or ''}".casefold()
        return all(word in place for word in self.text.casefold().split())


@dataclass(frozen=True)
class Shown:
    """The rows that a filter lets through, and how many it keeps back."""

    rows: list[TimelineRow]
    hidden: int


def shown(rows: Sequence[TimelineRow], wanted: Filter) -> Shown:
    """Filter a timeline."""
    kept = [row for row in rows if wanted.shows(row)]
    return Shown(kept, len(rows) - len(kept))

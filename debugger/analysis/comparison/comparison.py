"""Comparisons of runs and of turns."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from debugger.analysis.comparison.alignment import Item, Kind, Row, align, items, kind_of
from debugger.analysis.comparison.ignored import IGNORED_BETWEEN_REPLAYS, IGNORED_BETWEEN_RUNS
from debugger.analysis.differences import Difference, differences
from debugger.analysis.steps import turn_duration
from debugger.protocol.event_values import RunUsage
from debugger.protocol.json_codec import encode
from debugger.protocol.runs import Run
from debugger.protocol.turn_logs import TurnLog

_MAX_CHANGES = 2
_MAX_VALUE = 40


def _change(each: Difference) -> str:
    """Return a difference in a few words: the last part of its path, and its values, cut."""
    name = each.path.rpartition(".")[2]  # a line has no room for the whole path
    if each.op == "added":
        return f"{name} added: {_short(each.after)}"
    if each.op == "removed":
        return f"{name} removed: {_short(each.before)}"
    return f"{name}: {_short(each.before)} → {_short(each.after)}"


def _short(value: Any) -> str:
    text = encode(value).decode()
    return text if len(text) <= _MAX_VALUE else text[: _MAX_VALUE - 1] + "…"


@dataclass
class Comparison:
    """Two aligned runs."""

    a: list[Item]
    b: list[Item]
    rows: list[Row]
    """In the order of the turns."""

    @cached_property
    def differing(self) -> list[int]:
        """The indexes of the rows that differ, in order."""
        return [place for place, row in enumerate(self.rows) if row.status != "same"]

    @cached_property
    def first(self) -> int | None:
        """The first row that differs, not before the first turn that both runs have; ``None`` without one."""
        begin = self.first_shared_turn
        differing = (place for place in self.differing if begin is None or self.rows[place].turn >= begin)
        return next(differing, None)

    @cached_property
    def kinds(self) -> dict[Kind, int]:
        """The number of differing rows by kind."""
        return dict(Counter(kind_of(self.get_item(self.rows[place])) for place in self.differing))

    def following(self, place: int) -> int | None:
        """Return the next differing row after an index."""
        found = bisect_right(self.differing, place)
        return self.differing[found] if found < len(self.differing) else None

    def preceding(self, place: int) -> int | None:
        """Return the last differing row before an index."""
        found = bisect_left(self.differing, place)
        return self.differing[found - 1] if found else None

    def first_at(self, node: str) -> int | None:
        """Return the first differing row of a node, else its first row."""
        rows = (place for place, row in enumerate(self.rows) if self.get_item(row).node == node)
        differing = (place for place in self.differing if self.get_item(self.rows[place]).node == node)
        return next(differing, None) or next(rows, None)

    def pair(self, row: Row) -> tuple[Item | None, Item | None]:
        """Return the items of A and of B in a row."""
        return None if row.a is None else self.a[row.a], None if row.b is None else self.b[row.b]

    def get_item(self, row: Row) -> Item:
        """Return the item of A in a row, else that of B."""
        return next(item for item in self.pair(row) if item is not None)

    @cached_property
    def turns(self) -> tuple[range, range]:
        """The turns of A and of B by the numbers of A; empty for an empty run."""
        of_a = [row.turn for row in self.rows if row.a is not None]
        of_b = [row.turn for row in self.rows if row.b is not None]
        one, other = (range(found[0], found[-1] + 1) if found else range(0) for found in (of_a, of_b))
        return one, other

    @property
    def first_shared_turn(self) -> int | None:
        """The first turn that both runs have; a continued run may lack those before it."""
        begin, end = max(of.start for of in self.turns), min(of.stop for of in self.turns)
        return begin if begin < end else None

    def differences(self, row: Row) -> list[Difference]:
        """Return the differences between the two items of a row."""
        one, other = self.pair(row)
        return differences(one.comparable, other.comparable) if one and other else []

    def change(self, row: Row) -> str:
        """Return the differences of a row in one line; empty without any."""
        if row.status != "changed":
            return {"same": "", "only_a": "Only in A", "only_b": "Only in B"}[row.status]
        found = self.differences(row)
        more = f"; {len(found) - _MAX_CHANGES} more" if len(found) > _MAX_CHANGES else ""
        return "; ".join(_change(each) for each in found[:_MAX_CHANGES]) + more


def compare(
    a: Sequence[TurnLog],
    b: Sequence[TurnLog],
    ignoring: Collection[str] = IGNORED_BETWEEN_RUNS,
    *,
    shift: int = 0,
) -> Comparison:
    """Compare two runs.

    Args:
        a: The turns of run A.
        b: The turns of run B.
        ignoring: What is passed over, by the names of `debugger.analysis.comparison.ignored`.
        shift: How many turns of A came before the first of B, as where B goes on from a turn of A.
    """
    of_a, of_b = items(a, ignoring), items(b, ignoring)
    return Comparison(of_a, of_b, align(of_a, of_b, shift))


def turn_offset(a: Run, of_a: Sequence[TurnLog], b: Run, of_b: Sequence[TurnLog]) -> int:
    """Return how many turns of A precede B's first; negative, of B.

    It is not 0 if one of them continues from a turn of the other and its record does not begin with the turns
    before; a record that does is compared from the first turn on.

    Source: ``checkpoint_source_turn_index`` counts from 0 (``platform.md#re-runs``).
    """
    if a.source_workflow_run_id == b.workflow_run_id:
        return -_turns_before(a, of_a, of_b)
    return _turns_before(b, of_b, of_a) if b.source_workflow_run_id == a.workflow_run_id else 0


def _turns_before(later: Run, own: Sequence[TurnLog], earlier: Sequence[TurnLog]) -> int:
    """Return the turns of the earlier run before the first one of its fork; 0 where they do not count.

    That is without an index, without turns of either, and where both begin with the same turn, as a fork that
    has the earlier turns itself.
    """
    index = later.checkpoint_source_turn_index
    if not index or not own or not earlier:
        return 0
    first, other = items(own[:1], IGNORED_BETWEEN_RUNS), items(earlier[:1], IGNORED_BETWEEN_RUNS)
    return 0 if [item.digest for item in first] == [item.digest for item in other] else index


@dataclass(frozen=True)
class Totals:
    """The totals of one run."""

    turns: int
    events: int
    milliseconds: float | None
    """Sum of the durations of its turns; ``None`` without a time."""
    tokens: int | None
    """Tokens of the models; ``None`` if the record has no usage."""

    @classmethod
    def of(cls, run: Run, turns: Sequence[TurnLog]) -> Self:
        """Return the totals of a record; turns are counted by the number of the last.

        Source: token usage in ``platform.md#usage``.
        """
        spent = [time for turn in turns if (time := turn_duration(turn)) is not None]
        tokens = RunUsage(run.llm_token_usage).total_tokens
        return cls(
            turns=turns[-1].number if turns else 0,
            events=sum(len(turn.events) for turn in turns),
            milliseconds=sum(spent) if spent else None,
            tokens=tokens,
        )


@dataclass(frozen=True)
class EventDifference:
    """An event that differs, or that only one turn has."""

    type: str
    """The event's type."""
    node: str | None
    """Its node's id; for a transition that of its source."""
    place: int
    """Index of the event in its turn, from 0, in A; in B if only B has it."""
    only_in: str
    """``"A"`` or ``"B"``; empty when both have the event."""
    values: tuple[Difference, ...] = ()
    """Differences from A to B; empty if only one run has the event."""

    def __str__(self) -> str:
        at = f" at {self.node}" if self.node else ""
        if self.only_in:
            return f"{self.type}{at}: only in {self.only_in}"
        return f"{self.type}{at}: {', '.join(value.path for value in self.values)}"


@dataclass(frozen=True)
class TurnEquality:
    """The result of comparing two turns."""

    differences: tuple[EventDifference, ...]

    @property
    def is_same(self) -> bool:
        """True if nothing differs."""
        return not self.differences


def compare_turns(
    a: TurnLog, b: TurnLog, ignoring: Collection[str] = IGNORED_BETWEEN_REPLAYS
) -> TurnEquality:
    """Compare the events of two turns, not their numbers and inputs.

    Args:
        a: A turn.
        b: Another one.
        ignoring: What is passed over, by the names of `debugger.analysis.comparison.ignored`.
    """
    of_a = items([a], ignoring, with_inputs=False)
    of_b = items([b], ignoring, with_inputs=False)
    found = Comparison(of_a, of_b, align(of_a, of_b, a.number - b.number))
    return TurnEquality(tuple(_event_difference(found, found.rows[place]) for place in found.differing))


def _event_difference(found: Comparison, row: Row) -> EventDifference:
    item, place = found.get_item(row), row.b if row.a is None else row.a
    only_in = {"only_a": "A", "only_b": "B"}.get(row.status, "")
    return EventDifference(item.type, item.node, place or 0, only_in, tuple(found.differences(row)))

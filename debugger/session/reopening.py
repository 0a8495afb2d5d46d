"""A recorded run read again, turn by turn."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from debugger.analysis.run_projection import RunIndex
from debugger.analysis.side_effects import ledger_of
from debugger.graph import Graph
from debugger.protocol.runs import ReadTurn, RunRecord, TurnLog, recorded_logs


@dataclass
class ReadRun:
    """What was read of a run so far."""

    index: RunIndex
    turns: list[ReadTurn] = field(default_factory=list)
    """The turns of the record that were read."""
    logs: list[TurnLog] = field(default_factory=list)
    """How they are looked at."""
    ledger: dict[str, list[Any]] = field(default_factory=dict)
    """See `debugger.analysis.side_effects.Ledgers`."""

    def copy(self) -> Self:
        """Another one that stands here, to go on by itself."""
        return type(self)(self.index.copy(), self.turns.copy(), self.logs.copy(), self.ledger.copy())

    def begins(self, record: RunRecord, graph: Graph) -> bool:
        """Whether a record begins with what was read, and is looked at on the same graph."""
        is_same_graph = self.index.graph.workflow == graph.workflow
        return is_same_graph and self.turns == list(record.turns[: len(self.turns)])

    def go_on(self, turns: Sequence[ReadTurn], after_each: Callable[[], None] | None = None) -> None:
        """Read the next turns. Each is read once and let go, since a run may be long.

        Args:
            turns: The turns.
            after_each: Called after each of them.

        Raises:
            StoreError: What was kept of one was changed by something else.
        """
        after = self.logs[-1].number if self.logs else 0
        with uncollected():
            for turn, log in recorded_logs(turns, after=after):
                self.ledger |= ledger_of(turn)
                if log is not None:
                    self.index.settle(log)
                    self.logs.append(log)
                if after_each is not None:
                    after_each()
        self.turns += turns


@contextmanager
def uncollected() -> Iterator[None]:
    """While much is read that stays: the garbage collector would walk through all of it again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

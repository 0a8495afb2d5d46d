"""How many turns one run is ahead of another that goes on from it."""

from __future__ import annotations

from collections.abc import Sequence

from debugger.analysis.comparison.ignored import USUAL
from debugger.analysis.comparison.items import items
from debugger.protocol.runs import Run, TurnLog


def shift_between(a: Run, of_a: Sequence[TurnLog], b: Run, of_b: Sequence[TurnLog]) -> int:
    """How many turns of A came before the first of B; below 0, how many of B before the first of A.

    That is told where one of them goes on from a turn of the other, and its record does not begin with the
    turns before: a record that does is put beside the other from the first turn on.

    Source: ``checkpoint_source_turn_index`` counts from 0 (``platform/wire.md`` 7).
    """
    if a.source_workflow_run_id == b.workflow_run_id:
        return -_turns_before(a, of_a, of_b)
    return _turns_before(b, of_b, of_a) if b.source_workflow_run_id == a.workflow_run_id else 0


def _turns_before(later: Run, own: Sequence[TurnLog], earlier: Sequence[TurnLog]) -> int:
    index = later.checkpoint_source_turn_index
    if not index or not own or not earlier:
        return 0
    first, other = items(own[:1], USUAL), items(earlier[:1], USUAL)
    return 0 if [item.digest for item in first] == [item.digest for item in other] else index

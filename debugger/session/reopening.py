"""A recorded run read again, turn by turn."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from debugger.analysis.run_index import RunIndex
from debugger.analysis.side_effects import ledger_of
from debugger.protocol.runs import RunRecord, TurnLog, recorded_logs


def read_record(record: RunRecord, index: RunIndex) -> tuple[list[TurnLog], dict[str, list[Any]]]:
    """The logs of a record and its ledger. Each turn is read once and let go, since a run may be long.

    Args:
        record: The run.
        index: Takes in each turn while its events are at hand.
    """
    logs: list[TurnLog] = []
    ledger: dict[str, list[Any]] = {}
    with _uncollected():
        for turn, log in recorded_logs(record.turns):
            ledger |= ledger_of(turn)
            if log is not None:
                index.settle(log)
                logs.append(log)
    return logs, ledger


@contextmanager
def _uncollected() -> Iterator[None]:
    """While much is read that stays: the garbage collector would walk through all of it again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

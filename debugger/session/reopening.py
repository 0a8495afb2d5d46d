"""A recorded run read again, turn by turn."""

from __future__ import annotations

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
    for turn, log in recorded_logs(record.turns):
        ledger |= ledger_of(turn)
        if log is not None:
            index.settle(log)
            logs.append(log)
    return logs, ledger

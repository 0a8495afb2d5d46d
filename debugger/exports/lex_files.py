"""Test sets of Amazon Lex, as its documents name their columns."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from debugger.boundary import Boundary, Kind
from debugger.exports.column_values import changes_of
from debugger.exports.csv_files import CsvOptions, write_csv
from debugger.exports.records import ExportedRun
from debugger.exports.rows import ExportRow, export_rows
from debugger.exports.table import register_run
from debugger.protocol.json_codec import decode, encode
from debugger.protocol.runs import MAIN_THREAD

LEX_COLUMNS = ("Line #", "Conversation #", "Source", "Input", "Expected Output Intent")
LEX_SLOT = "Expected Output Slot {}"
MAX_LEX_ROWS = 50_000
"""Rows that Lex takes in one test set."""
_OF_ENGINE = frozenset({"justification"})
"""Variables that the engine sets for itself."""


def write_lex(
    file: BinaryIO,
    runs: Iterable[ExportedRun],
    boundary: Boundary,
    options: CsvOptions,
    count_line: Callable[[], None],
) -> None:
    """Write the messages of runs as a test set.

    The intent of a user's line is the first edge by name that the turn took, else the node that answers; its
    slots are the variables that the turn has set. Both are in the last line of the user in a turn.

    Args:
        file: It stays open.
        runs: The conversations, in order.
        boundary: Masks texts and values.
        options: The dialect of the file.
        count_line: Called at each line, before the next run is read.
    """
    lines = _Lines(boundary)
    with tempfile.TemporaryFile() as body:
        # The header counts slots, which are known only when all lines are.
        for line in lines.read(runs):
            count_line()
            body.write(encode(line) + b"\n")
        slots = [LEX_SLOT.format(number) for number in range(1, max(lines.most_slots, 1) + 1)]
        body.seek(0)
        header = [*LEX_COLUMNS, *slots]
        rows = map(decode, body)
        write_csv(file, header, (row + [""] * (len(header) - len(row)) for row in rows), options)


class _Lines:
    def __init__(self, boundary: Boundary) -> None:
        self.count = 0
        self.most_slots = 0
        self._boundary = boundary

    def read(self, runs: Iterable[ExportedRun]) -> Iterator[list[Any]]:
        """Yield the lines of the turns of all runs, whose conversations count from 1.

        What the boundary masks of a run is registered before its lines. Runs are read as lines are asked for.
        """
        for conversation, run in enumerate(runs, start=1):
            register_run(self._boundary, run)
            for turn in export_rows(run, "turn"):
                yield from self._turn(conversation, turn)

    def _turn(self, conversation: int, row: ExportRow) -> Iterator[list[Any]]:
        """Yield the lines of a turn's messages, masked and counted; rows of the system have none."""
        assert row.turn is not None
        users = [each for each in row.turn.rows if each.role == "user"]
        for message in row.turn.rows:
            if message.role == "system":
                continue
            self.count += 1
            expected: list[Any] = [""]
            if message is (users[-1] if users else None):
                expected = [self._boundary.release(Kind.NAME, _intent(row)), *self._slots(row)]
            source = "User" if message.role == "user" else "Agent"
            text = self._boundary.release(Kind.TEXT, message.text)
            yield [self.count, conversation, source, text, *expected]

    def _slots(self, row: ExportRow) -> list[str]:
        """Return the variables that a turn has set, as ``name = value`` and masked.

        Remember the largest number.
        """
        changes = self._boundary.release(Kind.CHANGES, changes_of(row) or [])
        slots = [
            f"{name} = {value if isinstance(value, str) else encode(value).decode()}"
            for change in changes
            for name, value in [(change["path"].partition(".")[2], change["after"])]
            if value is not None and name not in _OF_ENGINE
        ]
        self.most_slots = max(self.most_slots, len(slots))
        return slots


def _intent(row: ExportRow) -> str:
    """Return a turn's intent: the first edge that the main thread took by a condition, else who spoke last.

    Empty without either. The row must have its turn, else an `AssertionError` is raised.
    """
    assert row.turn is not None
    steps = [step for step in row.turn.steps if step.thread == MAIN_THREAD]
    chosen = next((step.edge for step in steps if step.condition), "")
    spoken = [each.node_name for each in row.turn.rows if each.role == "agent"]
    return chosen or (spoken[-1] if spoken else "")

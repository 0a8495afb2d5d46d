"""A run as its reviewers read it: turns with messages, path, changes and errors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from debugger.analysis.differences import Difference
from debugger.analysis.paths import BETWEEN, PathStep, path_text
from debugger.analysis.transcript import RunFacts, TranscriptReader, TranscriptRow, TranscriptTurn
from debugger.expressions.values import shortened
from debugger.protocol.runs import Run
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow

_MAX_VALUE_CHARACTERS = 80
_MAX_HOPS = 12
"""Transitions of a path; of a longer one both ends are shown."""


@dataclass(frozen=True)
class ReviewedTurn:
    """One turn of the user, with the background work after it."""

    number: int
    messages: tuple[TranscriptRow, ...]
    """The rows of the transcript, of which some only tell that nothing was said."""
    path: str
    """Nodes, and between them the edges taken: ``Intent desk > book > Booking intake``."""
    changes: tuple[str, ...]
    """Changed variables: ``name: "" → "Ada"``."""
    error: str


def reviewed_turns(run: Run, turns: Sequence[TurnLog], workflow: Workflow) -> list[ReviewedTurn]:
    """Return the turns of a run as reviewers read them.

    Args:
        run: The record.
        turns: Its turns.
        workflow: The workflow that ran, or what the run is drawn with.
    """
    reader = TranscriptReader(RunFacts.of(run, workflow_name="", engine=""), workflow)
    parts: dict[int, list[TranscriptTurn]] = {}
    for place, turn in enumerate(turns, start=1):
        read = reader.add_turn(turn, is_last=place == len(turns))
        parts.setdefault(turn.number, []).append(read)
    return [_turn(number, of_turn) for number, of_turn in parts.items()]


def _turn(number: int, parts: Sequence[TranscriptTurn]) -> ReviewedTurn:
    return ReviewedTurn(
        number=number,
        messages=tuple(row for part in parts for row in part.rows),
        path=_path([step for part in parts for step in part.steps]),
        changes=tuple(_change(change) for part in parts for change in part.changes),
        error=" ".join(part.error_message for part in parts if _hides_error(part)),
    )


def _hides_error(part: TranscriptTurn) -> bool:
    """Return whether there is an error that no row has as its text."""
    return bool(part.error_type) and all(row.role != "system" for row in part.rows)


def _path(steps: Sequence[PathStep]) -> str:
    if len(steps) <= _MAX_HOPS:
        return path_text(steps)
    half = _MAX_HOPS // 2
    return BETWEEN.join([path_text(steps[:half]), "…", path_text(steps[-half:])])


def _change(change: Difference) -> str:
    name = change.path.removeprefix("runtime.")
    if change.op == "removed":
        return f"{name}: {_value(change.before)} removed"
    before = "" if change.op == "added" else f"{_value(change.before)} → "
    return f"{name}: {before}{_value(change.after)}"


def _value(value: Any) -> str:
    return shortened(json.dumps(value, ensure_ascii=False, default=str), _MAX_VALUE_CHARACTERS)

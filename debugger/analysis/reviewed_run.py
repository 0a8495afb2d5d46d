"""A run as its reviewers read it: turns with messages, path, changes and errors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from debugger.analysis.differences import Difference
from debugger.analysis.node_origins import label_of
from debugger.analysis.transcript import RunFacts, TranscriptRow, transcript
from debugger.analysis.transitions import EdgeIndex, Transition, read_transitions
from debugger.analysis.variables import changes_by_turn
from debugger.protocol.runs import Run
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow

_MAX_VALUE_CHARACTERS = 80
_MAX_STEPS = 12
"""Of a path; of a longer one both ends are shown."""


@dataclass(frozen=True)
class ReviewedTurn:
    """One turn of the user, with the background work after it."""

    number: int
    messages: tuple[TranscriptRow, ...]
    """Messages of user and agent, as numbered in the transcript."""
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
    rows = transcript(RunFacts.of(run, workflow_name="", engine=""), turns, workflow)
    paths = turn_paths(turns, workflow)
    changes: dict[int, list[Difference]] = {turn.number: [] for turn in turns}
    for turn, differences in zip(turns, changes_by_turn(turns), strict=True):
        changes[turn.number] += differences
    of_turn: dict[int, list[TranscriptRow]] = {number: [] for number in changes}
    for row in rows:
        of_turn[row.turn_number].append(row)
    return [
        ReviewedTurn(
            number=number,
            messages=tuple(row for row in of_turn[number] if row.role != "system"),
            path=paths.get(number, ""),
            changes=tuple(map(_change, changed)),
            error=" ".join(row.error_message for row in of_turn[number] if row.error_type),
        )
        for number, changed in changes.items()
    ]


def turn_paths(turns: Sequence[TurnLog], workflow: Workflow) -> dict[int, str]:
    """Return the path of the main thread in words by turn number."""
    names = {node.logical_id: node.label for node in workflow.node_configs}
    taken: dict[int, list[Transition]] = {}
    for transition in read_transitions(turns, EdgeIndex(workflow.edge_configs, names)):
        if transition.kind != "companion_edge":
            taken.setdefault(transition.turn_number, []).append(transition)
    return {number: " > ".join(_cut(list(_steps(part, names)))) for number, part in taken.items()}


def _steps(taken: Sequence[Transition], names: Mapping[str, str]) -> Iterator[str]:
    last: str | None = None
    for transition in taken:
        if transition.source != last or last is None:
            yield _name(transition.source, names)
        if transition.edge_name:
            yield transition.edge_name
        last = transition.destination
        yield _name(last, names)


def _name(node_id: str | None, names: Mapping[str, str]) -> str:
    return "end" if node_id is None else label_of(node_id, names.get(node_id, node_id), names)


def _cut(steps: list[str]) -> list[str]:
    half = _MAX_STEPS // 2
    return steps if len(steps) <= _MAX_STEPS else [*steps[:half], "…", *steps[-half:]]


def _change(change: Difference) -> str:
    name = change.path.removeprefix("runtime.")
    if change.op == "removed":
        return f"{name}: {_value(change.before)} removed"
    before = "" if change.op == "added" else f"{_value(change.before)} → "
    return f"{name}: {before}{_value(change.after)}"


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MAX_VALUE_CHARACTERS else f"{text[:_MAX_VALUE_CHARACTERS]}…"

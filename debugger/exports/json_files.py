"""JSON files: events as JSON lines, and whole runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from debugger.analysis.timeline import timeline
from debugger.exports.redaction import redact
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.protocol.notes import RunNotes
from debugger.protocol.run_file import RunFile, write_run_file
from debugger.protocol.runs import Run
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow

SCHEMA_VERSION = 1
"""Counts up when a field of `EventLine` changes its meaning."""


class EventLine(NamedTuple):
    """One event."""

    schema_version: int
    run_id: str
    turn_number: int
    """Of background work, that of the turn after which it was done."""
    is_background: bool
    event_index: int
    """Counts the run's events from 0."""
    event_type: str
    node_logical_id: str | None
    node_name: str | None
    thread_id: str | None
    at: str
    """ISO 8601, UTC."""
    at_ms: float | None
    """Since the run began."""
    duration_ms: float | None
    importance: str
    summary: str
    payload: JsonObject
    """The event as it was sent; secrets masked."""


def event_lines(run_id: str, turns: Sequence[TurnLog]) -> list[EventLine]:
    """Return the events of a run as lines."""
    return [
        EventLine(
            schema_version=SCHEMA_VERSION,
            run_id=run_id,
            turn_number=row.turn_number,
            is_background=row.is_background,
            event_index=row.index,
            event_type=row.type,
            node_logical_id=row.node_logical_id,
            node_name=row.node_name,
            thread_id=row.thread,
            at=row.timestamp,
            at_ms=row.at_ms,
            duration_ms=row.duration_ms,
            importance=row.importance,
            summary=row.summary,
            payload=redact(turns[row.place].events[row.position].to_wire()),
        )
        for row in timeline(turns)
    ]


def json_lines(lines: Iterable[EventLine]) -> bytes:
    """Return the lines as a file."""
    return b"".join(encode(line._asdict()) + b"\n" for line in lines)


def build_run_file(run: Run, workflow: Workflow, notes: RunNotes, *, engine: str) -> RunFile:
    """Build the content of a run file; secrets are masked.

    Args:
        run: The record.
        workflow: The version that ran.
        notes: What was noted on the run.
        engine: What ran it, as people know it.
    """
    return RunFile(
        exported_at=datetime.now(UTC).isoformat(timespec="seconds"),
        engine=engine,
        run=redact({**run.to_wire(), "workflow_config_fully_hydrated": None}),
        workflow=redact(workflow.to_wire()),
        notes=notes,
    )


def run_json(file: RunFile) -> bytes:
    """Return a run as a JSON file."""
    return write_run_file(file)

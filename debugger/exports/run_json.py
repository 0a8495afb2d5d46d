"""A run as one JSON file that can be opened again without the backend it came from."""

from __future__ import annotations

from datetime import UTC, datetime

from debugger.exports.masked import masked
from debugger.protocol.notes import RunNotes
from debugger.protocol.run_file import RunFile, write_run_file
from debugger.protocol.runs import Run
from debugger.protocol.workflow import Workflow


def run_file(run: Run, workflow: Workflow, notes: RunNotes, *, engine: str) -> RunFile:
    """What goes into the file; secrets are masked.

    Args:
        run: The record.
        workflow: The version that ran.
        notes: What was noted on the run.
        engine: What ran it, as people know it.
    """
    return RunFile(
        exported_at=datetime.now(UTC).isoformat(timespec="seconds"),
        engine=engine,
        run=masked({**run.to_wire(), "workflow_config_fully_hydrated": None}),
        workflow=masked(workflow.to_wire()),
        notes=notes,
    )


def run_json(file: RunFile) -> bytes:
    """The file."""
    return write_run_file(file)

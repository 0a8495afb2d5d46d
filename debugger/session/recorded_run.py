"""A run as its record tells it, to be looked at and not gone on with."""

from __future__ import annotations

from dataclasses import dataclass

from debugger.backends.base import Backend
from debugger.errors import NotFoundError
from debugger.protocol.base import check_id
from debugger.protocol.runs import Run, TurnLog, turn_logs
from debugger.protocol.workflow import Workflow


@dataclass(frozen=True, eq=False)
class RecordedRun:
    """One record, read once."""

    run: Run
    turns: list[TurnLog]
    workflow: Workflow
    """The version that ran; an empty one where it is not at hand any more."""
    has_workflow: bool
    engine: str
    """What ran it, as people know it."""


def read_run(backend: Backend, run_id: str) -> RecordedRun:
    """Read a run, with the version that it ran on.

    Raises:
        InputError: The id is none.
        NotFoundError: There is no such run.
        DebuggerError: The backend cannot give it.
    """
    run = backend.run(check_id("run", run_id.strip()))
    try:
        workflow, has_workflow = backend.workflow(run.workflow_id, run.version_number), True
    except NotFoundError:
        workflow, has_workflow = Workflow(), False
    return RecordedRun(run, turn_logs(run), workflow, has_workflow, backend.name)

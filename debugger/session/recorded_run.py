"""A run as its record tells it, to be looked at and not gone on with."""

from __future__ import annotations

from dataclasses import dataclass

from debugger.backends.base import Backend
from debugger.protocol.base import check_id
from debugger.protocol.runs import Run, TurnLog, turn_logs
from debugger.protocol.workflow import Workflow
from debugger.session.drawn_version import drawn_version


@dataclass(frozen=True, eq=False)
class RecordedRun:
    """One record, read once."""

    run: Run
    turns: list[TurnLog]
    workflow: Workflow
    """The version that ran, or what it is drawn with where that is not at hand."""
    drawn_instead: str
    """Why the workflow is not the version that ran; empty where it is."""
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
    drawn = drawn_version(backend, run)
    return RecordedRun(run, turn_logs(run), drawn.workflow, drawn.instead, backend.name)

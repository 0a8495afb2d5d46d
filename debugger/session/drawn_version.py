"""The graph that a recorded run is drawn with, where that of the version that ran is not at hand."""

from __future__ import annotations

from dataclasses import dataclass

from debugger.backends.base import Backend
from debugger.errors import NotFoundError, UnsupportedError
from debugger.protocol.runs import Run
from debugger.protocol.workflow import Workflow


@dataclass(frozen=True)
class DrawnVersion:
    """A workflow, and what is to be said about it."""

    workflow: Workflow
    instead: str = ""
    """Why it is not the version that ran, in two sentences; empty where it is."""


def drawn_version(backend: Backend, run: Run) -> DrawnVersion:
    """The version that ran; else the active one; of a workflow that is gone one without nodes.

    What the run did and the version lacks is drawn as ghosts, so a run can always be looked at.

    Raises:
        DebuggerError: The backend cannot be asked.
    """
    try:
        return DrawnVersion(backend.workflow(run.workflow_id, run.version_number))
    except (UnsupportedError, NotFoundError):
        return _another(backend, run)


def _another(backend: Backend, run: Run) -> DrawnVersion:
    used = "an unknown version" if run.version_number is None else f"v{run.version_number}"
    try:
        workflow = backend.workflow(run.workflow_id)
        active = backend.workflow_summary(run.workflow_id).active_version_number
    except NotFoundError:
        gone = Workflow.from_document(
            {"workflow_config": {"name": "Deleted workflow"}, "node_configs": [], "edge_configs": []}
        )
        return DrawnVersion(
            gone, f"The workflow is gone; the run used {used}. It is drawn as far as the run tells of it."
        )
    drawn = "the active version" if active is None else f"v{active}"
    return DrawnVersion(
        workflow, f"Drawn with {drawn}, the run used {used}. What {drawn} does not have is dashed."
    )

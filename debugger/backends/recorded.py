"""A run out of a file: it shows what happened, and runs nothing."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NoReturn, get_args

from debugger.backends.base import Ability, Capabilities, FoundTurn, Page, RunRevision, TurnStream
from debugger.engine.inspection import RunInspector
from debugger.engine.variable_edits import VariableEdit
from debugger.errors import NotFoundError, UnsupportedError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.run_file import RunFile
from debugger.protocol.runs import Run, RunSearch, SentTurn, TurnInput
from debugger.protocol.turn_logs import LazyRun
from debugger.protocol.workflow import VersionSummary, Workflow, WorkflowSummary
from debugger.store import Notebook

REASON = "This is a recording: it shows what happened, and nothing can be run or changed in it."


class RecordedBackend:
    """The run of one file, behind the questions that every backend answers.

    Args:
        file: What was in the file.

    Raises:
        InputError: The file's run or workflow cannot be used.
    """

    name = "Recording"
    node_types: frozenset[str] | None = None
    notebook: Notebook | None = None
    capabilities = Capabilities(dict.fromkeys(get_args(Ability), REASON))

    def __init__(self, file: RunFile) -> None:
        self.file = file
        self._run = file.record()
        self._graph = file.graph()

    @property
    def run_id(self) -> str:
        """The run that is in the file."""
        return self._run.workflow_run_id

    def close(self) -> None:
        """Nothing is held open."""

    def workflows(self, search: str = "") -> list[WorkflowSummary]:
        """See `Backend.workflows`."""
        return [self._summary] if search.casefold() in self._summary.label.casefold() else []

    def workflow_summary(self, workflow_id: str) -> WorkflowSummary:
        """See `Backend.workflow_summary`."""
        self._check("workflow", workflow_id, self._run.workflow_id)
        return self._summary

    def versions(self, workflow_id: str) -> list[VersionSummary]:
        """See `Backend.versions`."""
        self._check("workflow", workflow_id, self._run.workflow_id)
        run = self._run
        return [
            VersionSummary(version_number=run.version_number, version_name=run.version_name, is_active=True)
        ]

    def workflow(self, workflow_id: str, version_number: int | None = None) -> Workflow:
        """See `Backend.workflow`."""
        self._check("workflow", workflow_id, self._run.workflow_id)
        if version_number is not None:
            self._check("version", str(version_number), str(self._run.version_number))
        return self._graph

    def run(self, run_id: str) -> Run:
        """See `Backend.run`."""
        self._check("run", run_id, self.run_id)
        return self._run

    def record(self, run_id: str) -> LazyRun:
        """See `Backend.record`."""
        return LazyRun.of(self.run(run_id))

    def runs(
        self,
        *,
        workflow_id: str | None = None,
        status: str | None = None,
        search: RunSearch | None = None,
        page: int = 1,
        size: int = 50,
    ) -> Page[Run]:
        """See `Backend.runs`.

        Raises:
            UnsupportedError: The search asks for more than workflow and status.
        """
        if search is not None and search != RunSearch():
            _refuse()
        fits = workflow_id in (None, self._run.workflow_id) and status in (None, self._run.status)
        rows = [self._run] if fits and page == 1 else []
        return Page(rows, int(fits))

    def create_workflow(self, document: JsonObject, *, name: str | None = None) -> WorkflowSummary:
        """See `Backend.create_workflow`; a recording refuses."""
        _refuse()

    def delete_workflow(self, workflow_id: str) -> None:
        """See `Backend.delete_workflow`; a recording refuses."""
        _refuse()

    def create_version(
        self,
        workflow_id: str,
        *,
        version_name: str | None = None,
        source_version_number: int | None = None,
        mark_as_active: bool = False,
    ) -> VersionSummary:
        """See `Backend.create_version`; a recording refuses."""
        _refuse()

    def activate_version(self, workflow_id: str, version_number: int) -> None:
        """See `Backend.activate_version`; a recording refuses."""
        _refuse()

    def execute(
        self,
        workflow_id: str,
        turn_input: TurnInput,
        *,
        run_id: str | None = None,
        expected_turn_number: int | None = None,
        version_number: int | None = None,
        cancelled: threading.Event | None = None,
        inspector: RunInspector | None = None,
    ) -> TurnStream:
        """See `Backend.execute`; a recording refuses."""
        _refuse()

    def find_turn(self, workflow_id: str, sent: SentTurn) -> FoundTurn:
        """See `Backend.find_turn`; a recording refuses."""
        _refuse()

    def revision(self, run_id: str) -> RunRevision:
        """See `Backend.revision`."""
        run = self.run(run_id)
        return RunRevision(run.status, len(run.finished_turns))

    def pump(
        self,
        workflow_id: str,
        run_id: str,
        *,
        cancelled: threading.Event | None = None,
        inspector: RunInspector | None = None,
    ) -> TurnStream:
        """See `Backend.pump`; a recording refuses."""
        _refuse()

    def fork(
        self,
        run_id: str,
        turn_number: int,
        *,
        version_number: int | None = None,
        edits: Sequence[VariableEdit] = (),
        start_node_logical_id: str | None = None,
        run_by: str | None = None,
    ) -> str:
        """See `Backend.fork`; a recording refuses."""
        _refuse()

    def replay(
        self, run_id: str, turn_number: int, *, cancelled: threading.Event | None = None
    ) -> list[Event]:
        """See `Backend.replay`; a recording refuses."""
        _refuse()

    @property
    def _summary(self) -> WorkflowSummary:
        run = self._run
        kept_name = (run.model_extra or {}).get("workflow_name")
        name = str(kept_name or self._graph.name)
        return WorkflowSummary(id=run.workflow_id, name=name, active_version_number=run.version_number)

    def _check(self, what: str, given: str, ours: str) -> None:
        if given != ours:
            raise NotFoundError(
                f"The recording has no {what} {given}.", advice=f"It holds the {what} {ours} alone."
            )


def _refuse() -> NoReturn:
    raise UnsupportedError(REASON, advice="Open the workflow on another backend to run it.")

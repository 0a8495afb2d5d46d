"""The run of a file, which is shown and not executed."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn, get_args

from debugger.backends.base import Ability, Backend, Capabilities, Page, RunRevision
from debugger.errors import NotFoundError, UnsupportedError
from debugger.protocol.run_file import RunFile
from debugger.protocol.runs import Run, RunSearch
from debugger.protocol.workflow import VersionSummary, Workflow, WorkflowSummary
from debugger.store import NoteRepository

REASON = "This is a recording: it shows what happened, and nothing can be run or changed in it."


def _refuse(*_: object, **__: object) -> NoReturn:
    raise UnsupportedError(REASON, advice="Open the workflow on another backend to run it.")


class RecordedBackend(Backend):
    """The run of one file, behind the questions that every backend answers.

    Raises:
        InputError: The file's run or workflow cannot be used.
    """

    name = "Recording"
    node_types: frozenset[str] | None = None
    notes: NoteRepository | None = None
    capabilities = Capabilities(dict.fromkeys(get_args(Ability), REASON))

    create_workflow = delete_workflow = create_version = activate_version = _refuse
    find_workflows = import_version = _refuse
    execute = find_turn = pump = fork = replay = _refuse

    def __init__(self, file: RunFile) -> None:
        self.file = file
        self._run = file.record()
        self._graph = file.graph()

    @property
    def run_id(self) -> str:
        """The run that is in the file."""
        return self._run.workflow_run_id

    def close(self) -> None:
        """Do nothing; nothing is held open."""

    def workflows(self, search: str = "") -> list[WorkflowSummary]:
        """See `Backend.workflows`."""
        return [self._summary] if search.casefold() in self._summary.label.casefold() else []

    def workflow_summary(self, workflow_id: str) -> WorkflowSummary:
        """See `Backend.workflow_summary`."""
        self._check("workflow", workflow_id, self._run.workflow_id)
        return self._summary

    def versions(self, workflow_id: str) -> list[VersionSummary]:
        """See `Backend.versions`; the list has the version of the run alone, as the active one.

        Raises NotFoundError of another workflow.
        """
        self._check("workflow", workflow_id, self._run.workflow_id)
        run = self._run
        return [
            VersionSummary(version_number=run.version_number, version_name=run.version_name, is_active=True)
        ]

    def workflow(self, workflow_id: str, version_number: int | None = None) -> Workflow:
        """See `Backend.workflow`; it is the graph in the file.

        Raises NotFoundError of another workflow or version.
        """
        self._check("workflow", workflow_id, self._run.workflow_id)
        if version_number is not None:
            self._check("version", str(version_number), str(self._run.version_number))
        return self._graph

    def run(self, run_id: str) -> Run:
        """See `Backend.run`."""
        self._check("run", run_id, self.run_id)
        return self._run

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
        if search is not None and replace(search, without_scenarios=False) != RunSearch():
            _refuse()
        fits = workflow_id in (None, self._run.workflow_id) and status in (None, self._run.status)
        rows = [self._run] if fits and page == 1 else []
        return Page(rows, int(fits))

    def revision(self, run_id: str) -> RunRevision:
        """See `Backend.revision`."""
        run = self.run(run_id)
        return RunRevision(run.status, len(run.finished_turns))

    @property
    def _summary(self) -> WorkflowSummary:
        run = self._run
        name = run.workflow_name or self._graph.name
        return WorkflowSummary(id=run.workflow_id, name=name, active_version_number=run.version_number)

    def _check(self, what: str, wanted: str, ours: str) -> None:
        if wanted != ours:
            raise NotFoundError(
                f"The recording has no {what} {wanted}.", advice=f"It holds the {what} {ours} alone."
            )

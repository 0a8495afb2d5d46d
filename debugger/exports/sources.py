"""Sources of exported runs: named runs, or those of a filter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from debugger.backends.base import Backend, Page
from debugger.errors import (
    AnswerError,
    InputError,
    NotFoundError,
    StoreError,
    UnsupportedError,
    WorkflowError,
)
from debugger.exports.records import ExportedRun
from debugger.protocol.runs import Run, RunSearch
from debugger.protocol.workflow import Workflow
from debugger.store import Store

_PAGE_SIZE = 100
"""The most that the platform documents; an API may send shorter pages."""
_MAX_WORKFLOWS = 8
"""Versions of workflows that are in memory at once."""
_MAX_SEARCHES = 600
"""Repetitions of a search that still has to index runs, of half a second each."""


@dataclass(frozen=True)
class RunFilter:
    """The runs of a list."""

    workflow_id: str | None = None
    status: str | None = None
    search: RunSearch = field(default_factory=RunSearch)

    def page(self, backend: Backend, number: int, size: int) -> Page[Run]:
        """Return one page of the runs, the newest first.

        Raises:
            DebuggerError: The backend does not answer, or cannot search for that.
        """
        return backend.runs(
            workflow_id=self.workflow_id,
            status=self.status,
            search=None if self.search == RunSearch() else self.search,
            page=number,
            size=size,
        )


class RunReader:
    """Reads runs of a backend one by one.

    Args:
        backend: Has the runs.
        store: The embedded engine's, which also has the notes and verdicts on hosted runs; ``None`` without.
        connection: The connection of hosted runs; empty of the embedded engine.
        environment: The environment of a hosted connection.
    """

    def __init__(
        self, backend: Backend, store: Store | None, connection: str = "", environment: str = ""
    ) -> None:
        """Hold where runs are read; without a store what users have added to runs is left out."""
        self.missing: list[str] = []
        """Runs that were deleted before they were read."""
        self._backend = backend
        self._store = store
        self._connection = connection
        self._environment = environment
        self._workflows: dict[tuple[str, int], Workflow | None] = {}

    def read(self, run_ids: Sequence[str]) -> Iterator[ExportedRun]:
        """Yield runs in this order; one at a time is in memory."""
        for run_id in run_ids:
            try:
                yield self.run(run_id)
            except NotFoundError:
                self.missing.append(run_id)

    def run(self, run_id: str) -> ExportedRun:
        """Return one run with its workflow, and from the store its notes, verdicts, fork and scenario.

        Raises:
            NotFoundError: There is no such run.
        """
        record = self._backend.record(run_id)
        workflow = self._workflow(record.run)
        found = ExportedRun(
            record=record,
            workflow=workflow,
            workflow_name=record.run.workflow_name or (workflow.name if workflow else ""),
            engine=self._backend.name,
            environment=self._environment,
        )
        if self._store is None:
            return found
        verdicts = self._store.reviews.verdicts([run_id], connection=self._connection)
        return replace(
            found,
            notes=self._store.notes.of(run_id),
            verdicts=verdicts.get(run_id, []),
            fork=self._store.forks.of(run_id),
            scenario=self._store.scenario_runs.of(run_id),
        )

    def _workflow(self, run: Run) -> Workflow | None:
        """Return the version that a run is of, kept for later runs.

        ``None`` where it cannot be read any more.
        """
        key = run.workflow_id, run.version_number
        if key not in self._workflows:
            if len(self._workflows) == _MAX_WORKFLOWS:
                del self._workflows[next(iter(self._workflows))]
            try:
                self._workflows[key] = self._backend.workflow(*key)
            except (NotFoundError, WorkflowError, InputError, UnsupportedError, AnswerError):
                self._workflows[key] = None  # it was deleted, or an API shows the active version only
        return self._workflows[key]


def find_run_ids(backend: Backend, wanted: RunFilter) -> list[str]:
    """Return the ids of the runs of a filter, the newest first, each once; empty for none.

    Raises:
        StoreError: The search has not finished.
        DebuggerError: The backend does not answer, or cannot search for that.
    """
    return list(dict.fromkeys(read_run_ids(backend, wanted)))


def read_run_ids(backend: Backend, wanted: RunFilter) -> Iterator[str]:
    """Yield the ids of the runs of a filter, the newest first; those of one page are in memory.

    Runs that begin meanwhile are left out, so that none is read twice.

    Raises:
        StoreError: The search has not finished.
        DebuggerError: The backend does not answer, or cannot search for that.
    """
    now = datetime.now(UTC)
    search = replace(wanted.search, until=min(wanted.search.until or now, now))
    ended = RunFilter(wanted.workflow_id, wanted.status, search)
    number, searches, seen = 1, 0, 0
    while True:
        page = ended.page(backend, number, _PAGE_SIZE)
        if page.unread:
            searches += 1
            if searches == _MAX_SEARCHES:
                raise StoreError(
                    f"The search for runs has not finished: {page.unread} runs are not indexed yet.",
                    advice="Export them again: the search continues from there.",
                )
            continue  # it goes on with the runs that are not indexed yet
        yield from (run.workflow_run_id for run in page.rows)
        seen += len(page.rows)
        if not page.rows or seen >= page.total:
            return
        number += 1

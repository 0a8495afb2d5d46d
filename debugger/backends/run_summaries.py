"""Summaries of the runs of a backend, made when they are needed.

A list asks for those of its rows, a statistic for those of all runs of a filter. Each is made of the run's
record once and cached: of embedded runs in the store, of others in memory.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from debugger.analysis.run_facts import FORMAT_VERSION, RunSummary, summarize
from debugger.backends.base import Backend
from debugger.errors import NotFoundError, StoreError, UnsupportedError
from debugger.graph.graph import Graph
from debugger.protocol.runs import Run
from debugger.protocol.turn_logs import lazy_turn_logs
from debugger.protocol.workflow import Workflow
from debugger.store.run_facts import RunFactsCache

_MAX_IN_MEMORY = 2_000
_RUNS_AT_ONCE = 50
"""Summaries that are stored in one transaction, so that no turn waits long to be stored."""

_Stamp = tuple[str | None, str, object]
"""What changes with a run."""


class _Made(NamedTuple):
    run: Run
    turn_count: int
    summary: RunSummary


class RunSummaries:
    """Summaries of the runs of a backend.

    Args:
        backend: Has the records.
        cache: Where they are stored; without one they are in memory.
    """

    def __init__(self, backend: Backend, cache: RunFactsCache | None = None) -> None:
        self.backend = backend
        self._cache = cache
        self._in_memory: dict[str, tuple[_Stamp, RunSummary]] = {}

    def read(self, runs: Sequence[Run], seconds: float) -> dict[str, RunSummary]:
        """Return the summaries of runs, as far as there is time for.

        Those that are cached take no time worth mentioning; the others are made in the order of the runs.

        Args:
            runs: Rows of a list.
            seconds: Time after which no more are made; at least one is.

        Raises:
            DebuggerError: The backend or the store does not answer.
        """
        found = self._known(runs)
        missing = [run for run in runs if run.workflow_run_id not in found]
        deadline = time.monotonic() + seconds
        unsaved: list[_Made] = []
        for made in self._make(missing):
            unsaved.append(made)
            found[made.run.workflow_run_id] = made.summary
            is_late = time.monotonic() > deadline
            if is_late or len(unsaved) == _RUNS_AT_ONCE:
                self._save(unsaved)
                unsaved = []
            if is_late:
                break
        self._save(unsaved)
        return found

    def _known(self, runs: Sequence[Run]) -> dict[str, RunSummary]:
        """Return the cached summaries by run id, from the store's cache or from memory.

        One in memory counts only while the run's row has not changed.
        """
        if self._cache is None:
            held = ((run, self._in_memory.get(run.workflow_run_id)) for run in runs)
            return {run.workflow_run_id: one[1] for run, one in held if one and one[0] == _stamp(run)}
        stored = self._cache.read([run.workflow_run_id for run in runs], FORMAT_VERSION)
        return {run_id: RunSummary.from_json(value) for run_id, value in stored.items()}

    def _make(self, runs: Sequence[Run]) -> Iterator[_Made]:
        """Read the records of runs and yield their summaries; skip runs that are deleted or damaged.

        Where the workflow's version cannot be had, nodes are named as in the events. Other errors of the
        backend leave it.
        """
        graphs: dict[tuple[str, int], Graph] = {}
        for run in runs:
            key = (run.workflow_id, run.version_number)
            if key not in graphs:
                graphs[key] = self._graph(*key)
            try:
                record = self.backend.record(run.workflow_run_id)
                turns = (log for _, log in lazy_turn_logs(record.turns) if log is not None)
                yield _Made(run, record.run.turn_count or 0, summarize(turns, graphs[key]))
            except (NotFoundError, StoreError):
                continue  # it was deleted just now, or it is damaged: opening it reports more

    def _graph(self, workflow_id: str, version_number: int) -> Graph:
        try:
            return Graph(self.backend.workflow(workflow_id, version_number))
        except (NotFoundError, UnsupportedError):
            return Graph(Workflow())  # nodes are then named as the events name them

    def _save(self, made: Sequence[_Made]) -> None:
        """Store summaries in the store's cache, else in memory.

        In memory the `_MAX_IN_MEMORY` newest are kept. Raises StoreError where the cache cannot be written.
        """
        if self._cache is not None:
            rows = {one.run.workflow_run_id: (one.turn_count, one.summary.to_json()) for one in made}
            self._cache.save(rows, FORMAT_VERSION)
            return
        for one in made:
            self._in_memory.pop(one.run.workflow_run_id, None)
            self._in_memory[one.run.workflow_run_id] = (_stamp(one.run), one.summary)
        for run_id in list(self._in_memory)[:-_MAX_IN_MEMORY]:
            del self._in_memory[run_id]


def _stamp(run: Run) -> _Stamp:
    return run.updated_at, run.status, run.turn_count

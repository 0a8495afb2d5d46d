"""The runs that an export is of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.exports.records import ExportedRun
from debugger.exports.sources import RunFilter, RunReader, find_run_ids
from debugger.protocol.natural_order import natural_key
from debugger.protocol.turn_logs import LazyRun
from debugger.store import Store
from debugger.views import backends
from debugger.views.components.markdown import count
from debugger.views.panels.runs.scope import connection_of_runs, environment_of_runs, ids_of, newest_runs

THIS_RUN = "This run"
"""The label of the run on view."""
SAMPLE_RUNS = 4
SAMPLE_TURNS = 30
"""Turns of each sampled run that a preview reads."""


@dataclass(frozen=True)
class ExportScope:
    """Runs of one backend, by their ids or by a filter."""

    backend: Backend
    run_ids: tuple[str, ...] = ()
    wanted: RunFilter | None = None
    """The filter whose runs are meant, where no ids are named."""
    label: str = ""
    """As ``Runs of the filters``; by default the number of runs."""
    connection: str = ""
    """The connection of hosted runs, under which their verdicts are stored."""
    environment: str = ""

    @classmethod
    def here(cls, backend: Backend, run_ids: Sequence[str] = (), label: str = "") -> Self:
        """Return runs of the connection that the page works with."""
        here = connection_of_runs(), environment_of_runs()
        return cls(backend, tuple(run_ids), None, label, *here)

    def words(self, total: int) -> str:
        """Return the scope for users: ``Current filter: 26 runs``."""
        number = count(total, "run")
        return self.label if self.label == THIS_RUN else f"{self.label}: {number}" if self.label else number

    def read_runs(self) -> Callable[[], Iterator[ExportedRun]]:
        """Return a function that reads the runs, in any thread.

        Each call of it finds the ids of a filter anew and returns an iterator, which reads one run at a time
        and leaves out runs that are deleted by then. Both can raise a DebuggerError.
        """
        reader = self._reader()

        def read() -> Iterator[ExportedRun]:
            """Find the ids, where a filter says the runs, and return the iterator of the runs."""
            ids = self.run_ids if self.wanted is None else find_run_ids(self.backend, self.wanted)
            return reader.read(ids)

        return read

    def sample(self) -> Sample:
        """Return the first runs, at most `SAMPLE_RUNS`, each with its first `SAMPLE_TURNS` turns at most.

        It has the number of all runs of the scope, whether the sampled ones are of all its workflows, and the
        checks that the runs have results of.

        Raises:
            DebuggerError: The runs cannot be read.
        """
        total, ids = len(self.run_ids), list(self.run_ids[:SAMPLE_RUNS])
        has_all_workflows = len(ids) == total
        if self.wanted is not None:
            found = self.wanted.page(self.backend, 1, SAMPLE_RUNS)
            total, ids = found.total, ids_of(found.rows)
            workflow_ids = {row.workflow_id for row in found.rows}
            if len(workflow_ids) == 1:
                of_workflow = replace(self.wanted, workflow_id=workflow_ids.pop())
                has_all_workflows = of_workflow.page(self.backend, 1, 1).total == total
            else:
                has_all_workflows = len(ids) == total
        sampled = []
        for run in self._reader().read(ids):
            turns = run.record.turns
            first = turns[:SAMPLE_TURNS]
            share = len(first) / len(turns) if turns else 1.0
            sampled.append(SampledRun(replace(run, record=LazyRun(run.record.run, first)), share))
        return Sample(total, tuple(sampled), has_all_workflows, self._checks())

    def _checks(self) -> tuple[str, ...]:
        """Return the names of the checks that the runs have results of, in natural order.

        Of a filter the newest runs are looked at, as many as `newest_runs` returns.

        Raises:
            DebuggerError: The runs of the filter, or the verdicts, cannot be read.
        """
        store = self._store()
        known = store.reviews.checks_by_run(connection=self.connection) if store else {}
        if not known:
            return ()
        ids = self.run_ids if self.wanted is None else ids_of(newest_runs(self.backend, self.wanted).rows)
        return tuple(sorted({name for run_id in ids for name in known.get(run_id, ())}, key=natural_key))

    def _store(self) -> Store | None:
        """Return the local store; ``None`` where it cannot be opened."""
        try:
            return backends.embedded_backend().store
        except DebuggerError:
            return None  # runs of another backend are exported without the local store, too

    def _reader(self) -> RunReader:
        """Return the reader of the runs, with the local store if there is one."""
        return RunReader(self.backend, self._store(), self.connection, self.environment)


@dataclass(frozen=True)
class SampledRun:
    """A run with its first turns."""

    run: ExportedRun
    share: float
    """The part of its turns that is in the sample, from 0 to 1."""


@dataclass(frozen=True)
class Sample:
    """The first runs of a scope; they are read once, whatever is chosen then."""

    total: int
    runs: tuple[SampledRun, ...]
    has_all_workflows: bool
    """True where all runs are of the workflows of the sampled ones."""
    checks: tuple[str, ...] = ()
    """The checks that the runs of the scope have results of, by name."""

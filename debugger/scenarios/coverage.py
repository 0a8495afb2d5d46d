"""The coverage of workflow versions by the runs of a suite, or by recorded ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from debugger.analysis.coverage import Count, Coverage
from debugger.backends.base import Backend
from debugger.errors import NotFoundError
from debugger.exports.sources import RunReader
from debugger.protocol.workflow import Workflow
from debugger.scenarios.conversation import CheckedWorkflow
from debugger.scenarios.results import SuiteRun


@dataclass(frozen=True)
class VersionCoverage:
    """The coverage of one version."""

    workflow_id: str
    name: str
    version: int
    coverage: Coverage

    @property
    def words(self) -> str:
        """Return ``Tea shop, version 2``."""
        return f"{self.name or self.workflow_id}, version {self.version}"


def suite_coverage(suite: SuiteRun, backend: Callable[[str], Backend]) -> list[VersionCoverage]:
    """Return the coverage of each version that a suite ran, in the order of its results.

    Args:
        suite: The results.
        backend: Returns the backend of a connection, which has the runs.
    """
    by_connection: dict[str, list[str]] = {}
    for result in suite.results:
        ids = [repetition.run_id for repetition in result.repetitions if repetition.run_id]
        by_connection.setdefault(result.scenario.connection, []).extend(ids)
    return [
        version
        for name, run_ids in by_connection.items()
        for version in runs_coverage(backend(name), run_ids)
    ]


def runs_coverage(backend: Backend, run_ids: Iterable[str]) -> list[VersionCoverage]:
    """Return the coverage of each version that some runs are of, in their order.

    Runs are read one by one. One that cannot be read, as it was deleted, covers nothing.

    Args:
        backend: Has the runs.
        run_ids: The runs.
    """
    reader = RunReader(backend, None)
    found: dict[tuple[str, int], VersionCoverage] = {}
    for run_id in run_ids:
        try:
            exported = reader.run(run_id)
        except NotFoundError:
            continue
        if exported.workflow is None:
            continue
        run = exported.run
        key = run.workflow_id, run.version_number
        if key not in found:
            coverage = open_coverage(exported.workflow, backend.workflow)
            found[key] = VersionCoverage(
                run.workflow_id, exported.workflow_name, run.version_number, coverage
            )
        found[key].coverage.add_run(run.workflow_run_id, (log for _, log in exported.turns()))
    return list(found.values())


def open_coverage(workflow: Workflow, load: Callable[..., Workflow]) -> Coverage:
    """Return the coverage of a version, without runs yet; its super nodes are expanded where they can be.

    Args:
        workflow: The version, as its author wrote it.
        load: Returns a stored workflow by id and version.
    """
    checked = CheckedWorkflow.expanded(workflow, load)
    return Coverage(checked.running_graph, checked.names)


def edge_count(versions: Sequence[VersionCoverage]) -> Count:
    """Return how many edges of all versions are covered."""
    counts = [version.coverage.counts.get("edge", Count(0, 0)) for version in versions]
    return Count(sum(count.covered for count in counts), sum(count.total for count in counts))

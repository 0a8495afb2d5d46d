"""The coverage of the workflow versions that a suite ran."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from debugger.analysis.coverage import Count, Coverage
from debugger.backends.base import Backend
from debugger.errors import DebuggerError
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

    Runs are read one by one. One that cannot be read, as it was deleted, covers nothing.

    Args:
        suite: The results.
        backend: Returns the backend of a connection, which has the runs.
    """
    readers: dict[str, RunReader] = {}
    found: dict[tuple[str, str, int], VersionCoverage] = {}
    for result in suite.results:
        connection = result.scenario.connection
        for repetition in result.repetitions:
            if not repetition.run_id:
                continue
            try:
                reader = readers.get(connection) or RunReader(backend(connection), None)
                readers[connection], exported = reader, reader.run(repetition.run_id)
            except DebuggerError:
                continue
            if exported.workflow is None:
                continue
            run = exported.run
            key = connection, run.workflow_id, run.version_number
            if key not in found:
                coverage = open_coverage(exported.workflow, backend(connection).workflow)
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

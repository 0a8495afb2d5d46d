"""Results of scenarios without secrets and personal data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from debugger.boundary import Boundary, Kind, MaskingOptions, own_names
from debugger.exports.html_files import RunPage
from debugger.exports.records import ExportedRun
from debugger.exports.table import register_values
from debugger.scenarios.reports.texts import RunLink, decisive, no_link
from debugger.scenarios.results import CheckResult, Disposition, ScenarioResult, SuiteRun

ReadRun = Callable[[ScenarioResult, str], ExportedRun | None]
"""Reads the record of a run by its id; ``None`` where it is not stored."""


def no_run(result: ScenarioResult, run_id: str) -> ExportedRun | None:
    """Return no record: the runs are not stored."""
    return None


@dataclass(frozen=True)
class Sources:
    """The things besides results that a report is made of."""

    read_run: ReadRun = no_run
    link: RunLink = no_link
    masking: MaskingOptions = field(default_factory=MaskingOptions)


@dataclass(frozen=True)
class ReportedResult:
    """One result of a report, masked."""

    result: ScenarioResult
    disposition: Disposition | None
    run: RunPage | None
    """The repetition to look at; to be read before the next result."""
    version: int | None
    """The version of the workflow that ran, where it is known."""


def reported_results(
    suite: SuiteRun, sources: Sources, results: Sequence[ScenarioResult] | None = None
) -> Iterator[ReportedResult]:
    """Yield masked results, by default all, in their order.

    The records of all repetitions are read, whose values are masked; only those of one result are in memory.
    The pages that are yielded hold until the next result is asked for.

    Args:
        suite: The suite run.
        sources: Where records are read, and what is masked.
        results: The results to report, instead of all.
    """
    boundary = Boundary(sources.masking)
    for result in suite.results if results is None else results:
        found = decisive(result)
        run = sources.read_run(result, found.run_id) if found and found.run_id else None
        boundary.begin_run(own_names(run.workflow) if run else ())
        for each in result.repetitions:
            other = sources.read_run(result, each.run_id) if each.run_id else None
            if other is not None:
                register_values(boundary, other)
        boundary.register("", result.row)  # a run that failed early has not set them
        ran = found.ran if found else None
        yield ReportedResult(
            _masked(result, boundary),
            suite.dispositions.get(result.id),
            RunPage(run, boundary) if run is not None else None,
            ran.version if ran is not None else result.scenario.workflow_version,
        )


def without_secrets(result: ScenarioResult) -> ScenarioResult:
    """Return a result for a terminal: secrets, keys and tokens are masked, personal data is not."""
    return _masked(result, Boundary(MaskingOptions(frozenset({"key"}))))


def _masked(result: ScenarioResult, boundary: Boundary) -> ScenarioResult:
    """Return a copy of a result whose row, checks, paths and errors are masked."""
    return replace(
        result,
        row=boundary.release(Kind.VALUE, result.row),
        repetitions=[
            replace(
                each,
                checks=[_masked_check(check, boundary) for check in each.checks],
                path=boundary.release(Kind.NAME, each.path),
                error=boundary.release(Kind.TEXT, each.error),
                ran=each.ran and replace(each.ran, name=boundary.release(Kind.NAME, each.ran.name)),
            )
            for each in result.repetitions
        ],
    )


def _masked_check(check: CheckResult, boundary: Boundary) -> CheckResult:
    """Return a copy of a check whose texts are masked."""
    # The value of a variable whose name a rule masks is masked as a whole.
    name = check.variable
    own = {"message": boundary.release(Kind.TEXT, check.expectation.message)}
    return replace(
        check,
        expectation=check.expectation.model_copy(update=own),
        expected=_masked_text(check.expected, name, boundary),
        got=_masked_text(check.got, name, boundary),
        why=boundary.release(Kind.TEXT, check.why),
    )


def _masked_text(text: str, name: str, boundary: Boundary) -> str:
    return str(boundary.release(Kind.VALUE, text, name))

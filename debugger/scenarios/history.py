"""History of suite runs: results stored as they come, earlier ones, and a baseline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import TypeAdapter

from debugger.protocol.base import JsonObject
from debugger.protocol.natural_order import natural_key
from debugger.scenarios.results import Disposition, RepetitionResult, ScenarioResult
from debugger.scenarios.suite import Case
from debugger.store import StoredRepetition, StoredResult, SuiteRepository, new_id, program_version
from debugger.store.suites import PastResult

_REPETITION: TypeAdapter[Any] = TypeAdapter(RepetitionResult)


class SuiteHistory:
    """The stored results of one suite run, and those before it.

    Args:
        suites: The store's.
        cases: The cases to run.
    """

    def __init__(self, suites: SuiteRepository, cases: Sequence[Case]) -> None:
        self.suite_id = new_id()
        self.dispositions: dict[str, Disposition] = {}
        self._suites = suites
        self._cases = cases

    def resume(self) -> dict[str, ScenarioResult]:
        """Continue the newest interrupted suite run of these cases, under its id from now on.

        Return its results by id, and note their dispositions; those of cases that were changed since are left
        out. Without such a suite run nothing changes, and there are no results.
        """
        found = self._suites.find_interrupted_run([case.id for case in self._cases])
        if found is None:
            return {}
        self.suite_id = found
        cases = {case.id: case for case in self._cases}
        results: dict[str, ScenarioResult] = {}
        for stored in self._suites.results(found):
            case = cases.get(stored.scenario_id)
            if case is None:
                continue
            repetitions = [read_repetition(each.result) for each in stored.repetitions]
            if stored.digest == case.digest_of(repetitions):
                results[case.id] = case.result(repetitions)
                self._dispose(case, results[case.id])
        return results

    def begin(self, started_by: str) -> None:
        """Store the start of the suite run, with user, version of this program and number of cases."""
        self._suites.begin(
            self.suite_id,
            started_by=started_by,
            program_version=program_version(),
            selected=len(self._cases),
        )

    def record(self, case: Case, result: ScenarioResult) -> None:
        """Store a result with its repetitions, and note how its failure compares with earlier ones."""
        repetitions = [
            StoredRepetition(
                each.run_id, _REPETITION.dump_python(each, mode="json", by_alias=True, exclude_unset=True)
            )
            for each in result.repetitions
        ]
        digest, disposition = case.digest_of(result.repetitions), self._dispose(case, result)
        self._suites.add(
            self.suite_id, StoredResult(case.id, digest, result.outcome, disposition, repetitions)
        )

    def end(self, *, is_complete: bool) -> None:
        """Store the end."""
        self._suites.end(self.suite_id, is_complete=is_complete)

    def withdraw(self) -> None:
        """Delete the start again, if there is no result."""
        self._suites.withdraw(self.suite_id)

    def failed_last(self) -> list[Case]:
        """Return the cases whose last result was not passed."""
        return [
            case for case in self._cases if (past := self._past.get(case.id)) and past[0].outcome != "passed"
        ]

    @cached_property
    def _past(self) -> dict[str, list[PastResult]]:
        return self._suites.read_past_results([case.id for case in self._cases], without=self.suite_id)

    def _dispose(self, case: Case, result: ScenarioResult) -> Disposition | None:
        found = disposition_of(result, case.digest_of(result.repetitions), self._past.get(case.id, ()))
        if found is not None:
            self.dispositions[case.id] = found
        return found


def disposition_of(result: ScenarioResult, digest: str, past: Sequence[PastResult]) -> Disposition | None:
    """Return how a failure compares with earlier results, the newest first.

    It is flaky where some repetitions passed, or the unchanged scenario has passed before with the same
    workflow and script.
    """
    if result.outcome == "passed":
        return None
    if result.passes or any(each.outcome == "passed" and each.digest == digest for each in past):
        return "flaky"
    return "known" if past and past[0].outcome != "passed" else "new"


def read_repetition(value: JsonObject) -> RepetitionResult:
    """Read a stored repetition."""
    found: RepetitionResult = _REPETITION.validate_python(value)
    return found


Change = Literal["regressed", "failing", "new", "fixed", "passing"]
"""The worst first; ``new``: the baseline does not have the scenario."""

_ORDER: tuple[Change, ...] = ("regressed", "failing", "new", "fixed", "passing")


@dataclass(frozen=True)
class ComparedResult:
    """The result of a scenario, and that of the baseline."""

    now: StoredResult
    before: StoredResult | None

    @property
    def change(self) -> Change:
        """Return how the outcome has changed."""
        if self.before is None:
            return "new"
        if self.has_passed:
            return "passing" if self.before.outcome == "passed" else "fixed"
        return "regressed" if self.before.outcome == "passed" else "failing"

    @property
    def has_passed(self) -> bool:
        """Return whether it passes now."""
        return self.now.outcome == "passed"


def compare_results(now: Iterable[StoredResult], before: Iterable[StoredResult]) -> list[ComparedResult]:
    """Return results beside their baseline, regressions first, then by id in natural order."""
    baseline = {each.scenario_id: each for each in before}
    rows = [ComparedResult(each, baseline.get(each.scenario_id)) for each in now]
    return sorted(rows, key=lambda row: (_ORDER.index(row.change), natural_key(row.now.scenario_id)))

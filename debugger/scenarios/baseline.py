"""Comparison of two suite runs: regressions and fixes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from debugger.store import StoredResult

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
    """Return the results of a suite run beside their baseline, regressions first, then by id."""
    baseline = {each.scenario_id: each for each in before}
    rows = [ComparedResult(each, baseline.get(each.scenario_id)) for each in now]
    return sorted(rows, key=lambda row: (_ORDER.index(row.change), row.now.scenario_id))

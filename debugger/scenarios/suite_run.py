"""The results of a suite run: many scenarios, run together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from debugger.scenarios.results import ScenarioResult

Disposition = Literal["new", "known", "flaky"]
"""``known``: it failed the last time, too; ``flaky``: it passed and failed without a change."""


@dataclass(frozen=True)
class SuiteRun:
    """A suite run that has ended, or was interrupted."""

    id: str
    started_at: float
    """Seconds since 1970."""
    seconds: float
    results: Sequence[ScenarioResult]
    """In the order of the files."""
    not_run: Sequence[str] = ()
    """The ids of scenarios that were selected and have no result."""
    dispositions: Mapping[str, Disposition] = field(default_factory=dict)
    """Of results that did not pass, by id."""
    reason: str = ""
    """Why some were not run: ``interrupted`` and the like."""

    @property
    def counts(self) -> Counter[str]:
        """Return the number of results by outcome."""
        return Counter(result.outcome for result in self.results)

    @property
    def problems(self) -> list[ScenarioResult]:
        """Return the results that did not pass, errors last."""
        return sorted(
            (result for result in self.results if result.outcome != "passed"),
            key=lambda result: result.outcome == "error",
        )

    @property
    def started(self) -> str:
        """Return when it started, in ISO 8601 and UTC."""
        moment = datetime.fromtimestamp(self.started_at, UTC)
        return moment.isoformat(timespec="seconds").replace("+00:00", "Z")

    @property
    def summary(self) -> str:
        """Return one line: ``3 passed (1 flaky), 1 failed (1 new), 2 not run in 1.2 s``.

        A scenario that passed is flaky if some of its repetitions did not.
        """
        counts = self.counts
        passed = [result for result in self.results if result.outcome == "passed"]
        flaky = sum(result.passes < len(result.repetitions) for result in passed)
        parts = (
            [f"{len(passed)} passed{f' ({flaky} flaky)' if flaky else ''}"] if passed or not counts else []
        )
        if counts["failed"]:
            parts.append(f"{counts['failed']} failed{self._disposed('failed')}")
        if counts["error"]:
            parts.append(f"{counts['error']} with an error{self._disposed('error')}")
        warnings = sum(len(each.warnings) for result in self.results for each in result.repetitions)
        if warnings:
            parts.append(f"{warnings} warning{'' if warnings == 1 else 's'}")
        if self.not_run:
            parts.append(f"{len(self.not_run)} not run{f' ({self.reason})' if self.reason else ''}")
        return f"{', '.join(parts)} in {self.seconds:.1f} s"

    def _disposed(self, outcome: str) -> str:
        found = Counter(
            self.dispositions[result.id]
            for result in self.results
            if result.outcome == outcome and result.id in self.dispositions
        )
        return (
            f" ({', '.join(f'{number} {name}' for name, number in sorted(found.items()))})" if found else ""
        )

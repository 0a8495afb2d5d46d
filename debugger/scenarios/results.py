"""The results of scenario runs and suite runs, which all reports share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Self

from debugger.errors import DebuggerError, InputError, NotFoundError, WorkflowError
from debugger.protocol.base import JsonObject
from debugger.scenarios.model import Expectation, Scenario

Outcome = Literal["passed", "failed", "error"]
"""``error``: it could not run to its end: a mistake in its file, or a reason outside the workflow, such as an
unreachable server."""

MISTAKES = (InputError, NotFoundError, WorkflowError)
"""Errors that a change of the scenario, or of its workflow, mends."""


@dataclass(frozen=True)
class CheckResult:
    """One expectation that was checked."""

    expectation: Expectation
    turn: int | None
    """The turn of the scenario, from 1; ``None`` at the end."""
    passed: bool
    expected: str = ""
    """In words: ``a message that contains 'Tuesday'``."""
    got: str = ""
    """In words, cut to a few hundred characters."""
    event: int | None = None
    """The nearest event, by its place in the run from 0; of a failure where the expected path was left."""
    why: str = ""
    """Of a failure, its cause in one line: edges with their values, failed calls, nodes and durations."""

    @property
    def is_failure(self) -> bool:
        """Return whether the scenario fails by it."""
        return not self.passed and not self.expectation.soft

    @property
    def variable(self) -> str:
        """Return the variable that is compared, without its scope; empty where it is none."""
        match = self.expectation.variable
        return match.name.partition(".")[2] if match is not None else ""

    @property
    def text(self) -> str:
        """Return one sentence: message, expected and got."""
        return f"{self.lead}expected {self.expected}; got {self.got}"

    @property
    def lead(self) -> str:
        """Return the message with a colon; empty without one."""
        return f"{self.expectation.message}: " if self.expectation.message else ""


@dataclass(frozen=True)
class RanWorkflow:
    """The workflow that a repetition ran."""

    name: str
    version: int | None
    """``None`` where it has none: it was read from a file."""
    digest: str
    """SHA-256 of its content, that of nested workflows included, and of the script that answered for it."""
    made_with: int | None = None
    """The version with which the scenario was made, where it tells."""

    @property
    def words(self) -> str:
        """Return ``Tea shop, version 2, made with version 1``, without what is not known."""
        version = f", version {self.version}" if self.version is not None else ""
        made_with = f", made with version {self.made_with}" if self.made_with is not None else ""
        return f"{self.name}{version}{made_with}"


@dataclass(frozen=True)
class RepetitionResult:
    """One run of a scenario with one row."""

    outcome: Outcome
    checks: list[CheckResult] = field(default_factory=list)
    run_id: str | None = None
    turns: int = 0
    """Turns that were executed."""
    path: str = ""
    """The nodes of the main thread with the edges between them, as exports write it."""
    seconds: float = 0
    error: str = ""
    """Of ``error``: the reason with advice."""
    is_mistake: bool = False
    """Of ``error``: whether the scenario or its workflow has to be corrected."""
    ran: RanWorkflow | None = None
    """``None`` where it could not begin, and of results that older versions of this program have stored."""

    @classmethod
    def of_error(cls, error: DebuggerError) -> Self:
        """Return the result of a scenario that could not be run at all."""
        return cls("error", error=str(error), is_mistake=isinstance(error, MISTAKES))

    @property
    def failures(self) -> list[CheckResult]:
        """Return the failed hard checks."""
        return [check for check in self.checks if check.is_failure]

    @property
    def warnings(self) -> list[CheckResult]:
        """Return the failed soft checks."""
        return [check for check in self.checks if not check.passed and check.expectation.soft]


@dataclass(frozen=True)
class ScenarioResult:
    """A scenario with one row, and its repetitions."""

    scenario: Scenario
    file: str
    """The path as it was named, with ``/``; part of the stable identity of the result."""
    row: JsonObject
    """Empty without rows."""
    row_number: int | None
    """From 1; ``None`` without rows."""
    repetitions: list[RepetitionResult]
    version: int | None = None
    """The version of the workflow that was chosen for the run instead of the scenario's."""

    @property
    def id(self) -> str:
        """Return the stable identity: ``folder/booking.scenario.yaml::name[row 2][version 3]``."""
        row = f"[row {self.row_number}]" if self.row_number is not None else ""
        version = f"[version {self.version}]" if self.version is not None else ""
        return f"{self.file}::{self.scenario.name}{row}{version}"

    @property
    def passes(self) -> int:
        """Return the number of repetitions that passed."""
        return sum(each.outcome == "passed" for each in self.repetitions)

    @property
    def outcome(self) -> Outcome:
        """Return ``passed`` where enough repetitions passed."""
        needed = self.scenario.repeat.needed if self.scenario.repeat else len(self.repetitions)
        if self.repetitions and self.passes >= needed:
            return "passed"
        return "error" if any(each.outcome == "error" for each in self.repetitions) else "failed"

    @property
    def is_mistake(self) -> bool:
        """Return whether the scenario or its workflow has to be corrected."""
        return any(each.is_mistake for each in self.repetitions)

    @property
    def seconds(self) -> float:
        """Return the time of all repetitions."""
        return sum(each.seconds for each in self.repetitions)


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
        """Return the counts: ``3 passed (1 flaky), 1 failed (1 new) in 1.2 s``.

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
        """Return in brackets how many results of an outcome have each disposition.

        It is empty where none has one.
        """
        found = Counter(
            self.dispositions[result.id]
            for result in self.results
            if result.outcome == outcome and result.id in self.dispositions
        )
        return (
            f" ({', '.join(f'{number} {name}' for name, number in sorted(found.items()))})" if found else ""
        )

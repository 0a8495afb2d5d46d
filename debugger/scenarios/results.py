"""The results of scenario runs, which all reports share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from debugger.protocol.base import JsonObject
from debugger.scenarios.model import Expectation, Scenario

Outcome = Literal["passed", "failed", "error"]
"""``error``: it could not run to its end for a reason outside the workflow, such as an unreachable server."""


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
    """The nearest event, by its place in the run from 0."""

    @property
    def text(self) -> str:
        """Return one sentence: message, expected and got."""
        own = f"{self.expectation.message}: " if self.expectation.message else ""
        return f"{own}expected {self.expected}; got {self.got}"


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

    @property
    def failures(self) -> list[CheckResult]:
        """Return the failed hard checks."""
        return [check for check in self.checks if not check.passed and not check.expectation.soft]

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

    @property
    def id(self) -> str:
        """Return the stable identity: ``folder/booking.scenario.yaml::name[row 2]``."""
        row = f"[row {self.row_number}]" if self.row_number is not None else ""
        return f"{self.file}::{self.scenario.name}{row}"

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
    def seconds(self) -> float:
        """Return the time of all repetitions."""
        return sum(each.seconds for each in self.repetitions)

"""Suite runs whose results are made up."""

from __future__ import annotations

from typing import Any

from debugger.scenarios.model import Expectation, Scenario
from debugger.scenarios.results import CheckResult, Outcome, RepetitionResult, ScenarioResult, SuiteRun


def scenario(name: str = "Booking", **fields: Any) -> Scenario:
    """A scenario of one turn."""
    own = {"version": 1, "name": name, "workflow": "clinic.json", "turns": [{"say": "Hi"}]}
    return Scenario.model_validate(own | fields)


def check(
    expected: str = "a message that contains 'Tuesday'",
    got: str = "'Which day suits you?'",
    *,
    passed: bool = False,
    turn: int | None = 2,
    event: int | None = 4,
    **expectation: Any,
) -> CheckResult:
    """One checked expectation, failed unless it passed."""
    made = Expectation.model_validate(
        expectation if expectation.keys() - {"message", "soft"} else {"says": "Tuesday"} | expectation
    )
    return CheckResult(made, turn, passed, expected, got, event)


def result(
    outcome: Outcome = "passed",
    *checks: CheckResult,
    made: Scenario | None = None,
    file: str = "clinic/booking.scenario.yaml",
    row: dict[str, Any] | None = None,
    row_number: int | None = None,
    run_id: str | None = "000000000000000000000001",
    path: str = "Greeting > book > Intake",
    error: str = "",
) -> ScenarioResult:
    """A result of one repetition."""
    repetition = RepetitionResult(outcome, list(checks), run_id, 2, path, 0.25, error)
    return ScenarioResult(made or scenario(), file, row or {}, row_number, [repetition])


def suite(*results: ScenarioResult, **fields: Any) -> SuiteRun:
    """A suite run of these results, two seconds long."""
    return SuiteRun(
        **{"id": "f" * 24, "started_at": 1_790_000_000.0, "seconds": 2.0, "results": results} | fields
    )

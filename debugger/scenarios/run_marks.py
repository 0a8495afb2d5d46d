"""The note on a run that names its scenario."""

from __future__ import annotations

from debugger.protocol.scenario_runs import ScenarioCheck, ScenarioMark
from debugger.scenarios.model import Scenario
from debugger.scenarios.results import CheckResult, RepetitionResult


def mark_of(scenario: Scenario, file: str, row_number: int | None, result: RepetitionResult) -> ScenarioMark:
    """Return the note on the run of a repetition."""
    checks = [_check(scenario, each) for each in result.checks]
    return ScenarioMark(scenario.name, file, result.outcome, row_number, tuple(scenario.tags), checks)


def _check(scenario: Scenario, check: CheckResult) -> ScenarioCheck:
    """Return a check as the mark of a run has it, its turn counted without background work."""
    turn, is_background = None, False
    if check.turn is not None:  # the run counts the turns of its user alone
        turns = scenario.turns[: check.turn]
        turn, is_background = sum(each.advance is None for each in turns), turns[-1].advance is not None
    return ScenarioCheck(
        turn,
        is_background,
        f"{check.lead}{check.expected}",
        check.got,
        check.passed,
        check.expectation.soft,
        check.why,
        check.variable,
    )

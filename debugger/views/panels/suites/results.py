"""The scenarios of a suite with their results, and the checks of one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import streamlit as st

from debugger.scenarios.accepting import ACCEPTED, is_expected_still
from debugger.scenarios.history import Change, ComparedResult
from debugger.scenarios.results import CheckResult, RepetitionResult
from debugger.scenarios.stored import Suite, SuiteScenario
from debugger.scenarios.suite import Case
from debugger.views.auth.permissions import on_click
from debugger.views.components.markdown import count, plain
from debugger.views.components.rows import Cell, Column, Columns, estimate_width, rows_list, table
from debugger.views.panels.suites import actions
from debugger.views.panels.suites.dialogs import show_acceptance

_OUTCOMES: dict[str, Cell] = {
    "passed": ("✓ Passed", "green"),
    "failed": ("✗ Failed", "red"),
    "error": ("! Error", "orange"),
}
_CHANGES: dict[Change, Cell] = {
    "regressed": ("↓ Regressed", "red"),
    "fixed": ("↑ Fixed", "green"),
    "failing": ("Still failing", "orange"),
    "passing": ("Still passing", "gray"),
    "new": ("New", "blue"),
}
_CHANGED: dict[str, set[Change]] = {"Regressed": {"regressed"}, "Fixed": {"fixed"}}
ALL, FAILED = "All", "Failed"
"""Filters of the list, beside those by change."""
_MAX_ROWS, _MAX_CHECKS, _MAX_FAILED = 20, 4, 5
_MOST_SOURCE = 160
"""Pixels that authors and files have at most: names of scenarios come first."""


@dataclass(frozen=True)
class SuiteRow:
    """A row of the list: a scenario with one row of its values."""

    id: str
    """That of its result."""
    scenario: SuiteScenario | None
    """``None`` where it is gone, or was renamed, since it ran."""
    by_version: Mapping[int | None, ComparedResult] = field(default_factory=dict)
    """The results that the suite run on view has of it, by the version that was chosen."""

    @property
    def result(self) -> ComparedResult | None:
        """Return the result, the worst of several; ``None`` without one.

        A failed one is worse than an outdated one, this than a passed one, and of equal ones that with the
        worse change to the baseline.
        """
        return min(
            self.by_version.values(),
            key=lambda each: (each.has_passed, self.is_outdated(each), list(_CHANGES).index(each.change)),
            default=None,
        )

    @property
    def has_failed(self) -> bool:
        """Return whether its result did not pass, and counts for the scenario as it is now."""
        return self.result is not None and not self.result.has_passed and not self.is_outdated(self.result)

    def is_outdated(self, result: ComparedResult) -> bool:
        """Return whether a result failed only by expectations that the scenario no longer has.

        They were accepted or edited since it ran: the result says nothing about the scenario as it is now.
        """
        return result.now.scenario_id in self._outdated

    @cached_property
    def _outdated(self) -> set[str]:
        """The ids of such results."""
        return {
            result.now.scenario_id
            for result in self.by_version.values()
            if result.now.outcome == "failed"
            and (failures := [each for one in actions.repetitions_of(result.now) for each in one.failures])
            and not any(self.has_expectation(each, result) for each in failures)
        }

    def has_expectation(self, check: CheckResult, result: ComparedResult) -> bool:
        """Return whether the scenario still has the expectation of a failed check of a result."""
        case, version = self.case, actions.version_of(result.now.scenario_id)
        if case is None:
            return True  # nobody knows
        now = case if version is None else case.of_version(version)
        digest = now.digest_of(actions.repetitions_of(result.now))
        return result.now.digest == digest or is_expected_still(check, case.scenario)

    @property
    def label(self) -> str:
        """Return its name with the number of the row."""
        return re.sub(r"\[row \d+\]$", r" \g<0>", self.id.partition("::")[2])

    @property
    def case(self) -> Case | None:
        """Return it as it will be run; ``None`` where it cannot be."""
        cases = self.scenario.cases if self.scenario else []
        return next((case for case in cases if case.id == self.id), None)

    @property
    def source(self) -> str:
        """Return the author of a stored one, or the name of its file."""
        if self.scenario is not None:
            return self.scenario.source
        return Path(self.id.partition("::")[0]).name


def suite_rows(suite: Suite, results: Sequence[ComparedResult]) -> list[SuiteRow]:
    """Return a row for each result, in their order, and then for each scenario without one.

    Results of several versions of a scenario share a row. A result whose scenario is gone has a row without a
    scenario.
    """
    scenarios = {own: each for each in suite.scenarios for own in each.ids}
    found: dict[str, dict[int | None, ComparedResult]] = {}
    for each in results:
        own = actions.base_id(each.now.scenario_id)
        found.setdefault(own, {})[actions.version_of(each.now.scenario_id)] = each
    rows = [SuiteRow(own, scenarios.get(own), by_version) for own, by_version in found.items()]
    return rows + [SuiteRow(own, each) for own, each in scenarios.items() if own not in found]


def rows_shown(rows: Sequence[SuiteRow]) -> dict[str, list[SuiteRow]]:
    """Return the rows by the filters of the list: all, failed, regressed and fixed; each may be empty.

    A row without a result, or with one that is outdated, is among all only.
    """
    valid = [(row, row.result) for row in rows if row.result and not row.is_outdated(row.result)]
    by_filter = {
        name: [row for row, result in valid if result.change in kinds] for name, kinds in _CHANGED.items()
    }
    return {ALL: list(rows), FAILED: [row for row in rows if row.has_failed], **by_filter}


def results_list(rows: Sequence[SuiteRow], chosen: str, *, has_results: bool, has_baseline: bool) -> None:
    """Draw a row for each scenario, with its results; a chosen one writes `SuitesState.chosen`.

    Without a row only the head is drawn. Versions, baseline and passes of repetitions have columns where
    there are some.
    """
    sources = min(_MOST_SOURCE, estimate_width(row.source for row in rows))
    columns: Columns[SuiteRow] = [
        (Column("scenario", "Scenario", 150, grows=True), lambda row: row.label),
        (Column("source", "From", 90, fits=sources), lambda row: row.source),
    ]
    versions = sorted({number for row in rows for number in row.by_version if number is not None})
    if versions:
        columns += [
            (Column(f"version_{number}", f"Version {number}", 84, "chip"), partial(_outcome_of, number))
            for number in versions
        ]
    if not versions or any(None in row.by_version for row in rows):
        columns.append((Column("now", "Result", 84, "chip"), _outcome))
    if has_baseline:
        columns += [
            (Column("before", "Baseline", 84, "chip"), _before),
            (Column("change", "Change", 104, "chip"), _change),
        ]
    if has_results:
        columns.append((Column("disposition", "Failure", 62), _disposition))
        if any(map(_passes, rows)):
            columns.append((Column("passes", "Passes", 62, "number"), _passes))
        columns.append((Column("time", "Time", 76, "number"), _time))
    shown = table("Scenarios of the suite", rows, columns, lambda row: row.id)
    rows_list(
        "suite_results",
        shown,
        chosen=shown.place_of(chosen),
        on_choose=actions.choose,
        most=_MAX_ROWS,
        keeps=True,  # its checks are beside the list
    )


def _outcome(row: SuiteRow) -> Cell:
    """Return the outcome as a chip; without a result whether the scenario has a mistake, or was not run."""
    if row.result is not None:
        return _shown_outcome(row, row.result)
    return (
        ("! Mistake", "orange") if row.scenario is not None and row.scenario.mistakes else ("Not run", "gray")
    )


def _outcome_of(number: int, row: SuiteRow) -> Cell:
    result = row.by_version.get(number)
    return _shown_outcome(row, result) if result is not None else None


def _shown_outcome(row: SuiteRow, result: ComparedResult) -> Cell:
    return ("Changed", "blue") if row.is_outdated(result) else _OUTCOMES[result.now.outcome]


def _change(row: SuiteRow) -> Cell:
    return None if row.result is None or row.is_outdated(row.result) else _CHANGES[row.result.change]


def _disposition(row: SuiteRow) -> str:
    return (row.result.now.disposition if row.result is not None and row.has_failed else "") or ""


def _before(row: SuiteRow) -> Cell:
    before = row.result.before if row.result is not None else None
    return _OUTCOMES[before.outcome] if before is not None else None


def _passes(row: SuiteRow) -> str:
    if row.result is None or len(row.result.now.repetitions) < 2:
        return ""
    passed = sum(each.outcome == "passed" for each in actions.repetitions_of(row.result.now))
    return f"{passed}/{len(row.result.now.repetitions)}"


def _time(row: SuiteRow) -> str:
    if row.result is None:
        return ""
    return f"{sum(each.seconds for each in actions.repetitions_of(row.result.now)) * 1000:,.0f} ms"


def scenario_checks(row: SuiteRow, *, has_results: bool) -> None:
    """Draw a scenario's checks by version and repetition; each opens the run at its event.

    Above them are its description, its mistakes and the workflow that ran. Without a result the number of its
    turns is drawn instead, and that it was not run: not yet, or not in the suite run on view, which
    `has_results` tells.
    """
    scenario = row.case.scenario if row.case else None
    if scenario is not None and scenario.description:
        st.caption(plain(scenario.description))
    if row.scenario is not None and row.scenario.mistakes:
        st.error("  \n".join(map(plain, row.scenario.mistakes.splitlines())), icon=":material/error:")
    if row.result is None:
        if scenario is not None:
            not_run = "The suite run on view did not run it." if has_results else "Not run yet."
            st.caption(f"{count(len(scenario.turns), 'turn')}. {not_run}")
        return
    for version, result in row.by_version.items():
        if version is not None:
            outcome = "changed" if row.is_outdated(result) else result.now.outcome
            st.markdown(f"**Version {version}**: {outcome}")
        lead = "suite_checks" if version is None else f"suite_checks_v{version}"
        if row.is_outdated(result):
            _outdated(result, lead)
        repetitions = actions.repetitions_of(result.now)
        for ran in dict.fromkeys(each.ran.words for each in repetitions if each.ran):
            st.caption(f"Ran {plain(ran)}")
        for number, repetition in enumerate(repetitions, start=1):
            _repetition(row, result, repetition, number if len(repetitions) > 1 else None, lead)


def _outdated(result: ComparedResult, lead: str) -> None:
    """Draw that a scenario no longer expects what failed, with the button that runs it again."""
    st.info("The scenario no longer expects what failed: run it again.", icon=":material/info:")
    st.button(
        "Run again",
        key=f"{lead}_run_again",
        icon=":material/replay:",
        args=([result.now.scenario_id],),
        **on_click(actions.run_again, help="Run this scenario alone, as it is now"),
    )


def _repetition(
    row: SuiteRow, result: ComparedResult, repetition: RepetitionResult, number: int | None, lead: str
) -> None:
    """Draw a repetition: its number, if any, its error, its checks, what to do about failed ones, its path.

    Failed checks are first, and few rows are in sight, so that what can be done about them is in view. Checks
    of expectations that the scenario no longer has are left out. A caption says where the scenario has no
    expectation.
    """
    key = f"{lead}_{number or 0}"
    if number is not None:
        st.caption(f"Repetition {number}: {repetition.outcome}")
    if repetition.error:
        st.error(plain(repetition.error))
    checks = [
        check
        for check in sorted(repetition.checks, key=lambda check: check.passed)
        if not check.is_failure or row.has_expectation(check, result)
    ]
    if checks:
        _check_list(key, repetition, checks)
    for place, check in enumerate([check for check in checks if not check.passed][:_MAX_FAILED]):
        _failed_check(row, repetition, check, f"{key}_{place}")
    if not repetition.checks and not repetition.error:
        st.caption(f"{count(repetition.turns, 'turn')} ran; the scenario has no expectation.")
    if repetition.path:
        st.caption(f"Path: {plain(repetition.path)}")


def _failed_check(row: SuiteRow, repetition: RepetitionResult, check: CheckResult, key: str) -> None:
    """Draw how the path differs, the button that accepts what a check got, and why it failed.

    The button is there only for a failure that can be accepted, of a scenario without rows of values whose
    run is stored.
    """
    path = check.expectation.path
    if path is not None:
        st.caption(path_difference(path, check.got.split(" > ")))
    _accept_button(row, repetition, check, key)
    if check.why:
        st.caption(_why(check))


def _accept_button(row: SuiteRow, repetition: RepetitionResult, check: CheckResult, key: str) -> None:
    """Draw the button that opens the dialog with what the scenario becomes, where that can be."""
    scenario = row.scenario
    is_filled = row.case is None or row.case.row_number is not None
    if scenario is None or is_filled or repetition.run_id is None:
        return  # what a row got cannot be what all rows expect
    if check.expectation.kind in ACCEPTED and check.is_failure:
        place = "at the end" if check.turn is None else f"in turn {check.turn}"
        st.button(
            "Accept what it got …",
            key=f"{key}_accept",
            icon=":material/check:",
            type="tertiary",
            on_click=show_acceptance,
            args=(scenario.ids[0], repetition.run_id, check),
            help=f"Change the expectation {check.expectation.kind.replace('_', ' ')} {place}; you see the "
            "difference first",
        )


def path_difference(expected: Sequence[str], got: Sequence[str]) -> str:
    """Return a path with what is missing struck through and what is new in bold, as Markdown.

    Names are escaped; two empty paths give an empty text.
    """
    parts: list[str] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, expected, got, autojunk=False).get_opcodes():
        if kind == "equal":
            parts += map(plain, got[c:d])
            continue
        parts += [f":red[~~{plain(name)}~~]" for name in expected[a:b]]
        parts += [f":green[**{plain(name)}**]" for name in got[c:d]]
    return " › ".join(parts)


def _check_list(key: str, repetition: RepetitionResult, checks: Sequence[CheckResult]) -> None:
    """Draw checks as a table; a row opens the run at its event, where the run is stored."""
    kinds = estimate_width(check.expectation.kind for check in checks)
    columns: Columns[CheckResult] = [
        (Column("result", "Result", 82, "chip"), _verdict),
        (
            Column("turn", "Turn", 42, "number"),
            lambda check: "end" if check.turn is None else str(check.turn),
        ),
        (Column("kind", "Check", 64, fits=kinds), lambda check: check.expectation.kind.replace("_", " ")),
        (Column("expected", "Expected, and got", 200, "marks", grows=True), _expected_and_got),
    ]
    shown = table(
        "Checks; a row opens the run at its event",
        checks,
        columns,
        lambda check: [repetition.run_id, check.turn, check.event] if repetition.run_id else None,
    )
    # The page is left for the run, so no row stays chosen.
    rows_list(key, shown, on_choose=actions.open_check, most=_MAX_CHECKS)


def _expected_and_got(check: CheckResult) -> Cell:
    """Return what was expected and, below it, what the run got: side by side both would be cut."""
    expected = f"{check.lead}{check.expected}"
    if check.passed:
        return [(f"{expected}\n", "same"), (check.got, "quiet")]
    return [(expected, "removed"), ("\n", "same"), (check.got, "added")]


def _why(check: CheckResult) -> str:
    """Return why a check failed, in a line of its own: a table would cut it."""
    place = "end" if check.turn is None else f"turn {check.turn}"
    return f"Why · {place} · {check.expectation.kind.replace('_', ' ')}: {plain(check.why)}"


def _verdict(check: CheckResult) -> Cell:
    if check.passed:
        return _OUTCOMES["passed"]
    return _OUTCOMES["failed"] if check.is_failure else ("Warning", "orange")

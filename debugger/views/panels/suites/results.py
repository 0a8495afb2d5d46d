"""Results of a suite run, and the checks of one scenario."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from debugger.scenarios.history import Change, ComparedResult
from debugger.scenarios.results import CheckResult, RepetitionResult
from debugger.scenarios.suite import Case
from debugger.views import state
from debugger.views.components.markdown import count, plain
from debugger.views.components.rows import Cell, Column, Table, rows_list, table
from debugger.views.panels.suites import actions
from debugger.views.panels.suites.actions import SuitesState

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
SHOWN: dict[str, set[Change]] = {
    "All": set(_CHANGES),
    "Regressed": {"regressed"},
    "Fixed": {"fixed"},
}
"""Filters of the list; "Failed" is by outcome."""
FAILED = "Failed"
_MAX_ROWS = 16


def results_list(rows: Sequence[ComparedResult], *, has_baseline: bool) -> None:
    """Draw a row for each scenario; the chosen one has its checks below."""
    columns: list[tuple[Column, Callable[[ComparedResult], Cell]]] = [
        (Column("scenario", "Scenario", 220, grows=True), _label),
        (
            Column("file", "File", 160, grows=True),
            lambda row: Path(row.now.scenario_id.partition("::")[0]).name,
        ),
        (Column("now", "Result", 90, "chip"), lambda row: _OUTCOMES[row.now.outcome]),
    ]
    if has_baseline:
        columns += [
            (
                Column("before", "Baseline", 90, "chip"),
                lambda row: _OUTCOMES[row.before.outcome] if row.before else None,
            ),
            (Column("change", "Change", 110, "chip"), lambda row: _CHANGES[row.change]),
        ]
    columns += [
        (Column("disposition", "Failure", 80), lambda row: row.now.disposition or ""),
        (Column("passes", "Passes", 70, "number"), _passes),
        (Column("time", "Time", 80, "number"), _time),
    ]
    shown = table("Scenarios of the suite run", rows, columns, lambda row: row.now.scenario_id)
    rows_list(
        "suite_results",
        shown,
        chosen=shown.place_of(state.record(SuitesState).chosen),
        on_choose=actions.choose,
        most=_MAX_ROWS,
    )


def _label(row: ComparedResult) -> str:
    name = row.now.scenario_id.partition("::")[2]
    return re.sub(r"\[row \d+\]$", r" \g<0>", name)


def _passes(row: ComparedResult) -> str:
    if len(row.now.repetitions) < 2:
        return ""
    passed = sum(each.outcome == "passed" for each in actions.repetitions_of(row.now))
    return f"{passed}/{len(row.now.repetitions)}"


def _time(row: ComparedResult) -> str:
    return f"{sum(each.seconds for each in actions.repetitions_of(row.now)) * 1000:,.0f} ms"


def scenario_checks(row: ComparedResult, case: Case | None) -> None:
    """Draw a scenario's checks; each opens the run at its event."""
    st.markdown(f"**{plain(_label(row))}**")
    if case is not None and case.scenario.description:
        st.caption(plain(case.scenario.description))
    repetitions = actions.repetitions_of(row.now)
    for number, repetition in enumerate(repetitions, start=1):
        _repetition(repetition, number if len(repetitions) > 1 else None)


def _repetition(repetition: RepetitionResult, number: int | None) -> None:
    key = f"suite_checks_{number or 0}"
    if number is not None:
        st.caption(f"Repetition {number}: {repetition.outcome}")
    if repetition.error:
        st.error(plain(repetition.error))
    if repetition.path:
        st.caption(f"Path: {plain(repetition.path)}")
    if repetition.checks:
        # A row is chosen to go to its event, so none stays chosen.
        rows_list(key, _checks(repetition), on_choose=actions.open_check, most=_MAX_ROWS)
        for check in [check for check in repetition.checks if check.why][:_MAX_ROWS]:
            st.caption(_why(check))
    elif not repetition.error:
        st.caption(f"{count(repetition.turns, 'turn')} ran; the scenario has no expectation.")


def _checks(repetition: RepetitionResult) -> Table:
    checks = sorted(repetition.checks, key=lambda check: check.passed)
    columns: list[tuple[Column, Callable[[CheckResult], Cell]]] = [
        (Column("result", "Result", 90, "chip"), _verdict),
        (
            Column("turn", "Turn", 50, "number"),
            lambda check: "end" if check.turn is None else str(check.turn),
        ),
        (Column("kind", "Check", 110), lambda check: check.expectation.kind.replace("_", " ")),
        (Column("expected", "Expected", 220, grows=True), lambda check: f"{check.lead}{check.expected}"),
        (Column("got", "Got", 260, grows=True), lambda check: check.got),
    ]
    return table(
        "Checks; a row opens the run at its event",
        checks,
        columns,
        lambda check: [repetition.run_id, check.turn, check.event] if repetition.run_id else None,
    )


def _why(check: CheckResult) -> str:
    """Return why a check failed, in a line of its own: a table would cut it."""
    place = "end" if check.turn is None else f"turn {check.turn}"
    return f"Why · {place} · {check.expectation.kind.replace('_', ' ')}: {plain(check.why)}"


def _verdict(check: CheckResult) -> Cell:
    if check.passed:
        return _OUTCOMES["passed"]
    return _OUTCOMES["failed"] if check.is_failure else ("Warning", "orange")

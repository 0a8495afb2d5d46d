"""Failures in words, as terminals and reports show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlencode

from debugger.scenarios.results import CheckResult, RepetitionResult, ScenarioResult

RunLink = Callable[[str, int | None], str]
"""Returns the link that opens a run, at an event if one is named; empty where it cannot be opened."""


def no_link(run_id: str, event: int | None) -> str:
    """Return no link: the runs are not stored."""
    return ""


def app_link(address: str, connection: str = "") -> RunLink:
    """Return a function making links into the app.

    Args:
        address: The app's, such as ``http://localhost:8501``.
        connection: The name of a hosted connection; empty of the embedded engine.
    """
    backend = {"backend": "hosted", "connection": connection} if connection else {"backend": "embedded"}

    def link(run_id: str, event: int | None) -> str:
        cursor = {} if event is None else {"event": str(event)}
        return f"{address.rstrip('/')}/?{urlencode({**backend, 'run': run_id, **cursor})}"

    return link


def check_place(check: CheckResult) -> str:
    """Return the turn of a check: ``turn 2``, or ``at the end``."""
    return "at the end" if check.turn is None else f"turn {check.turn}"


def decisive(result: ScenarioResult) -> RepetitionResult | None:
    """Return the repetition to look at: the first that did not pass, else the first."""
    failed = [each for each in result.repetitions if each.outcome != "passed"]
    return next(iter(failed or result.repetitions), None)


def repeats_text(result: ScenarioResult) -> str:
    """Return how many repetitions passed; empty where there is but one."""
    if len(result.repetitions) < 2:
        return ""
    needed = result.scenario.repeat.needed if result.scenario.repeat else len(result.repetitions)
    return f"{result.passes} of {len(result.repetitions)} repetitions passed, {needed} needed"


def failure_lines(result: ScenarioResult, link: RunLink = no_link) -> Iterator[str]:
    """Yield why a scenario did not pass, line by line."""
    if result.row:
        values = ", ".join(f"{name}={value!r}" for name, value in result.row.items())
        yield f"Row {result.row_number}: {values}"
    if repeats := repeats_text(result):
        yield repeats
    found = decisive(result)
    if found is None:
        return
    if found.error:
        yield f"Error: {found.error}"
    for check in found.failures:
        yield from _check_lines(check, found, link)
    yield from run_lines(found, link)


def warning_lines(result: ScenarioResult) -> Iterator[str]:
    """Yield the failed soft checks."""
    for number, repetition in enumerate(result.repetitions, start=1):
        at = f"repetition {number}, " if len(result.repetitions) > 1 else ""
        for check in repetition.warnings:
            yield f"{at}{check_place(check)}: {check.text}"


def run_lines(repetition: RepetitionResult, link: RunLink) -> Iterator[str]:
    """Yield the path of a run, and the link that opens it."""
    if repetition.path:
        yield f"Path: {repetition.path}"
    if repetition.run_id and (opened := link(repetition.run_id, None)):
        yield f"Run: {opened}"


def _check_lines(check: CheckResult, repetition: RepetitionResult, link: RunLink) -> Iterator[str]:
    own = f": {check.expectation.message}" if check.expectation.message else ""
    yield f"{check_place(check).capitalize()}{own}"
    yield f"  expected: {check.expected}"
    yield f"  got:      {check.got}"
    if check.event is not None:
        opened = link(repetition.run_id, check.event) if repetition.run_id else ""
        yield f"  nearest event: {check.event}{f', {opened}' if opened else ''}"

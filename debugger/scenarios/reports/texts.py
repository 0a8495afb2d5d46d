"""Failures in words, as terminals and reports show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlencode

from debugger.scenarios.results import CheckResult, RepetitionResult, ScenarioResult
from debugger.settings import DEFAULT_CONNECTION

RunLink = Callable[[str, str, int | None], str]
"""Returns the link that opens a run of a connection, at an event if one is named; empty without one."""


def no_link(connection: str, run_id: str, event: int | None) -> str:
    """Return no link: the runs are not stored."""
    return ""


def app_link(address: str) -> RunLink:
    """Return a function making links into the app.

    Args:
        address: The app's, such as ``http://localhost:8501``.
    """

    def link(connection: str, run_id: str, event: int | None) -> str:
        name = DEFAULT_CONNECTION if connection == "hosted" else connection
        place = {"backend": "embedded"} if name == "embedded" else {"backend": "hosted", "connection": name}
        cursor = {} if event is None else {"event": str(event)}
        return f"{address.rstrip('/')}/?{urlencode({**place, 'run': run_id, **cursor})}"

    return link


def check_place(check: CheckResult) -> str:
    """Return the turn of a check: ``turn 2``, or ``at the end``."""
    return "at the end" if check.turn is None else f"turn {check.turn}"


def decisive(result: ScenarioResult) -> RepetitionResult | None:
    """Return the first repetition that did not pass, else the first."""
    failed = [each for each in result.repetitions if each.outcome != "passed"]
    return next(iter(failed or result.repetitions), None)


def repeats_text(result: ScenarioResult) -> str:
    """Return how many repetitions passed; empty where there is but one."""
    if len(result.repetitions) < 2:
        return ""
    needed = result.scenario.repeat.needed if result.scenario.repeat else len(result.repetitions)
    return f"{result.passes} of {len(result.repetitions)} repetitions passed, {needed} needed"


def failure_summary(result: ScenarioResult) -> str:
    """Return why a scenario did not pass, in one line."""
    found = decisive(result)
    if found is None or not found.failures:
        return found.error if found and found.error else repeats_text(result)
    return f"{check_place(found.failures[0])}: {found.failures[0].text}"


def failure_lines(result: ScenarioResult, link: RunLink = no_link) -> Iterator[str]:
    """Yield why a scenario did not pass, line by line, from its row to the link of its run.

    Only the decisive repetition is shown; without one nothing follows the row.
    """
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
        own = f": {check.expectation.message}" if check.expectation.message else ""
        yield f"{check_place(check).capitalize()}{own}"
        yield f"  expected: {check.expected}"
        yield f"  got:      {check.got}"
        if check.why:
            yield f"  why:      {check.why}"
        if check.event is not None:
            opened = run_link(result, found, link, check.event)
            yield f"  nearest event: {check.event}{f', {opened}' if opened else ''}"
    yield from run_lines(result, found, link)


def warning_lines(result: ScenarioResult) -> Iterator[str]:
    """Yield the failed soft checks."""
    for number, repetition in enumerate(result.repetitions, start=1):
        at = f"repetition {number}, " if len(result.repetitions) > 1 else ""
        for check in repetition.warnings:
            why = f"; why: {check.why}" if check.why else ""
            yield f"{at}{check_place(check)}: {check.text}{why}"


def run_lines(result: ScenarioResult, repetition: RepetitionResult, link: RunLink) -> Iterator[str]:
    """Yield the workflow of a run, its path, and the link that opens it."""
    if repetition.ran:
        yield f"Workflow: {repetition.ran.words}"
    if repetition.path:
        yield f"Path: {repetition.path}"
    if opened := run_link(result, repetition, link):
        yield f"Run: {opened}"


def run_link(
    result: ScenarioResult, repetition: RepetitionResult, link: RunLink, event: int | None = None
) -> str:
    """Return the link of a repetition; empty without a stored run."""
    return link(result.scenario.connection, repetition.run_id, event) if repetition.run_id else ""

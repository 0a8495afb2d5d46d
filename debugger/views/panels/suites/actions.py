"""State and actions of the page Suites."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from debugger.backends.base import Backend
from debugger.errors import DebuggerError, InputError
from debugger.protocol.workflow import VersionSummary
from debugger.samples import sample_scenarios
from debugger.scenarios.history import ComparedResult, compare_results, read_repetition
from debugger.scenarios.preparation import EMBEDDED, find_workflow
from debugger.scenarios.results import RepetitionResult
from debugger.scenarios.runner import ScenarioRunner
from debugger.scenarios.stored import Suite, read_stored, store_scenario, tidied
from debugger.scenarios.suite import Case
from debugger.scenarios.suite_job import SuiteJob
from debugger.store import Role, StoredResult, StoredSuite
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.views import actions, navigation, state
from debugger.views.actions import action
from debugger.views.audit import audit
from debugger.views.auth.permissions import current_user
from debugger.views.backends import embedded_backend
from debugger.views.components.markdown import count
from debugger.views.panels.suites.storing import current_writer, suite

NEWEST, NO_BASELINE = "newest", "none"
"""Choices beside the ids of suite runs."""

TAG_KEY, SHOWN_KEY, BASELINE_KEY, WATCH_KEY = "suites_tag", "suites_shown", "suites_baseline", "suites_watch"

_VERSION = re.compile(r"(.*?)(?:\[version (\d+)\])?", re.DOTALL)
"""An id of a result, with the version that it may name."""

_QUIET_SECONDS = 0.3
"""A suite run that ends in this time shows no progress."""


@dataclass
class SuitesState:
    """State of the page."""

    job: SuiteJob | None = None
    """The suite run of this tab, also after its end."""
    chosen: str = ""
    """The id of the scenario on view, of a result or of `SuiteScenario`."""
    is_watched: bool = False
    """True once they have been watched: a scenario without a fingerprint is then a new one."""
    versions: tuple[Any, list[OfferedWorkflow]] | None = None
    """The workflows whose versions can be chosen, with what they were read from."""
    seen: dict[str, str] = field(default_factory=dict)
    """The fingerprint of each scenario at its last run, or when it was seen first."""


@action(role=Role.RUN)
def copy_samples() -> None:
    """Store the sample scenarios, but those whose names are taken, and audit that.

    An error is stored in `LastAction`, not raised; the samples before it stay stored.
    """
    known, writer = {each.name for each in suite().scenarios}, current_writer()
    scenarios = embedded_backend().store.scenarios
    for text in sample_scenarios().values():
        if tidied(read_stored(text).scenario.name) not in known:
            store_scenario(scenarios, text, writer, expected=NEVER_WRITTEN)
    audit("copy sample scenarios", "")


def base_id(result_id: str) -> str:
    """Return the id of a result without the version that it may name."""
    found = _VERSION.fullmatch(result_id)
    return found[1] if found else result_id


def version_of(result_id: str) -> int | None:
    """Return the version that the id of a result names."""
    found = _VERSION.fullmatch(result_id)
    return int(found[2]) if found and found[2] else None


def reason_against(case: Case) -> str:
    """Return why the page does not run a scenario; empty for one of the embedded engine, which it runs."""
    if case.scenario.connection == EMBEDDED:
        return ""
    return (
        f"It runs on the connection {case.scenario.connection!r}: use workflow-debugger test, which asks for "
        "a budget of turns and for consent to side effects."
    )


@action(role=Role.RUN)
def run_tagged(tag: str) -> None:
    """Run the scenarios with a tag in the background, in the chosen versions; all of them for an empty tag.

    An error is stored in `LastAction`, not raised: none of them can be run here, or a suite run has not
    ended.
    """
    shown = suite()
    _run(with_versions(shown.tagged(tag), offered_versions(shown)))


@action(role=Role.RUN)
def run_again(scenario_ids: Collection[str]) -> None:
    """Run scenarios in the background, as they are now; an id may name a version.

    An unknown id is ignored. An error is stored in `LastAction`, not raised: none of them can be run here, or
    a suite run has not ended.
    """
    wanted = [_VERSION.fullmatch(each) for each in scenario_ids]
    numbers: dict[str, list[int | None]] = {}
    for each in filter(None, wanted):
        numbers.setdefault(each[1], []).append(int(each[2]) if each[2] else None)
    _run(
        [
            case if number is None else case.of_version(number)
            for case in suite().cases
            for number in numbers.get(case.id, ())
        ]
    )


@dataclass(frozen=True)
class OfferedWorkflow:
    """A stored workflow of which several versions can be chosen for a suite run."""

    id: str
    name: str
    versions: list[VersionSummary]
    references: frozenset[str]
    """The texts by which scenarios name it."""

    @property
    def chosen(self) -> list[int]:
        """Return the numbers of the chosen versions, those whose switches are on; empty without any."""
        return [
            each.version_number
            for each in self.versions
            if state.widget(version_key(self.id, each.version_number))
        ]


def version_key(workflow_id: str, number: int) -> str:
    """Return the key of the switch that chooses a version."""
    return f"suites_version_{workflow_id}_{number}"


def offered_versions(shown: Suite) -> list[OfferedWorkflow]:
    """Return the workflows of scenarios that have several versions, sorted by name.

    They are kept until workflows or names change. Scenarios with a file of a workflow, or of a connection, do
    not count; a name that no workflow has is left out.

    Raises:
        DebuggerError: The workflows cannot be read.
    """
    suites, backend = state.record(SuitesState), embedded_backend()
    names = {each.scenario.workflow for each in shown.cases if _is_of_stored_workflow(each)}
    rows = {row.id: row for row in backend.workflows()}
    facts = sorted((row.id, row.name, row.updated_at or "") for row in rows.values())
    if suites.versions is None or suites.versions[0] != (facts, names):
        references: dict[str, set[str]] = {}
        for name in names:
            with suppress(DebuggerError):  # the run of its scenario says that there is none
                references.setdefault(find_workflow(name, backend), set()).add(name)
        found = [
            OfferedWorkflow(own, rows[own].name or own, versions, frozenset(references[own]))
            for own in references
            if own in rows and len(versions := backend.versions(own)) > 1
        ]
        suites.versions = (facts, names), sorted(found, key=lambda each: each.name)
    return suites.versions[1]


def with_versions(cases: Sequence[Case], offered: Sequence[OfferedWorkflow]) -> list[Case]:
    """Return each case once for each chosen version of its workflow; without one as it is.

    The order of the cases stays; one with a file of a workflow, or of a connection, is as it is.
    """
    chosen = {name: each.chosen for each in offered for name in each.references}
    found: list[Case] = []
    for case in cases:
        numbers = chosen.get(case.scenario.workflow, []) if _is_of_stored_workflow(case) else []
        found += [case.of_version(number) for number in numbers] or [case]
    return found


def _is_of_stored_workflow(case: Case) -> bool:
    return case.loaded.document is None and case.scenario.connection == EMBEDDED


def run_changed(shown: Suite) -> None:
    """Run the scenarios changed since their last run, or since they are watched.

    Where none was, the error of the last action stays.
    """
    suites = state.record(SuitesState)
    if suites.job is not None and suites.job.is_running:
        return
    now = _fingerprints(shown.cases)
    before = suites.seen if suites.is_watched else now | suites.seen
    changed = {scenario_id for scenario_id, value in now.items() if before.get(scenario_id) != value}
    suites.is_watched, suites.seen = True, now
    if any(case.id in changed and not reason_against(case) for case in shown.cases):
        run_again(changed)


def _run(cases: Sequence[Case]) -> None:
    """Run scenarios in the background.

    Raises:
        InputError: None of them can be run here, or a suite run has not ended.
    """
    suites = state.record(SuitesState)
    if suites.job is not None and suites.job.is_running:
        raise InputError("A suite run has not ended yet.", advice="Cancel it, or wait for its end.")
    runnable = [case for case in cases if not reason_against(case)]
    if not runnable:
        raise InputError(
            "There is no scenario to run.",
            advice="Choose another tag, or run hosted scenarios in a terminal.",
        )
    backend = embedded_backend()
    make_runner = partial(ScenarioRunner, _backend_of, backend.settings, store=backend.store)
    job = SuiteJob(runnable, backend.store.suites, make_runner, current_user().name)
    job.start()  # one that cannot be stored is none
    suites.job = job
    suites.seen |= _fingerprints(runnable)
    audit("run suite", job.suite_id, scenarios=len(runnable))
    job.wait(_QUIET_SECONDS)


@action(role=Role.RUN)
def cancel() -> None:
    """Cancel the suite run of this tab and wait up to 2 seconds for it; its results so far stay stored.

    Nothing happens without one.
    """
    job = state.record(SuitesState).job
    if job is not None:
        job.cancel()
        job.wait(2)


@action()
def choose(scenario_id: str | None) -> None:
    """Show the checks of a scenario."""
    state.record(SuitesState).chosen = scenario_id or ""


@action()
def open_check(place: list[object] | None) -> None:
    """Open a run at the turn and event of a check on the page Debug; nothing without a place.

    The page switches to the embedded engine. An error, as of a deleted run, is stored in `LastAction`, not
    raised; the page Debug is opened all the same.
    """
    if not place:
        return
    run_id, turn, event = place
    actions.choose_backend("embedded")
    actions.open_run(
        str(run_id), turn if isinstance(turn, int) else None, event if isinstance(event, int) else None
    )
    navigation.go_to("debug")


def _fingerprints(cases: Sequence[Case]) -> dict[str, str]:
    """Return values by scenario that change with its files and stored workflow."""
    rows = embedded_backend().workflows()
    stored = str(sorted((row.id, row.active_version_number or 0, row.updated_at or "") for row in rows))
    return {case.id: case.digest + (stored if case.loaded.document is None else "") for case in cases}


def suite_on_view(newest: Sequence[StoredSuite]) -> StoredSuite | None:
    """Return the suite run of this tab, else the newest."""
    job = state.record(SuitesState).job
    mine = next((suite for suite in newest if job is not None and suite.id == job.suite_id), None)
    return mine or next(iter(newest), None)


def baseline_of(suite: StoredSuite, newest: Sequence[StoredSuite], wanted: str) -> StoredSuite | None:
    """Return the suite run to compare with: the chosen one, or by default the one before.

    This is the first complete one of those that started before and ran at least as many scenarios, else the
    first complete one. ``None`` for `NO_BASELINE`, for a chosen one that is not among the newest, and without
    an earlier one.
    """
    if wanted == NO_BASELINE:
        return None
    if wanted and wanted != NEWEST:
        return next((each for each in newest if each.id == wanted), None)
    older = [each for each in newest if each.started_at < suite.started_at and each.is_complete]
    # One that ran fewer scenarios has no result to compare with for the others.
    covering = [each for each in older if each.selected >= suite.selected]
    return next(iter([*covering, *older]), None)


def compared_results(suite: StoredSuite, baseline: StoredSuite | None) -> list[ComparedResult]:
    """Return the results of a suite run beside those of its baseline."""
    results = embedded_backend().store.suites.results
    return compare_results(results(suite.id), results(baseline.id) if baseline else [])


def repetitions_of(result: StoredResult) -> list[RepetitionResult]:
    """Return the stored repetitions of a result."""
    return [read_repetition(each.result) for each in result.repetitions]


def suite_words(suite: StoredSuite) -> str:
    """Return the counts of a suite run in words, as ``3 passed, 1 failed, 2 scenarios not run``.

    Failures, errors and, of an incomplete one, scenarios that were not run are named only where there are
    some.
    """
    counts = suite.counts
    words = [f"{counts['passed']:,} passed"]
    words += [f"{counts[name]:,} {label}" for name, label in _OUTCOMES.items() if counts[name]]
    if not suite.is_complete:
        words.append(f"{count(suite.selected - counts.total(), 'scenario')} not run")
    return ", ".join(words)


_OUTCOMES = {"failed": "failed", "error": "with an error"}


def _backend_of(name: str) -> Backend:
    if name != EMBEDDED:
        raise DebuggerError(f"The page runs no scenario on the connection {name!r}.")
    return embedded_backend()

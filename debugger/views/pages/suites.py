"""Page that runs suites of scenarios and compares them with a baseline."""

from __future__ import annotations

import time

import streamlit as st

from debugger.errors import DebuggerError
from debugger.scenarios.suite_job import SuiteJob
from debugger.store import StoredSuite
from debugger.views import navigation, state
from debugger.views.auth.permissions import explain_denial, on_click
from debugger.views.backends import embedded_backend
from debugger.views.components.error_box import show_error, show_failures, show_unexpected_errors
from debugger.views.components.markdown import count, plain
from debugger.views.components.toolbar import (
    Button,
    Item,
    Progress,
    SegmentedControl,
    Select,
    Spacer,
    Text,
    Toggle,
    bar,
)
from debugger.views.help_links import empty_state
from debugger.views.panels.suites import actions
from debugger.views.panels.suites.actions import (
    BASELINE_KEY,
    NEWEST,
    NO_BASELINE,
    SHOWN_KEY,
    TAG_KEY,
    WATCH_KEY,
    ScenarioFolder,
    SuitesState,
)
from debugger.views.panels.suites.results import FAILED, SHOWN, results_list, scenario_checks
from debugger.views.times import shown_time

_POLL_SECONDS, _WATCH_SECONDS = 0.5, 2.0


def render() -> None:
    """Draw the page."""
    st.markdown("### Suites")
    try:
        embedded_backend()
    except DebuggerError as error:
        show_error(error)
        return
    every = _poll_seconds()
    st.fragment(_body, run_every=every)(every)


def _poll_seconds() -> float | None:
    job = state.record(SuitesState).job
    if job is not None and job.is_running:
        return _POLL_SECONDS
    return _WATCH_SECONDS if state.widget(WATCH_KEY) else None


@show_unexpected_errors("The page Suites")
def _body(every: float | None) -> None:
    navigation.leave_for_page()
    suites = state.record(SuitesState)
    folder = actions.scenario_folder()
    if state.widget(WATCH_KEY):
        actions.run_changed(folder)
    if every != _poll_seconds():
        st.rerun()
    show_failures()
    tag = state.widget(TAG_KEY) or ""
    _controls(folder, tag if tag in folder.tags else "")
    for problem in folder.problems:
        st.error("  \n".join(map(plain, problem.message.splitlines())), icon=":material/error:")
    if suites.job is not None and suites.job.error is not None:
        show_error(suites.job.error)
    newest = embedded_backend().store.suites.newest()
    suite = actions.suite_on_view(newest)
    if suite is None:
        _empty(folder)
    else:
        _results(folder, suite, newest)


def _controls(folder: ScenarioFolder, tag: str) -> None:
    job, cases = state.record(SuitesState).job, folder.tagged(tag)
    runnable = [case for case in cases if not actions.reason_against(case)]
    refused = explain_denial(actions.run_tagged) or ""
    items: list[Item] = []
    if job is not None and job.is_running:
        items += [_progress(job), Button("suites_cancel", "Cancel", actions.cancel, icon=":material/close:")]
    else:
        reason = refused or ("" if runnable else "There is no scenario that can be run here")
        items.append(
            Button(
                "suites_run",
                f"Run {count(len(runnable), 'scenario')}",
                actions.run_tagged,
                (tag,),
                icon=":material/play_arrow:",
                look="primary",
                disabled=bool(reason),
                help=reason or "Run in the background; the runs are stored and can be opened",
            )
        )
    if folder.tags:
        items.append(
            Select(TAG_KEY, "Tag", {"": "All tags"} | {name: name for name in folder.tags}, "All tags")
        )
    items.append(
        Toggle(WATCH_KEY, "Watch", "Run scenarios again when their files or workflows change", bool(refused))
    )
    hosted = len(cases) - len(runnable)
    if hosted:
        example = next(filter(None, map(actions.reason_against, cases)))
        items.append(Text(f"{count(hosted, 'scenario')} for other connections", help=example))
    items += [Spacer(), Text(f"{count(len(folder.cases), 'scenario')} in {folder.path}", yields=True)]
    bar("suites_controls", items, low=True)


def _progress(job: SuiteJob) -> Progress:
    problems = job.done - job.counts["passed"]
    words = f"{job.done:,} of {count(len(job.cases), 'scenario')}"
    words += f", {problems:,} not passed" if problems else ""
    return Progress(f"{words} · {time.monotonic() - job.began_at:.0f} s", job.done / len(job.cases))


def _empty(folder: ScenarioFolder) -> None:
    if folder.cases:
        empty_state("No suite run yet. Run the scenarios to see their results here.", "scenarios#on-the-page")
        return
    empty_state(
        f"There are no scenarios in {plain(str(folder.path))}. Save a run as a scenario on the page Debug "
        "and put the file there, name another folder with WORKFLOW_DEBUGGER_SCENARIOS, or copy the samples.",
        "scenarios#on-the-page",
    )
    st.button(
        "Copy the sample scenarios",
        key="copy_samples",
        icon=":material/content_copy:",
        **on_click(actions.copy_samples),
    )


def _results(folder: ScenarioFolder, suite: StoredSuite, newest: list[StoredSuite]) -> None:
    earlier = [each for each in newest if each.id != suite.id]
    names = {each.id: f"{shown_time(each.started_at)} · {actions.suite_words(each)}" for each in earlier}
    baseline = actions.baseline_of(suite, newest, state.widget(BASELINE_KEY) or NEWEST)
    rows = actions.compared_results(suite, baseline)
    by_filter = {name: [row for row in rows if row.change in kinds] for name, kinds in SHOWN.items()}
    failed = by_filter[FAILED] = [row for row in rows if not row.has_passed]
    state.set_widget(SHOWN_KEY, state.widget(SHOWN_KEY) or "All")
    shown = by_filter.get(state.widget(SHOWN_KEY), rows)
    labels = {name: f"{name} {len(own):,}" for name, own in by_filter.items()}
    again = {row.now.scenario_id for row in failed}
    bar(
        "suite_head",
        [
            Text(shown_time(suite.started_at), look="strong"),
            Text(f"{actions.suite_words(suite)} · by {suite.started_by}"),
            Spacer(),
            SegmentedControl(SHOWN_KEY, "Results on view", ["All", FAILED, "Regressed", "Fixed"], labels),
            Select(
                BASELINE_KEY,
                "Baseline",
                {NEWEST: "Baseline: prior run", NO_BASELINE: "No baseline"} | names,
                "Baseline: prior run",
            ),
            Button(
                "suites_failed",
                "Run failed",
                actions.run_again,
                (again,),
                icon=":material/replay:",
                disabled=not again or bool(explain_denial(actions.run_again)),
                help=explain_denial(actions.run_again) or "Run only the scenarios that did not pass",
            ),
        ],
        low=True,
    )
    if not shown:
        st.caption("No scenario matches the choice above.")
        return
    results_list(shown, has_baseline=baseline is not None)
    chosen = state.record(SuitesState).chosen
    row = next((row for row in shown if row.now.scenario_id == chosen), None) or next(
        (row for row in shown if not row.has_passed), None
    )
    if row is not None:
        scenario_checks(row, next((case for case in folder.cases if case.id == row.now.scenario_id), None))
    else:
        st.caption("Choose a scenario to see its checks.")

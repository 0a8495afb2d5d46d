"""Page that runs suites of scenarios and compares them with a baseline."""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence

import streamlit as st

from debugger.errors import DebuggerError
from debugger.scenarios.stored import Suite, SuiteScenario
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
    Menu,
    MenuItem,
    Progress,
    Select,
    Spacer,
    Text,
    Toggle,
    bar,
)
from debugger.views.help_links import empty_page
from debugger.views.panels.suites import actions, storing
from debugger.views.panels.suites.actions import (
    BASELINE_KEY,
    NEWEST,
    NO_BASELINE,
    SHOWN_KEY,
    TAG_KEY,
    WATCH_KEY,
    OfferedWorkflow,
    SuitesState,
)
from debugger.views.panels.suites.dialogs import dialogs_state, show_files, show_text, suite_dialogs
from debugger.views.panels.suites.results import (
    ALL,
    SuiteRow,
    results_list,
    rows_shown,
    scenario_checks,
    suite_rows,
)
from debugger.views.panels.suites.storing import current_writer
from debugger.views.times import shown_time

_POLL_SECONDS, _WATCH_SECONDS = 0.5, 2.0


def render() -> None:
    """Draw the page Suites, as a fragment that is redrawn while a suite runs or files are watched.

    Where the embedded engine cannot be opened, the error is drawn alone.
    """
    try:
        embedded_backend()
    except DebuggerError as error:
        _line([])
        show_error(error)
        return
    drawn = _depends_on()
    st.fragment(_body, run_every=_poll_seconds())(drawn)
    suite_dialogs()


def _depends_on() -> Hashable:
    """Return what only a run of the whole page changes: how often it is looked at, and its dialog."""
    return _poll_seconds(), dialogs_state()


def _poll_seconds() -> float | None:
    job = state.record(SuitesState).job
    if job is not None and job.is_running:
        return _POLL_SECONDS
    return _WATCH_SECONDS if state.widget(WATCH_KEY) else None


@show_unexpected_errors("The page Suites")
def _body(drawn: Hashable) -> None:
    """Draw controls, mistakes and results of the suite.

    While files are watched, it starts changed scenarios. It goes to the page that a callback has requested,
    and reruns the whole page where poll interval or dialog have changed. An error is drawn in place of what
    follows.
    """
    navigation.leave_for_page()
    suites = state.record(SuitesState)
    try:
        shown = storing.suite()
    except DebuggerError as error:
        _line([])
        show_error(error)
        return
    if state.widget(WATCH_KEY):
        actions.run_changed(shown)
    if drawn != _depends_on():
        st.rerun()
    show_failures()
    if not shown.scenarios:
        _empty()
        return
    tag = state.widget(TAG_KEY) or ""
    _controls(shown, tag if tag in shown.tags else "")
    for mistake in shown.mistakes:
        st.error("  \n".join(map(plain, mistake.splitlines())), icon=":material/error:")
    if suites.job is not None and suites.job.error is not None:
        show_error(suites.job.error)
    try:
        newest = embedded_backend().store.suites.newest()
    except DebuggerError as error:
        show_error(error)
        return
    _results(shown, actions.suite_on_view(newest), newest)


def _controls(shown: Suite, tag: str) -> None:
    """Draw the bar that starts or cancels a suite run, with tag, versions and the switch to watch.

    The button that starts one is disabled without a scenario that can be run, and without the role. Scenarios
    of other connections are counted beside it.
    """
    job, cases = state.record(SuitesState).job, shown.tagged(tag)
    runnable = [case for case in cases if not actions.reason_against(case)]
    refused, offered = explain_denial(actions.run_tagged) or "", actions.offered_versions(shown)
    items: list[Item] = []
    if job is not None and job.is_running:
        items += [_progress(job), Button("suites_cancel", "Cancel", actions.cancel, icon=":material/close:")]
    else:
        reason = refused or ("" if runnable else "There is no scenario that can be run here")
        runs = len(actions.with_versions(runnable, offered))
        several = f", {count(runs, 'run')}" if runs != len(runnable) else ""
        items.append(
            Button(
                "suites_run",
                f"Run {count(len(runnable), 'scenario')}{several}",
                actions.run_tagged,
                (tag,),
                icon=":material/play_arrow:",
                look="primary",
                disabled=bool(reason),
                help=reason or "Run in the background; the runs are stored and can be opened",
            )
        )
    if shown.tags:
        items.append(
            Select(TAG_KEY, "Tag", {"": "All tags"} | {name: name for name in shown.tags}, "All tags")
        )
    if offered:
        items.append(_versions_menu(offered))
    items.append(
        Toggle(
            WATCH_KEY,
            "Watch",
            "Run scenarios again when they, their files or workflows change",
            bool(refused),
        )
    )
    hosted = len(cases) - len(runnable)
    if hosted:
        example = next(filter(None, map(actions.reason_against, cases)))
        items.append(Text(f"{count(hosted, 'scenario')} for other connections", help=example))
    items += [
        Spacer(),
        Text(_counted(shown), yields=True),
        _files_button(),
    ]
    _line(items)


def _line(items: list[Item]) -> None:
    """Draw the title and the controls in one line."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="suites_line"):
        st.markdown("### Suites", width="content")
        bar("suites_controls", items, low=True)


def _versions_menu(offered: Sequence[OfferedWorkflow]) -> Menu:
    """Return the menu of the versions in which scenarios run; its label has the number of the chosen ones."""
    chosen = sum(len(each.chosen) for each in offered)
    items: list[MenuItem] = []
    for each in offered:
        items.append(Text(each.name, look="heading"))
        items += [
            Toggle(actions.version_key(each.id, version.version_number), version.label)
            for version in each.versions
        ]
    return Menu(
        "suites_versions",
        f"Versions ({chosen})" if chosen else "Versions",
        items,
        icon=":material/layers:",
        help="Run each scenario in several versions of its workflow; without a choice as the scenario says",
    )


def _files_button() -> Button:
    """Return the button that opens the dialog of the files."""
    return Button(
        "suite_files_button",
        "Files …",
        show_files,
        icon=":material/upload_file:",
        help="Add scenarios from files, or download all of them",
    )


def _counted(shown: Suite) -> str:
    stored = sum(each.stored is not None for each in shown.scenarios)
    in_folder = len(shown.scenarios) - stored
    words = [f"{stored:,} stored"] if stored else []
    return ", ".join([*words, f"{in_folder:,} of the folder"] if in_folder else words)


def _progress(job: SuiteJob) -> Progress:
    problems = job.done - job.counts["passed"]
    words = f"{job.done:,} of {count(len(job.cases), 'scenario')}"
    words += f", {problems:,} not passed" if problems else ""
    return Progress(f"{words} · {time.monotonic() - job.began_at:.0f} s", job.done / len(job.cases))


def _empty() -> None:
    """Draw why there is no scenario, and a button that copies the samples."""
    _line([Spacer(), _files_button()])
    text = "There is no scenario yet: save a run as one, or begin with the samples."
    with empty_page(text, "scenarios#on-the-page"):
        st.button(
            "Copy the sample scenarios",
            key="copy_samples",
            type="primary",
            icon=":material/content_copy:",
            **on_click(actions.copy_samples),
        )


def _results(shown: Suite, suite: StoredSuite | None, newest: list[StoredSuite]) -> None:
    """Draw the results of a suite run beside its baseline, and the checks of one scenario.

    That is the chosen one, else the first that failed. Without a suite run the scenarios are listed. Raises
    `DebuggerError` where results cannot be read.
    """
    baseline = (
        None if suite is None else actions.baseline_of(suite, newest, state.widget(BASELINE_KEY) or NEWEST)
    )
    results = [] if suite is None else actions.compared_results(suite, baseline)
    by_filter = rows_shown(suite_rows(shown, results))
    state.set_widget(SHOWN_KEY, state.widget(SHOWN_KEY) or ALL)
    rows = by_filter.get(state.widget(SHOWN_KEY), by_filter[ALL])
    if suite is not None:
        _head(suite, newest, by_filter)
    if not rows:
        st.caption("No scenario matches the choice above.")
        return
    chosen = state.record(SuitesState).chosen
    failed = (row for row in rows if row.has_failed)
    row = next((row for row in rows if row.id == chosen), None) or next(failed, None)
    left, right = st.columns([3, 2], gap="small")
    with left:
        has_baseline = baseline is not None
        results_list(rows, row.id if row else "", has_results=suite is not None, has_baseline=has_baseline)
    with right, st.container(key="suite_scenario", gap="small"):
        if row is None:
            st.caption("Choose a scenario to see its checks.")
            return
        with st.container(horizontal=True, vertical_alignment="center", key="suite_scenario_head"):
            st.markdown(f"**{plain(row.label)}**")
            if row.scenario is not None:
                _of_scenario(row.scenario)
        scenario_checks(row, has_results=suite is not None)


def _head(suite: StoredSuite, newest: list[StoredSuite], by_filter: dict[str, list[SuiteRow]]) -> None:
    """Draw the head of a suite run: time, words, filter, baseline, and the button to run failed ones."""
    earlier = [each for each in newest if each.id != suite.id]
    names = {each.id: f"{shown_time(each.started_at)} · {actions.suite_words(each)}" for each in earlier}
    labels = {name: f"{name} {len(own):,}" for name, own in by_filter.items()}
    again = {
        each.now.scenario_id
        for row in by_filter[ALL]
        for each in row.by_version.values()
        if not each.has_passed
    }
    refused = explain_denial(actions.run_again)
    bar(
        "suite_head",
        [
            Text(shown_time(suite.started_at), look="strong"),
            Text(f"{actions.suite_words(suite)} · by {suite.started_by}"),
            Spacer(),
            Select(SHOWN_KEY, "Results on view", labels, ALL),
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
                disabled=not again or bool(refused),
                help=refused or "Run only the scenarios that did not pass",
            ),
        ],
        low=True,
    )


def _of_scenario(scenario: SuiteScenario) -> None:
    """Draw the button that opens a scenario, to edit it where the user may; nothing without a text."""
    may_write = scenario.stored is not None and scenario.stored.may_be_written_by(current_writer())
    if scenario.text:
        st.button(
            "Edit …" if may_write else "Text …",
            key="suite_text_button",
            icon=":material/edit:" if may_write else ":material/article:",
            on_click=show_text,
            args=(scenario.ids[0],),
            help="Edit, download or delete it" if may_write else "Read or download it",
        )

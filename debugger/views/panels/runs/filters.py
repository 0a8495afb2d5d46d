"""Filters of the list of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.protocol.runs import NO_VERDICT, RunSearch
from debugger.protocol.scenario_runs import OUTCOMES
from debugger.store import ScenarioRuns
from debugger.views import state
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import local_store
from debugger.views.components.markdown import plain
from debugger.views.components.status_badges import LOOKS
from debugger.views.components.toolbar import (
    Button,
    DateInput,
    Item,
    Select,
    Spacer,
    TextInput,
    Toggle,
    bar,
)
from debugger.views.help_links import empty_page
from debugger.views.panels.notes import known_tags
from debugger.views.panels.runs.saved import saved_filters
from debugger.views.panels.runs.scope import (
    NOTHING,
    WantedRuns,
    distinct,
    first_page,
    read_day,
    recorded_name,
    runs_state,
)
from debugger.views.times import day_begin, day_end, zone_name

_IN_BAR = {"runs_workflow", "runs_status", "runs_verdict", "runs_text"}
_REST = NOTHING.keys() - _IN_BAR
"""Keys of the filters in the menu."""
_DAYS = {"runs_since", "runs_until"}
_PROBLEMS_HELP = "Only runs with an error, a failed answer, or a warning whose cause is unknown"
_NAMED = "name:"
"""Begins an option that is the name of a scenario; the others are results."""
VERDICT_WORDS = {"pass": "Pass", "fail": "Fail", "unsure": "Unsure", NO_VERDICT: "Without a verdict"}


def run_filters(backend: Backend, names: dict[str, str]) -> WantedRuns:
    """Draw the filters; return their values.

    Args:
        backend: Has the runs.
        names: Workflows by id.
    """
    for key, value in NOTHING.items():
        state.begin_widget(key, value)
    _draw(backend, _with_deleted(backend, names))
    wanted = _wanted(backend)
    runs_state().wanted = wanted
    return wanted


def _with_deleted(backend: Backend, names: dict[str, str]) -> dict[str, str]:
    """Return the names with that of the chosen workflow added, where it was deleted and has runs.

    The names are returned as they are where no workflow is chosen, it is among them, or the backend does not
    answer.
    """
    chosen = state.widget("runs_workflow")
    if not chosen or chosen in names:
        return names
    try:
        found = state.record(BackendCache).ask(
            ("deleted workflow", chosen), lambda: backend.runs(workflow_id=chosen, size=1)
        )
    except DebuggerError:
        return names
    return {run.workflow_id: recorded_name(run) for run in found.rows} | names


def path_chip(wanted: WantedRuns) -> None:
    """Draw the part of the picture whose runs are listed, with the button that removes it.

    Nothing without a part. A press sets `RunsState.path` to ``None`` and shows the first page.
    """
    if wanted.path is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="runs_path"):
        st.badge(plain(f"Only runs that {wanted.path.label}"), icon=":material/route:", color="orange")
        st.button(
            "Remove",
            key="runs_path_clear",
            icon=":material/close:",
            type="tertiary",
            on_click=_clear_path,
            help="Show the runs of the other filters again",
        )


def _clear_path() -> None:
    runs_state().path = None
    first_page()


def _draw(backend: Backend, names: dict[str, str]) -> None:
    """Draw the filters: search, workflow, status and verdict in a bar, others and saved ones in a menu.

    The menu names how many of its filters are set, where both days count once, and a part of the picture too.
    """
    reason = backend.capabilities.reason_against("run_search") or ""
    of_verdict = reason or "The verdict of a reviewer on the run as a whole"
    helped = "All of them must occur in messages, names, tags, notes or comments"
    search = TextInput(
        "runs_text", "Search", "Search words, ids …", ":material/search:", on_change=first_page, help=helped
    )
    items: list[Item] = [
        search,
        _select("workflow", "All workflows", distinct(names)),
        _select("status", "Any status", {status: look.word for status, look in LOOKS.items()}),
        _select("verdict", "Any verdict", {} if reason else VERDICT_WORDS, of_verdict),
        Spacer(),
    ]
    bar("run_filters", items, low=True, width="content")
    # Before the label: what is not an option any more filters nothing.
    rest = _rest(backend, reason)
    in_use = {"days" if key in _DAYS else key for key in _REST if state.widget(key)}
    number = len(in_use) + (runs_state().path is not None)
    with st.popover(f"Filter · {number}" if number else "Filter", key="filter_menu"):
        bar("more_filters", rest)
        saved_filters()


def _rest(backend: Backend, reason: str) -> list[Item]:
    """Return the filters of the menu.

    Args:
        backend: Has the runs.
        reason: Why the backend cannot look for them; empty where it can.
    """
    chosen = state.widget("runs_workflow")
    numbers = _numbers(backend, chosen) if chosen and not reason else []
    of_version = reason or ("" if chosen else "Choose a workflow first")
    zone = f"Days in the time zone {zone_name()}"
    return [
        _select("version", "Any version", {str(each): f"v{each}" for each in numbers}, of_version),
        _select("tag", "Any tag", {} if reason else _tags(), reason),
        _select("scenario", "Any scenario", {} if reason else _scenarios(), reason),
        DateInput("runs_since", "From", zone, first_page),
        DateInput("runs_until", "To", zone, first_page),
        Toggle("runs_problems", "With problems", _PROBLEMS_HELP, on_change=first_page),
        Toggle("runs_starred", "Starred only", reason, bool(reason), first_page),
    ]


def _wanted(backend: Backend) -> WantedRuns:
    """Return the filters as their widgets have them; the widgets have to have values.

    "Starred only" is left out where the backend has no search.
    """
    has_search = not backend.capabilities.reason_against("run_search")
    version, scenario = state.widget("runs_version"), state.widget("runs_scenario")
    search = RunSearch(
        int(version) if version else None,
        day_begin(read_day(state.widget("runs_since"))),
        day_end(read_day(state.widget("runs_until"))),
        state.widget("runs_text"),
        state.widget("runs_tag"),
        state.widget("runs_starred") and has_search,
        verdict=state.widget("runs_verdict"),
        scenario=scenario.removeprefix(_NAMED) if scenario.startswith(_NAMED) else "",
        scenario_outcome="" if scenario.startswith(_NAMED) else scenario,
    )
    workflow, status = state.widget("runs_workflow"), state.widget("runs_status")
    has_problems = bool(state.widget("runs_problems"))
    return WantedRuns(workflow or None, status or None, search, runs_state().path, has_problems)


def clear_button() -> Button:
    """Return the button that clears all filters."""
    return Button("runs_clear", "Clear", clear, icon=":material/filter_alt_off:", look="tertiary")


def nothing_matches() -> None:
    """Draw that the filters find no run, with the button that clears them."""
    with empty_page("No run matches the filters."):
        st.button(
            "Clear the filters",
            key="clear_empty",
            type="primary",
            icon=":material/filter_alt_off:",
            on_click=clear,
        )


def refresh_button() -> Button:
    """Return the button that reads the runs again."""
    expire = state.record(BackendCache).expire
    return Button("runs_refresh", "Refresh", expire, icon=":material/refresh:", look="tertiary", shows="icon")


def _of_scenarios(read: Callable[[ScenarioRuns], list[str]]) -> list[str]:
    """Return names or tags of the scenarios that have runs; none where the store does not answer."""
    try:
        return read(local_store().scenario_runs)
    except DebuggerError:
        return []


def scenario_names() -> list[str]:
    """Return the names of the scenarios that have runs; none where the store does not answer."""
    return _of_scenarios(ScenarioRuns.names)


def _scenarios() -> dict[str, str]:
    """Return the options of the filter of scenarios: results, then names."""
    names = scenario_names()
    options: dict[str, str] = {each: f"Scenarios: {each}" for each in OUTCOMES if names}
    return options | {f"{_NAMED}{name}": name for name in names}


def _tags() -> dict[str, str]:
    return {tag: tag for tag in (*known_tags(), *_of_scenarios(ScenarioRuns.tags))}


def _select(name: str, nothing: str, options: Mapping[str, str], help_text: str = "") -> Select:
    """Return the filter; one that is not an option any more filters nothing.

    Its widget is then set to the empty text. Without options the filter is disabled.
    """
    key = f"runs_{name}"
    if state.widget(key) not in options:
        state.set_widget(key, "")
    return Select(
        key, name.capitalize(), {"": nothing, **options}, "", first_page, disabled=not options, help=help_text
    )


def _numbers(backend: Backend, workflow: str) -> list[int]:
    """Return the versions to choose from, from the cache.

    Where the backend does not answer, as of a deleted workflow, it is only the chosen one, if any.
    """
    try:
        versions = state.record(BackendCache).ask(("versions", workflow), lambda: backend.versions(workflow))
    except DebuggerError:
        held = str(state.widget("runs_version"))
        return [int(held)] if held.isdecimal() else []
    return [version.version_number for version in versions]


def clear() -> None:
    """Let every filter find everything."""
    set_filters(NOTHING)
    runs_state().path = None


def set_filters(values: Mapping[str, Any]) -> None:
    """Set some filters from a callback; the others stay."""
    for key, value in values.items():
        state.set_widget(key, value)
    first_page()

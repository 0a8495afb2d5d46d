"""Filters of the list of runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import streamlit as st

from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.protocol.reviews import VERDICT_VALUES
from debugger.protocol.runs import NO_VERDICT, RunSearch
from debugger.views import state
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import notebook
from debugger.views.components.markdown import plain
from debugger.views.components.status_badges import LOOKS
from debugger.views.panels.runs.saved import saved_filters
from debugger.views.panels.runs.scope import RunFilters, WantedRuns, first_page, runs_state
from debugger.views.times import day_begin, day_end, zone_name

_ANY = ""
NOTHING: dict[str, Any] = {
    "runs_workflow": _ANY,
    "runs_version": None,
    "runs_status": _ANY,
    "runs_verdict": _ANY,
    "runs_since": None,
    "runs_until": None,
    "runs_text": "",
    "runs_tag": _ANY,
    "runs_starred": False,
}
"""For the key of each filter the value that filters nothing.

A filter is set to it, not forgotten: the browser would still hold its value and send it with the next click.
"""
VERDICT_WORDS = {"pass": "Pass", "fail": "Fail", "unsure": "Unsure", NO_VERDICT: "Without a verdict"}


def run_filters(backend: Backend, names: dict[str, str]) -> WantedRuns:
    """Draw the filters; return their values.

    Args:
        backend: Has the runs.
        names: Workflows by id.
    """
    filters = state.record(RunFilters)
    for key, value in {**NOTHING, **filters.values}.items():
        state.begin_widget(key, value)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="run_filters"):
        wanted = _wanted(backend, names)
        st.space("stretch")
        saved_filters(NOTHING)
        st.button("Clear", key="runs_clear", icon=":material/filter_alt_off:", on_click=clear)
        st.button(
            "Refresh",
            key="runs_refresh",
            icon=":material/refresh:",
            on_click=state.record(BackendCache).expire,
        )
    _path_chip(wanted)
    filters.values = {key: state.widget(key) for key in NOTHING if state.widget(key) is not None}
    runs_state().wanted = wanted
    return wanted


def _path_chip(wanted: WantedRuns) -> None:
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


def _wanted(backend: Backend, names: dict[str, str]) -> WantedRuns:
    reason = backend.capabilities.reason_against("run_search")
    text = st.text_input(
        "Words",
        key="runs_text",
        placeholder="Messages, names, notes …",
        icon=":material/search:",
        help="All of them must occur in messages, names, tags, notes or comments",
        width=160,
    )
    workflow = st.selectbox(
        "Workflow",
        [_ANY, *names],
        key="runs_workflow",
        format_func=lambda key: names.get(key, "All workflows"),
        width=160,
    )
    version = _version(backend, workflow, reason)
    status = st.selectbox(
        "Status",
        [_ANY, *LOOKS],
        key="runs_status",
        format_func=lambda key: LOOKS[key].word if key else "Any status",
        width=130,
    )
    verdict = _verdict(reason)
    since, until = _dates()
    tag, starred = _notes(reason)
    search = RunSearch(version, since, until, text, tag, starred, verdict=verdict)
    return WantedRuns(workflow or None, status or None, search, runs_state().path)


def _version(backend: Backend, workflow: str, reason: str | None) -> int | None:
    numbers = _numbers(backend, workflow) if workflow and reason is None else []
    if state.widget("runs_version") not in (None, *numbers):
        state.set_widget("runs_version", None)
    return st.selectbox(
        "Version",
        numbers,
        index=None,
        key="runs_version",
        placeholder="Any",
        format_func=lambda number: f"v{number}",
        disabled=not numbers,
        help=plain(reason) if reason else None if workflow else "Choose a workflow first",
        width=88,
    )


def _numbers(backend: Backend, workflow: str) -> list[int]:
    try:
        versions = state.record(BackendCache).ask(("versions", workflow), lambda: backend.versions(workflow))
    except DebuggerError:
        return []  # the workflow was deleted; its runs are still found by the workflow alone
    return [version.version_number for version in versions]


def _verdict(reason: str | None) -> str:
    found = st.selectbox(
        "Verdict",
        [_ANY, *VERDICT_VALUES, NO_VERDICT],
        key="runs_verdict",
        format_func=lambda value: VERDICT_WORDS.get(value, "Any verdict"),
        disabled=reason is not None,
        help=plain(reason) if reason else "The verdict of a reviewer on the run as a whole",
        width=130,
    )
    return "" if reason else found


def _dates() -> tuple[datetime | None, datetime | None]:
    help_text = f"Days in the time zone {plain(zone_name())}"
    first: date | None = st.date_input(
        "From", None, key="runs_since", format="YYYY-MM-DD", width=124, help=help_text
    )
    last: date | None = st.date_input(
        "To", None, key="runs_until", format="YYYY-MM-DD", width=124, help=help_text
    )
    return day_begin(first), day_end(last)


def _notes(reason: str | None) -> tuple[str, bool]:
    tags = _tags() if reason is None else []
    if state.widget("runs_tag") not in (None, _ANY, *tags):
        state.set_widget("runs_tag", _ANY)
    tag = st.selectbox(
        "Tag",
        [_ANY, *tags],
        key="runs_tag",
        format_func=lambda tag: plain(tag) if tag else "Any tag",
        disabled=reason is not None,
        help=plain(reason) if reason else None,
        width=110,
    )
    starred = st.toggle(
        "Starred only",
        key="runs_starred",
        disabled=reason is not None,
        help=plain(reason) if reason else None,
    )
    return ("", False) if reason else (tag, starred)


def _tags() -> list[str]:
    try:
        return notebook().tags()
    except DebuggerError:
        return []  # the code that lists the runs tells what is wrong with the store


def clear() -> None:
    """Let every filter find everything."""
    set_filters(NOTHING)
    runs_state().path = None


def set_filters(values: Mapping[str, Any]) -> None:
    """Set some filters from a callback; the others stay."""
    for key, value in values.items():
        state.set_widget(key, value)
    state.record(RunFilters).values.update(values)
    first_page()

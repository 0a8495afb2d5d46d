"""The filters of the list of runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.protocol.runs import RunSearch
from debugger.views import state
from debugger.views.backends import notebook
from debugger.views.components.markdown import plain
from debugger.views.components.status_badges import LOOKS

KEYS = (
    "runs_workflow",
    "runs_version",
    "runs_status",
    "runs_since",
    "runs_until",
    "runs_text",
    "runs_tag",
    "runs_starred",
)
_ANY = ""


@dataclass(frozen=True)
class WantedRuns:
    """What a person wants to see."""

    workflow_id: str | None
    status: str | None
    search: RunSearch

    @property
    def is_everything(self) -> bool:
        """Whether nothing is filtered out."""
        return self == WantedRuns(None, None, RunSearch())


def run_filters(backend: Backend, names: dict[str, str]) -> WantedRuns:
    """Draw the filters; what they ask for.

    Args:
        backend: Has the runs.
        names: Workflows by id.
    """
    page = state.page()
    for key, value in page.run_filters.items():
        state.begin_widget(key, value)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="run_filters"):
        wanted = _wanted(backend, names)
        st.space("stretch")
        st.button("Clear", key="runs_clear", icon=":material/filter_alt_off:", on_click=_clear)
        st.button("Refresh", key="runs_refresh", icon=":material/refresh:", on_click=page.answers.expire)
    page.run_filters = {key: state.widget(key) for key in KEYS if state.widget(key) is not None}
    return wanted


def _wanted(backend: Backend, names: dict[str, str]) -> WantedRuns:
    reason = backend.capabilities.reason_against("run_search")
    text = st.text_input(
        "Words",
        key="runs_text",
        placeholder="Said, named or noted …",
        icon=":material/search:",
        help="All of them must be in what was said, or in names, tags, notes and comments",
        width=230,
    )
    workflow = st.selectbox(
        "Workflow",
        [_ANY, *names],
        key="runs_workflow",
        format_func=lambda key: names.get(key, "All workflows"),
        width=210,
    )
    version = _version(backend, workflow, reason)
    status = st.selectbox(
        "Status",
        [_ANY, *LOOKS],
        key="runs_status",
        format_func=lambda key: LOOKS[key].word if key else "Any status",
        width=150,
    )
    since, until = _dates()
    tag, starred = _notes(reason)
    search = RunSearch(version, since, until, text, tag, starred)
    return WantedRuns(workflow or None, status or None, search)


def _version(backend: Backend, workflow: str, reason: str | None) -> int | None:
    numbers = _numbers(backend, workflow) if workflow and reason is None else []
    if state.widget("runs_version") not in (None, *numbers):
        state.forget_widget("runs_version")
    return st.selectbox(
        "Version",
        numbers,
        index=None,
        key="runs_version",
        placeholder="Any",
        format_func=lambda number: f"v{number}",
        disabled=not numbers,
        help=plain(reason) if reason else None if workflow else "Choose a workflow first",
        width=100,
    )


def _numbers(backend: Backend, workflow: str) -> list[int]:
    try:
        versions = state.page().answers.ask(("versions", workflow), lambda: backend.versions(workflow))
    except DebuggerError:
        return []  # the workflow was deleted; its runs are still found by the workflow alone
    return [version.version_number for version in versions]


def _dates() -> tuple[datetime | None, datetime | None]:
    first: date | None = st.date_input("From (UTC)", None, key="runs_since", format="YYYY-MM-DD", width=136)
    last: date | None = st.date_input("To (UTC)", None, key="runs_until", format="YYYY-MM-DD", width=136)
    day_after = last + timedelta(days=1) if last is not None and last < date.max else None
    return _midnight(first), _midnight(day_after)


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)


def _notes(reason: str | None) -> tuple[str, bool]:
    tags = _tags() if reason is None else []
    if state.widget("runs_tag") not in (None, _ANY, *tags):
        state.forget_widget("runs_tag")
    tag = st.selectbox(
        "Tag",
        [_ANY, *tags],
        key="runs_tag",
        format_func=lambda tag: plain(tag) if tag else "Any tag",
        disabled=reason is not None,
        help=plain(reason) if reason else None,
        width=130,
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
        return []  # whoever lists the runs tells what is wrong with the store


def _clear() -> None:
    for key in (*KEYS, "runs_page"):
        state.forget_widget(key)
    state.page().run_filters.clear()

"""List of runs with filters and actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import streamlit as st

from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.protocol.notes import RunLabels
from debugger.protocol.runs import Run, RunSearch
from debugger.views import state
from debugger.views.auth.permissions import on_click
from debugger.views.backends import notebook
from debugger.views.components.markdown import count, plain
from debugger.views.components.status_badges import LOOKS
from debugger.views.components.tables import ROW, table_height
from debugger.views.panels import notes
from debugger.views.panels.notes import marks_form
from debugger.views.url_state import CompareAddress, RunPlace

TABLE_KEY = "runs"
_IDS_KEY = "run_ids"
_MOST_ROWS = 18


def clicked_run() -> str | None:
    """Return the clicked run once, before the list is drawn again."""
    held = state.widget(TABLE_KEY)
    cells = held["selection"]["cells"] if held else []
    if not cells:
        return None
    state.forget_widget(TABLE_KEY)
    found: str = state.widget(_IDS_KEY)[cells[0][0]]
    return found


def chosen_runs(rows: Sequence[Run]) -> list[str]:
    """Return the ticked runs in the list's order.

    Boxes move along with their rows.
    """
    held, before = state.widget(TABLE_KEY), state.widget(_IDS_KEY, [])
    ids = [row.workflow_run_id for row in rows]
    ticked = {before[place] for place in held["selection"]["rows"]} if held else set()
    if held and ids != before:
        places = [place for place, run_id in enumerate(ids) if run_id in ticked]
        state.set_widget(TABLE_KEY, {"selection": {"rows": places, "columns": [], "cells": []}})
    state.set_widget(_IDS_KEY, ids)
    return [run_id for run_id in ids if run_id in ticked]


def run_table(rows: Sequence[Run], names: Mapping[str, str], marks: Mapping[str, RunLabels]) -> None:
    """Draw the rows."""
    words = [LOOKS[row.status].word for row in rows]
    noted = [marks.get(row.workflow_run_id, RunLabels()) for row in rows]
    tags = sorted({tag for mark in noted for tag in mark.tags})
    st.dataframe(
        {
            "star": ["★" if mark.starred else "" for mark in noted],
            "began": [(row.created_at or "").replace("T", " ")[:19] for row in rows],
            "workflow": [names.get(row.workflow_id, row.workflow_id) for row in rows],
            "version": [row.version_number for row in rows],
            "status": [[word] for word in words],
            "turns": [(row.model_extra or {}).get("turn_count") for row in rows],
            "tags": [mark.tags for mark in noted],
            "note": [" ".join(mark.note.split()) for mark in noted],
            "by": [row.run_by or "" for row in rows],
            "parent": [_parent(row) for row in rows],
            "id": [row.workflow_run_id for row in rows],
        },
        key=TABLE_KEY,
        hide_index=True,
        row_height=ROW,
        height=table_height(len(rows), _MOST_ROWS),
        on_select="rerun",
        selection_mode=["multi-row", "single-cell"],
        column_config=_columns(sorted(set(words)), tags),
        alt="Runs, the newest first",
    )


def _parent(run: Run) -> str:
    source, index = run.source_workflow_run_id, run.checkpoint_source_turn_index
    if not source:
        return ""
    return f"…{source[-6:]}" if index is None else f"…{source[-6:]} · turn {index + 1}"


def _columns(words: Sequence[str], tags: Sequence[str]) -> dict[str, Any]:
    columns = st.column_config
    colours = {look.word: look.colour for look in LOOKS.values()}
    return {
        "star": columns.TextColumn("Star", width=46, help="★: somebody gave it a star"),
        "began": columns.TextColumn("Began (UTC)", width=146),
        "workflow": columns.TextColumn("Workflow", width=160),
        "version": columns.NumberColumn("Version", width=62),
        "status": columns.MultiselectColumn(
            "Status", width=120, options=list(words), color=[colours[word] for word in words]
        ),
        "turns": columns.NumberColumn("Turns", width=56, help="Turns, and pieces of background work"),
        "tags": columns.MultiselectColumn("Tags", width=104, options=list(tags)),
        "note": columns.TextColumn("Note", width=136),
        "by": columns.TextColumn("Run by", width=66),
        "parent": columns.TextColumn("Forked from", width=112, help="The run that it is a fork of"),
        "id": columns.TextColumn("Run id", width=200),
    }


def run_actions(chosen: Sequence[str], marks: Mapping[str, RunLabels], total: int) -> str | None:
    """Draw the actions; return the run to open, once."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="run_actions"):
        # From the left: the table's own tools appear above its right end.
        wants_open = st.button(
            "Open", key="open_chosen", icon=":material/open_in_new:", disabled=len(chosen) != 1, help=_ONE
        )
        _star(chosen, marks)
        _marks(chosen, marks)
        wants_comparison = st.button(
            "Compare",
            key="compare_chosen",
            icon=":material/difference:",
            disabled=len(chosen) != 2,
            help="Put two chosen runs side by side",
        )
        hint = f"{len(chosen)} of them chosen." if chosen else "Click a row to open it; tick boxes for more."
        st.caption(f"{count(total, 'run')}. {hint}", width="content")
    if wants_comparison:
        _compare(chosen)
    return chosen[0] if wants_open else None


_ONE = "Choose one run by its box"


def _star(chosen: Sequence[str], marks: Mapping[str, RunLabels]) -> None:
    has_all = bool(chosen) and all(run_id in marks and marks[run_id].starred for run_id in chosen)
    st.button(
        "Unstar" if has_all else "Star",
        key="star_chosen",
        icon=":material/star:",
        args=(list(chosen),),
        kwargs={"starred": not has_all},
        **on_click(notes.star, disabled=not chosen, help="Find it again with “Starred only”"),
    )


def _marks(chosen: Sequence[str], marks: Mapping[str, RunLabels]) -> None:
    with st.popover(
        "Tags and note", icon=":material/sell:", disabled=len(chosen) != 1, help=_ONE, key="marks_chosen"
    ):
        if len(chosen) == 1:
            marks_form(chosen[0], marks.get(chosen[0], RunLabels()))


def _compare(chosen: Sequence[str]) -> None:
    page = state.page()
    later, earlier = (RunPlace(page.backend_name, run_id).text("embedded") for run_id in chosen)
    st.switch_page(page.links["compare"], query_params=CompareAddress(earlier, later).to_parameters())


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
    """Filters of the list."""

    workflow_id: str | None
    status: str | None
    search: RunSearch

    @property
    def is_everything(self) -> bool:
        """Return whether nothing is filtered out."""
        return self == WantedRuns(None, None, RunSearch())


def run_filters(backend: Backend, names: dict[str, str]) -> WantedRuns:
    """Draw the filters; return their values.

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
        return []  # the code that lists the runs tells what is wrong with the store


def _clear() -> None:
    for key in (*KEYS, "runs_page"):
        state.forget_widget(key)
    state.page().run_filters.clear()

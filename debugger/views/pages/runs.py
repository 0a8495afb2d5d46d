"""The page that lists the runs of the backend."""

from __future__ import annotations

import streamlit as st

from debugger.backends.base import Backend, Page
from debugger.errors import DebuggerError
from debugger.protocol.notes import RunLabels
from debugger.protocol.runs import Run
from debugger.views import actions, navigation, state
from debugger.views.backends import current_backend, notebook
from debugger.views.components.error_box import show_error
from debugger.views.components.markdown import count
from debugger.views.panels.recordings import recording_upload
from debugger.views.panels.run_list import (
    WantedRuns,
    chosen_runs,
    clicked_run,
    run_actions,
    run_filters,
    run_table,
)

_PAGE_SIZE = 50


def render() -> None:
    """Draw the page."""
    page = state.page()
    st.markdown("### Runs")
    try:
        backend = current_backend()
    except DebuggerError as error:
        show_error(error)
        st.page_link(page.links["connection"], label="Open Connection", icon=":material/cable:")
        _other_ways()
        return
    names = _workflow_names(backend)
    wanted = run_filters(backend, names)
    _other_ways()
    _list(backend, names, wanted)
    if page.error is not None:
        show_error(page.error)


def _workflow_names(backend: Backend) -> dict[str, str]:
    answers = state.page().answers
    try:
        rows = answers.ask(("workflows",), lambda: backend.workflows())
    except DebuggerError:
        rows = answers.last(("workflows",)) or []
    return {row.id: row.label for row in rows}


def _other_ways() -> None:
    with st.container(horizontal=True, gap="small", key="other_ways"):
        _open_by_id()
        if recording_upload():
            _show_run()


def _open_by_id() -> None:
    with (
        st.expander("Open a run by its id", icon=":material/tag:", type="compact", key="open_by_id"),
        st.form("run_by_id", border=False),
    ):
        run_id = st.text_input("Run id", key="run_id_typed", placeholder="24 hex digits")
        if st.form_submit_button("Open run", key="open_typed") and run_id.strip():
            _open(run_id.strip())


def _list(backend: Backend, names: dict[str, str], wanted: WantedRuns) -> None:
    number = state.widget("runs_page", 1)
    found = _found(backend, wanted, number)
    if found.unread:
        st.caption(
            f":material/hourglass_top: {count(found.unread, 'older run')} could not be read in time. "
            "Press Refresh to search on."
        )
    if not found.rows:
        _empty(wanted)
        return
    marks = _marks([row.workflow_run_id for row in found.rows])
    opened = clicked_run()
    opened = run_actions(chosen_runs(found.rows), marks, found.total) or opened
    run_table(found.rows, names, marks)
    if opened:
        _open(opened)
    pages = -(-found.total // _PAGE_SIZE)
    if pages > 1:
        st.pagination(pages, key="runs_page")
    if state.page().backend_name == "hosted":
        st.caption("Stars, tags, notes and comments stay on this machine; the API is not told of them.")


def _found(backend: Backend, wanted: WantedRuns, number: int) -> Page[Run]:
    answers = state.page().answers
    question = ("runs", wanted, number)
    answers.expire(question)  # runs come and go by the minute
    try:
        return answers.ask(
            question,
            lambda: backend.runs(
                workflow_id=wanted.workflow_id,
                status=wanted.status,
                search=None if wanted.is_everything else wanted.search,
                page=number,
                size=_PAGE_SIZE,
            ),
        )
    except DebuggerError as error:
        show_error(error)
        return answers.last(question) or Page([], 0)


def _marks(run_ids: list[str]) -> dict[str, RunLabels]:
    try:
        return notebook().marks(run_ids)
    except DebuggerError as error:
        show_error(error)
        return {}


def _empty(wanted: WantedRuns) -> None:
    if not wanted.is_everything:
        st.caption("No run matches. Press “Clear” to see every run.")
        return
    st.caption("Every run of this backend appears here, the newest first. There is none yet.")
    st.page_link(state.page().links["debug"], label="Start one", icon=":material/play_arrow:")


def _open(run_id: str) -> None:
    actions.open_run(run_id)
    if state.page().error is None:
        _show_run()


def _show_run() -> None:
    st.switch_page(state.page().links["debug"], query_params=navigation.current_address().to_parameters())

"""The page that lists the runs of the backend."""

from __future__ import annotations

import streamlit as st

from debugger.backends.base import Backend, Page
from debugger.errors import DebuggerError
from debugger.protocol.runs import Run
from debugger.views import actions, navigation, state
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend, current_backend, local_notes, local_store
from debugger.views.components.error_box import show_backend_error, show_error, show_failures
from debugger.views.components.markdown import count
from debugger.views.components.toolbar import SegmentedControl, bar
from debugger.views.connections import HostedConnection
from debugger.views.help_links import empty_state
from debugger.views.panels.exports import export_dialog
from debugger.views.panels.recordings import recording_upload
from debugger.views.panels.runs import filters
from debugger.views.panels.runs.actions import compare_requested, run_actions
from debugger.views.panels.runs.deletion import deleted_run_box, deleted_runs, deletion_dialog, undo_bar
from debugger.views.panels.runs.erasure import erasure_dialog
from debugger.views.panels.runs.picture import draw_runs_chart
from debugger.views.panels.runs.rows import RowFacts, chosen_runs, clicked_run, run_table
from debugger.views.panels.runs.saved import saved_filters
from debugger.views.panels.runs.scope import (
    WantedRuns,
    connection_of_runs,
    first_page,
    ids_of,
    page_key,
    rows_of,
    runs_on_path,
    runs_state,
    summaries_of,
    workflow_names,
)
from debugger.views.panels.runs.statistics import statistics_view
from debugger.views.state import LastAction, PageLinks

_PAGE_SIZE = 50
_READ_SECONDS = 1.0
"""Seconds that a list spends on summaries of runs that have none yet."""
_VIEW_KEY = "runs_view"
_VIEWS = {"list": "List", "statistics": "Statistics", "deleted": "Deleted"}


def render() -> None:
    """Draw the page."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="runs_head"):
        st.markdown("### Runs", width="content")
        view = _view()
        tools = st.container(horizontal=True, horizontal_alignment="right")
    try:
        backend = current_backend()
    except DebuggerError as error:
        show_backend_error(error)
        _other_ways()
        return
    if view == "deleted":
        deleted_runs()
    else:
        with tools:
            saved_filters()
        _runs(backend, view)
    show_failures()
    deletion_dialog()
    erasure_dialog()
    export_dialog()
    runs_state().notice = ""


def _view() -> str:
    views = [name for name in _VIEWS if name != "deleted" or state.record(CurrentBackend).name == "embedded"]
    state.begin_widget(_VIEW_KEY, "list")
    if state.widget(_VIEW_KEY) not in views:
        state.set_widget(_VIEW_KEY, "list")
    bar("runs_views", [SegmentedControl(_VIEW_KEY, "View", views, _VIEWS)], low=True, width="content")
    return str(state.widget(_VIEW_KEY))


def _runs(backend: Backend, view: str) -> None:
    names = workflow_names(backend)
    wanted = filters.run_filters(backend, names)
    if view == "statistics":
        statistics_view(backend, wanted)
        return
    _other_ways()
    deleted_run_box()
    undo_bar()
    draw_runs_chart(backend, wanted, names)
    _list(backend, names, wanted)


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
    number = state.widget(page_key(), 1)
    found = _found(backend, wanted, number)
    if found.unread:
        st.caption(
            f":material/hourglass_top: {count(found.unread, 'older run')} could not be read in time. "
            "Press Refresh to continue the search."
        )
    if not found.rows and number > 1:  # the filters were changed, and find fewer pages
        first_page()
        st.rerun()
    if not found.rows:
        _empty(wanted)
        return
    facts = _facts(backend, names, wanted, found.rows)
    compare_requested()
    if opened := clicked_run():
        _open(opened)
    run_actions(chosen_runs(found.rows), facts.marks, found.total)
    run_table(found.rows, facts)
    pages = -(-found.total // _PAGE_SIZE)
    if pages > 1:
        st.pagination(pages, key=page_key())
    _foot(found.rows, facts)


def _foot(rows: list[Run], facts: RowFacts) -> None:
    missing = len(rows) - len(facts.summaries)
    if missing:
        st.caption(f"Messages and durations of {count(missing, 'run')} are still to be read. Press Refresh.")
    if state.record(CurrentBackend).name == "hosted":
        st.caption(
            "Stars, tags, notes, comments and verdicts stay on this machine; they are not sent to the API."
        )


def _found(backend: Backend, wanted: WantedRuns, number: int) -> Page[Run]:
    answers = state.record(BackendCache)
    question = ("runs", wanted, number)
    answers.expire(question)  # runs come and go by the minute
    try:
        if wanted.needs_summaries:
            found = answers.ask(question, lambda: runs_on_path(backend, wanted, _READ_SECONDS))
            return rows_of(found, number, _PAGE_SIZE)
        return answers.ask(question, lambda: wanted.page(backend, number, _PAGE_SIZE))
    except DebuggerError as error:
        show_error(error)
        return answers.last(question) or Page([], 0)


def _facts(backend: Backend, names: dict[str, str], wanted: WantedRuns, rows: list[Run]) -> RowFacts:
    ids, current = ids_of(rows), state.record(CurrentBackend)
    place = state.record(HostedConnection).name if current.name == "hosted" else backend.name
    try:
        store = local_store()
        words = wanted.search.words if current.name == "embedded" else []
        return RowFacts(
            names,
            place,
            local_notes().marks(ids),
            summaries_of(backend).read(rows, _READ_SECONDS),
            store.reviews.verdicts(ids, connection=connection_of_runs()),
            store.snippets.read_snippets(ids, words) if words else {},
        )
    except DebuggerError as error:
        show_error(error)
        return RowFacts(names, place)


def _empty(wanted: WantedRuns) -> None:
    if not wanted.is_everything:
        st.caption("No run matches. Press “Clear” to see every run.")
        st.button(
            "Clear the filters", key="clear_empty", icon=":material/filter_alt_off:", on_click=filters.clear
        )
        return
    empty_state("Every run of this backend appears here, the newest first. There is none yet.", "first_run")
    st.page_link(state.record(PageLinks).by_name["debug"], label="Start a run", icon=":material/play_arrow:")


def _open(run_id: str) -> None:
    if _is_deleted(run_id):
        runs_state().deleted_run = run_id
        st.rerun()
    actions.open_run(run_id)
    if state.record(LastAction).error is None:
        _show_run()


def _is_deleted(run_id: str) -> bool:
    if state.record(CurrentBackend).name != "embedded":
        return False
    try:
        return local_store().hidden.find(run_id) is not None
    except DebuggerError:
        return False  # to open the run tells what is wrong


def _show_run() -> None:
    st.switch_page(
        state.record(PageLinks).by_name["debug"], query_params=navigation.current_address().to_parameters()
    )

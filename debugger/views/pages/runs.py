"""The page that lists the runs of the backend."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from debugger.backends.base import Backend, Page
from debugger.errors import DebuggerError
from debugger.protocol.runs import Run
from debugger.views import actions, navigation, state
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend, current_backend, local_notes, local_store
from debugger.views.components.error_box import show_backend_error, show_error, show_failures
from debugger.views.components.markdown import count
from debugger.views.components.toolbar import Button, Item, Text, bar
from debugger.views.connections import HostedConnection
from debugger.views.help_links import empty_page
from debugger.views.panels.exports import export_dialog
from debugger.views.panels.recordings import recording_upload
from debugger.views.panels.replays.start import start_dialog
from debugger.views.panels.runs import filters
from debugger.views.panels.runs.actions import compare_requested, open_export, run_actions
from debugger.views.panels.runs.address import follow_address, show_address
from debugger.views.panels.runs.deletion import (
    deleted_run_box,
    deleted_runs,
    deletion_dialog,
    show_deleted,
    show_list,
    undo_bar,
)
from debugger.views.panels.runs.erasure import erasure_dialog
from debugger.views.panels.runs.picture import draw_history, draw_runs_chart
from debugger.views.panels.runs.rows import RowFacts, chosen_runs, clicked_run, run_table
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
from debugger.views.panels.runs.statistics import is_without_runs, show_statistics, statistics_view
from debugger.views.state import LastAction, PageLinks

_PAGE_SIZE = 50
_READ_SECONDS = 1.0
"""Seconds that a list spends on summaries of runs that have none yet."""


def render() -> None:
    """Draw the page Runs: the list, the statistics or the deleted runs, and the dialog that is open.

    Without a usable backend it draws the menu and the error. The notice is removed once it is drawn.
    """
    held, head = runs_state(), st.container(horizontal=True, vertical_alignment="center", key="runs_head")
    try:
        backend = current_backend()
    except DebuggerError as error:
        with head:
            _open_menu()
        show_backend_error(error)
        return
    if held.view == "deleted" and _is_embedded():
        with head:
            bar("runs_back", [_list_button()], low=True, width="content")
        deleted_runs()
    else:
        _runs(backend, head)
    show_failures()
    deletion_dialog()
    erasure_dialog()
    export_dialog()
    start_dialog()
    held.notice = ""


def _is_embedded() -> bool:
    return state.record(CurrentBackend).name == "embedded"


def _list_button() -> Button:
    return Button("show_list", "List", show_list, icon=":material/list:", look="tertiary")


def _runs(backend: Backend, head: DeltaGenerator) -> None:
    """Draw head and list of the runs, or their statistics; the address is followed and updated."""
    names = workflow_names(backend)
    follow_address()
    with head:
        wanted = filters.run_filters(backend, names)
        tools = st.container(
            horizontal=True, horizontal_alignment="right", vertical_alignment="center", key="runs_tools"
        )
    show_address()
    filters.path_chip(wanted)
    if runs_state().view == "statistics":
        with tools:
            _tools(wanted, 0 if is_without_runs(backend, wanted) else None)
        draw_runs_chart(backend, wanted, names)
        statistics_view(backend, wanted)
        return
    deleted_run_box()
    draw_history(backend, wanted)
    _list(backend, names, wanted, tools)


def _tools(wanted: WantedRuns, total: int | None) -> None:
    """Draw the end of the head.

    Args:
        wanted: The filters.
        total: The number of runs that they find; ``None`` where it is not shown.
    """
    items: list[Item] = [] if wanted.is_everything else [filters.clear_button()]
    if total is not None:
        items.append(Text(count(total, "run"), key="runs_count"))
    items.append(filters.refresh_button())
    is_list = runs_state().view == "list"
    statistics = Button("show_statistics", "Statistics", show_statistics, look="tertiary")
    items.append(statistics if is_list else _list_button())
    bar("runs_tools_bar", items, low=True, width="content")
    _open_menu()
    export = Button(
        "export_found",
        "Export",
        open_export,
        ("found",),
        look="primary",
        disabled=total == 0,
        help="There is no run to export" if total == 0 else "All runs that the filters find, as one file",
    )
    bar("runs_export", [export], low=True, width="content")


def _open_menu() -> None:
    """Draw the menu that opens a run by its id or a recording, and shows the deleted runs.

    A run that was opened is shown on the page Debug, which ends this run of the script. A blank id does
    nothing.
    """
    with st.popover("Open", key="open_menu"):
        with st.form("run_by_id", border=False):
            run_id = st.text_input("Run id", key="run_id_typed", placeholder="24 hex digits")
            is_typed = st.form_submit_button("Open run", key="open_typed")
        if is_typed and run_id.strip():
            _open(run_id.strip())
        if recording_upload():
            _show_run()
        if _is_embedded():
            st.button("Deleted runs", key="show_deleted", icon=":material/delete:", on_click=show_deleted)


def _list(backend: Backend, names: dict[str, str], wanted: WantedRuns, tools: DeltaGenerator) -> None:
    """Draw a page of the runs that the filters find, and what can be done with the ticked ones.

    A clicked run is opened, see `_open`. Where the page number is beyond the last page, the first page is
    chosen and the page reruns. Where the runs cannot be read, nothing is said of their number.
    """
    number = state.widget(page_key(), 1)
    found = _found(backend, wanted, number)
    if found is None:
        with tools:
            _tools(wanted, None)
        return
    if not found.rows and number > 1:  # the filters were changed, and find fewer pages
        first_page()
        st.rerun()
    with tools:
        _tools(wanted, found.total)
    compare_requested()
    if opened := clicked_run():
        _open(opened)
    if found.unread:
        _continue_reading(f"{count(found.unread, 'older run')} could not be read in time.")
    ticked = chosen_runs(found.rows)
    if not found.rows:
        _empty(wanted)
    else:
        facts = _facts(backend, names, wanted, found.rows)
        run_table(found.rows, facts)
        pages = -(-found.total // _PAGE_SIZE)
        if pages > 1:
            st.pagination(pages, key=page_key())
        _foot(found.rows, facts)
    if runs_state().undo or runs_state().notice or ticked:
        with st.container(key="runs_float", gap="xsmall"):
            undo_bar()
            if notice := runs_state().notice:
                st.caption(notice)
            if ticked:
                run_actions(ticked, facts.marks, found.total)


def _foot(rows: list[Run], facts: RowFacts) -> None:
    """Draw what is missing in the rows, and for the hosted API what stays on this machine."""
    missing = len(rows) - len(facts.summaries)
    if missing:
        _continue_reading(f"Messages and durations of {count(missing, 'run')} are not read yet.")
    if state.record(CurrentBackend).name == "hosted":
        st.caption(
            "Stars, tags, notes, comments and verdicts stay on this machine; they are not sent to the API."
        )


def _continue_reading(words: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(words, width="content")
        st.button("Continue reading", on_click=state.record(BackendCache).expire, type="tertiary")


def _found(backend: Backend, wanted: WantedRuns, number: int) -> Page[Run] | None:
    """Return a page of the runs that the filters find, read from the backend each time.

    An error is drawn, and the last answer is returned, or ``None`` without one.
    """
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
        last: Page[Run] | None = answers.last(question)
        return last


def _facts(backend: Backend, names: dict[str, str], wanted: WantedRuns, rows: list[Run]) -> RowFacts:
    """Return what is known of runs besides their records; summaries are read for a second at most.

    An error is drawn, and the facts are then empty but for names and place.
    """
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
            store.scenario_runs.outcomes(ids),
        )
    except DebuggerError as error:
        show_error(error)
        return RowFacts(names, place)


def _empty(wanted: WantedRuns) -> None:
    """Draw why there is no run.

    Without filters a button that leads to the page Debug follows, else one that clears them.
    """
    if not wanted.is_everything:
        filters.nothing_matches()
        return
    with empty_page("The runs of this backend appear here, and there is none yet.", "pages#runs"):
        navigation.start_button()


def _open(run_id: str) -> None:
    """Open a run, and show it on the page Debug, which ends this run of the script.

    A deleted run is offered for restoring instead, and the page reruns. Where it cannot be opened, the error
    is in `LastAction` and the page stays.
    """
    if _is_deleted(run_id):
        runs_state().deleted_run = run_id
        st.rerun()
    actions.open_run(run_id)
    if state.record(LastAction).error is None:
        _show_run()


def _is_deleted(run_id: str) -> bool:
    """Return whether a run of the embedded engine is deleted; false where the store cannot be read."""
    if not _is_embedded():
        return False
    try:
        return local_store().hidden.find(run_id) is not None
    except DebuggerError:
        return False  # to open the run tells what is wrong


def _show_run() -> None:
    st.switch_page(
        state.record(PageLinks).by_name["debug"], query_params=navigation.current_address().to_parameters()
    )

"""The page that lists the runs of the backend."""

from __future__ import annotations

import streamlit as st

from debugger.backends.base import Backend, Page
from debugger.errors import DebuggerError
from debugger.protocol.runs import Run
from debugger.views import commands, linking, state
from debugger.views.backends import current_backend
from debugger.views.parts.faults import show_error
from debugger.views.parts.heights import ROW, table_height
from debugger.views.parts.plain import count
from debugger.views.parts.status import LOOKS

_PAGE_SIZE = 50
_TABLE_KEY = "runs"
_IDS_KEY = "run_ids"
_ANY = ""


def render() -> None:
    """Draw the page."""
    page = state.page()
    st.markdown("### Runs")
    try:
        backend = current_backend()
    except DebuggerError as error:
        show_error(error)
        st.page_link(page.links["connection"], label="Open Connection", icon=":material/cable:")
        return
    names = _workflow_names(backend)
    workflow, status = _filters(names)
    _open_by_id()
    _list(backend, names, workflow, status)
    if page.error is not None:
        show_error(page.error)


def _workflow_names(backend: Backend) -> dict[str, str]:
    """Names by id; the last that were known where the backend fails, since the list tells of that."""
    answers = state.page().answers
    try:
        rows = answers.ask(("workflows",), lambda: backend.workflows())
    except DebuggerError:
        rows = answers.last(("workflows",)) or []
    return {row.id: row.label for row in rows}


def _filters(names: dict[str, str]) -> tuple[str, str]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        workflow = st.selectbox(
            "Workflow",
            [_ANY, *names],
            key="runs_workflow",
            format_func=lambda key: names.get(key, "All workflows"),
            width=320,
        )
        status = st.selectbox(
            "Status",
            [_ANY, *LOOKS],
            key="runs_status",
            format_func=lambda key: LOOKS[key].word if key else "Any status",
            width=200,
        )
        st.space("stretch")
        st.button(
            "Refresh", key="runs_refresh", icon=":material/refresh:", on_click=state.page().answers.expire
        )
    return workflow, status


def _open_by_id() -> None:
    with (
        st.expander("Open a run by its id", type="compact", key="open_by_id"),
        st.form("run_by_id", border=False),
    ):
        run_id = st.text_input("Run id", key="run_id_typed", placeholder="24 hex digits")
        if st.form_submit_button("Open run", key="open_typed") and run_id.strip():
            _open(run_id.strip())


def _list(backend: Backend, names: dict[str, str], workflow: str, status: str) -> None:
    answers = state.page().answers
    number = state.widget("runs_page", 1)
    question = ("runs", workflow, status, number)
    answers.expire(question)  # runs come and go by the minute
    try:
        found: Page[Run] = answers.ask(
            question,
            lambda: backend.runs(
                workflow_id=workflow or None, status=status or None, page=number, size=_PAGE_SIZE
            ),
        )
    except DebuggerError as error:
        show_error(error)
        found = answers.last(question) or Page([], 0)
    if not found.rows:
        _empty(filtered=bool(workflow or status))
        return
    _table(found, names)
    pages = -(-found.total // _PAGE_SIZE)
    if pages > 1:
        st.pagination(pages, key="runs_page")


def _empty(*, filtered: bool) -> None:
    if filtered:
        st.caption("No run matches. Choose “All workflows” and “Any status” to see every run.")
        return
    st.caption("Every run of this backend appears here, the newest first. There is none yet.")
    st.page_link(state.page().links["debug"], label="Start one", icon=":material/play_arrow:")


def _table(found: Page[Run], names: dict[str, str]) -> None:
    rows = found.rows
    words = [LOOKS[row.status].word for row in rows]
    chips = sorted(set(words))
    colours = {look.word: look.colour for look in LOOKS.values()}
    state.set_widget(_IDS_KEY, [row.workflow_run_id for row in rows])
    st.caption(f"{count(found.total, 'run')}. Choose a row to open it.")
    picked = st.dataframe(
        {
            "began": [_moment(row.created_at) for row in rows],
            "workflow": [names.get(row.workflow_id, row.workflow_id) for row in rows],
            "version": [row.version_number for row in rows],
            "status": [[word] for word in words],
            "turns": [(row.model_extra or {}).get("turn_count") for row in rows],
            "by": [row.run_by or "" for row in rows],
            "id": [row.workflow_run_id for row in rows],
        },
        key=_TABLE_KEY,
        hide_index=True,
        row_height=ROW,
        height=table_height(len(rows), 20),
        on_select="rerun",
        selection_mode="single-cell",
        column_config={
            "began": st.column_config.TextColumn("Began (UTC)", width=170),
            "workflow": st.column_config.TextColumn("Workflow", width="large"),
            "version": st.column_config.NumberColumn("Version", width=70),
            "status": st.column_config.MultiselectColumn(
                "Status", width=150, options=chips, color=[colours[chip] for chip in chips]
            ),
            "turns": st.column_config.NumberColumn(
                "Turns", width=60, help="Turns, and pieces of background work"
            ),
            "by": st.column_config.TextColumn("Run by", width="small"),
            "id": st.column_config.TextColumn("Run id", width=220),
        },
        alt="Runs, the newest first",
    )
    cells = picked["selection"]["cells"]
    if cells:
        state.forget_widget(_TABLE_KEY)
        _open(state.widget(_IDS_KEY)[cells[0][0]])


def _moment(written: str | None) -> str:
    return (written or "").replace("T", " ")[:19]


def _open(run_id: str) -> None:
    commands.open_run(run_id)
    page = state.page()
    if page.error is None:
        st.switch_page(page.links["debug"], query_params=linking.current_address().to_parameters())

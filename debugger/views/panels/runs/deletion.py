"""Deletion of runs that can be restored for some days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from debugger.errors import DebuggerError, UnsupportedError
from debugger.settings import read_settings
from debugger.store import Role
from debugger.store.hidden_runs import HiddenRun
from debugger.views import state
from debugger.views.actions import action
from debugger.views.audit import audit
from debugger.views.auth import permissions
from debugger.views.auth.permissions import on_click
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend, local_store
from debugger.views.components.error_box import show_error, show_unexpected_errors
from debugger.views.components.markdown import count, plain
from debugger.views.components.tables import ROW, table_height
from debugger.views.components.toolbar import Button, Item, Text, bar
from debugger.views.confirmations import OpenQuestions
from debugger.views.panels.runs.scope import chosen_ids, click_key, runs_state, take_click
from debugger.views.times import shown_time, zone_name

_MAX_LISTED = 500
_MOST_ROWS = 14
_TABLE_KEY = "deleted_runs"


@action(role=Role.ADMIN)
def ask_to_delete() -> None:
    """Open the question whether to delete the chosen runs."""
    check_embedded()
    runs_state().deleting = chosen_ids()


def check_embedded() -> None:
    """Refuse to delete runs of another backend.

    Raises:
        UnsupportedError: The page works with a hosted API or a recording.
    """
    if state.record(CurrentBackend).name != "embedded":
        raise UnsupportedError(
            "The platform documents no call that deletes a run.", advice="Delete it on the platform itself."
        )


def deletion_dialog() -> None:
    """Draw the question while it is open."""
    if runs_state().deleting and not state.record(OpenQuestions).is_open:
        _dialog()


def _close() -> None:
    runs_state().deleting = []


@st.dialog("Delete runs?", icon=":material/delete:", on_dismiss=_close)
@show_unexpected_errors("The dialog")
def _dialog() -> None:
    ids = runs_state().deleting
    if not ids:
        st.rerun()  # only that closes a dialog
    days = read_settings().keep_deleted_days
    st.markdown(f"**{count(len(ids), 'run')}** will be in no list, search and statistic any more.")
    st.caption(
        f"They can be restored for {days:g} days, under “Deleted runs”; then they are deleted for good. "
        "“Delete every trace” of one run deletes personal data at once."
    )
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            f"Delete {count(len(ids), 'run')}",
            key="delete_runs",
            type="primary",
            icon=":material/delete:",
            **on_click(delete),
        )
        st.button("Cancel", key="keep_runs", on_click=_close)


@action(role=Role.ADMIN)
def delete() -> None:
    """Hide the runs that the dialog asks about from all lists; until they are erased it can be undone."""
    held = runs_state()
    ids, held.deleting = held.deleting, []
    if not ids:
        return  # a second press
    check_embedded()
    hidden = local_store().hidden.hide(ids, permissions.current_user().name)
    for run_id in hidden:
        audit("delete run", run_id, backend="embedded")
    held.undo, held.notice = hidden, ""
    _forget_lists()


def undo_bar() -> None:
    """Draw the way back right after a deletion."""
    held = runs_state()
    if not held.undo:
        return
    items: list[Item] = [
        Text(f"{count(len(held.undo), 'run')} deleted."),
        Button("undo_runs", "Undo", restore, (list(held.undo),), icon=":material/undo:", look="tertiary"),
        Button("dismiss_undo", "Dismiss", _dismiss_undo, icon=":material/close:", look="tertiary"),
    ]
    bar("undo_delete", items, low=True)


def _dismiss_undo() -> None:
    runs_state().undo = []


@action(role=Role.ADMIN)
def restore(run_ids: Sequence[str]) -> None:
    """Bring deleted runs back into the lists."""
    number = local_store().hidden.restore(run_ids)
    for run_id in run_ids:
        audit("restore run", run_id, backend="embedded")
    held = runs_state()
    held.undo, held.deleted_run = [], ""
    held.notice = f"{count(number, 'run')} restored."
    take_click()
    _forget_lists()


def _forget_lists() -> None:
    state.record(BackendCache).expire()
    runs_state().counted = None


def deleted_runs() -> None:
    """Draw the runs that can be restored."""
    try:
        rows, total = local_store().hidden.newest(_MAX_LISTED)
        days = read_settings().keep_deleted_days
    except DebuggerError as error:
        show_error(error)
        return
    if not rows:
        st.caption(f"Deleted runs can be restored here for {days:g} days, and there is none.")
        st.button("Show the runs", key="back_to_runs", icon=":material/list:", on_click=show_list)
        return
    held = state.widget(click_key(_TABLE_KEY))
    places = held["selection"]["rows"] if held else []
    chosen = [rows[place].run_id for place in places if place < len(rows)]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="deleted_actions"):
        st.button(
            "Restore",
            key="restore_runs",
            icon=":material/restore_from_trash:",
            args=(chosen,),
            **on_click(restore, disabled=not chosen, help="Tick runs by their boxes"),
        )
        more = f"; the newest {len(rows):,} are listed" if total > len(rows) else ""
        st.caption(
            f"{count(total, 'deleted run')}{more}. Each goes for good {days:g} days after its deletion, when "
            "the app or the server starts, or by the command `prune`.",
            width="content",
        )
    _table(rows)


def _table(rows: Sequence[HiddenRun]) -> None:
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    zone = f"In the time zone {zone_name()}"
    columns: dict[str, tuple[Any, Callable[[HiddenRun], Any]]] = {
        "deleted": (text("Deleted", width=146, help=zone), lambda row: shown_time(row.hidden_at)),
        "by": (text("By", width=110), lambda row: row.hidden_by),
        "workflow": (text("Workflow", width=200), lambda row: row.workflow_name or row.workflow_id),
        "version": (number("Version", width=62, format="v%d"), lambda row: row.version_number),
        "turns": (
            number("Turns", width=56, help="Steps of background work count, too"),
            lambda row: row.turn_count,
        ),
        "began": (text("Started", width=146, help=zone), lambda row: shown_time(row.created_at)),
        "id": (text("Run id", width=200), lambda row: row.run_id),
    }
    st.dataframe(
        {name: [cell(row) for row in rows] for name, (_, cell) in columns.items()},
        key=click_key(_TABLE_KEY),
        hide_index=True,
        row_height=ROW,
        height=table_height(len(rows), _MOST_ROWS),
        on_select="rerun",
        selection_mode="multi-row",
        column_config={name: column for name, (column, _) in columns.items()},
        alt="Deleted runs that can be restored, the last deleted first",
    )


def show_deleted() -> None:
    """Show the deleted runs in place of the list."""
    runs_state().view = "deleted"


def show_list() -> None:
    """Show the list of runs again."""
    runs_state().view = "list"


def deleted_run_box() -> None:
    """Draw the way to restore a deleted run that was opened."""
    run_id = runs_state().deleted_run
    if not run_id:
        return
    found = local_store().hidden.find(run_id)
    if found is None:
        runs_state().deleted_run = ""
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="deleted_run"):
        st.warning(
            plain(f"Run {run_id} was deleted by {found.hidden_by} on {shown_time(found.hidden_at)}."),
            icon=":material/delete:",
        )
        st.button(
            "Restore it",
            key="restore_run",
            icon=":material/restore_from_trash:",
            args=([run_id],),
            **on_click(restore),
        )

"""Deletion of runs that can be restored for some days."""

from __future__ import annotations

from collections.abc import Sequence
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
from debugger.views.components.rows import Column, Columns, rows_list, table
from debugger.views.components.toolbar import Button, Item, Text, bar
from debugger.views.confirmations import OpenQuestions
from debugger.views.help_links import empty_page
from debugger.views.panels.runs.scope import chosen_ids, runs_state
from debugger.views.times import shown_time, zone_name

_MAX_LISTED = 500
_MOST_ROWS = 14


@action(role=Role.ADMIN)
def ask_to_delete() -> None:
    """Open the question whether to delete the chosen runs.

    An error is stored in `LastAction`, not raised, as of another backend than the embedded engine.
    """
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
    """Draw the question whether to delete the runs, with the buttons "Delete" and "Cancel".

    Without runs to delete, the page is rerun, which closes the dialog.
    """
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
    """Hide the runs that the dialog asks about from all lists; until they are erased it can be undone.

    Each run that was not hidden before is audited and can be brought back by `undo_bar`. Without runs, as by
    a second press, nothing happens. An error is stored in `LastAction`; the dialog is closed in any case.
    """
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
    """Draw how many runs were just deleted, with the buttons to restore them and to dismiss the bar.

    Nothing is drawn unless `RunsState.undo` has runs.
    """
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
    """Bring deleted runs back into the lists, audit that, and report how many were hidden.

    Ticks of deleted runs, the bar that undoes a deletion and the box of an opened run are forgotten. An error
    is stored in `LastAction`, not raised.
    """
    number = local_store().hidden.restore(run_ids)
    for run_id in run_ids:
        audit("restore run", run_id, backend="embedded")
    held = runs_state()
    held.undo, held.deleted_run = [], ""
    held.notice = f"{count(number, 'run')} restored."
    held.ticked_deleted = []
    _forget_lists()


def _forget_lists() -> None:
    state.record(BackendCache).expire()
    runs_state().counted = None


def deleted_runs() -> None:
    """Draw the runs that can be restored, the last deleted first, with the button that restores ticked ones.

    The newest `_MAX_LISTED` are listed. Without any, a caption and the button back to the list are drawn;
    where they cannot be read, the error.
    """
    try:
        rows, total = local_store().hidden.newest(_MAX_LISTED)
        days = read_settings().keep_deleted_days
    except DebuggerError as error:
        show_error(error)
        return
    if not rows:
        with empty_page(f"Deleted runs can be restored here for {days:g} days, and there is none."):
            st.button(
                "Show the runs",
                key="back_to_runs",
                type="primary",
                icon=":material/list:",
                on_click=show_list,
            )
        return
    ticked = runs_state().ticked_deleted
    chosen = [row.run_id for row in rows if row.run_id in ticked]
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
    _table(rows, chosen)


def _table(rows: Sequence[HiddenRun], chosen: Sequence[str]) -> None:
    """Draw the deleted runs as a table; its boxes write `RunsState.ticked_deleted`."""
    zone = f"In the time zone {zone_name()}"
    columns: Columns[HiddenRun] = [
        (Column("tick", "Tick all", 34, "check"), lambda row: (f"Tick {row.run_id}", row.run_id in chosen)),
        (Column("deleted", "Deleted", 146, help=zone), lambda row: shown_time(row.hidden_at)),
        (Column("by", "By", 110), lambda row: row.hidden_by),
        (Column("workflow", "Workflow", 200, grows=True), lambda row: row.workflow_name or row.workflow_id),
        (Column("version", "Version", 62, "number"), lambda row: f"v{row.version_number}"),
        (
            Column("turns", "Turns", 56, "number", help="Steps of background work count, too"),
            lambda row: str(row.turn_count),
        ),
        (Column("began", "Started", 146, help=zone), lambda row: shown_time(row.created_at)),
        (Column("id", "Run id", 200), lambda row: row.run_id),
    ]
    shown = table("Deleted runs, the last deleted first", rows, columns, lambda row: row.run_id)
    rows_list("deleted_runs", shown, on_choose=_tick_one, on_use=_tick, most=_MOST_ROWS)


@action()
def _tick_one(run_id: Any) -> None:
    """Tick a run that is not, and the other way round; nothing for ``None`` or an empty id."""
    held = runs_state()
    if run_id in held.ticked_deleted:
        held.ticked_deleted = [each for each in held.ticked_deleted if each != run_id]
    elif run_id:
        held.ticked_deleted = [*held.ticked_deleted, str(run_id)]


@action()
def _tick(ticked: Any, _column: str, _: Any) -> None:
    if isinstance(ticked, list):
        runs_state().ticked_deleted = ticked


def show_deleted() -> None:
    """Show the deleted runs in place of the list."""
    runs_state().view = "deleted"


def show_list() -> None:
    """Show the list of runs again."""
    runs_state().view = "list"


def deleted_run_box() -> None:
    """Draw who deleted the run that was opened and when, with the button that restores it.

    Nothing without such a run; one that is not hidden any more is forgotten.

    Raises:
        DebuggerError: The store cannot be read.
    """
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

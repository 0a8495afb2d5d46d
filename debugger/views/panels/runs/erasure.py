"""Deletion of every trace of a run, as for personal data."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from debugger.errors import InputError
from debugger.store import Role
from debugger.views import actions, state
from debugger.views.actions import action
from debugger.views.audit import audit
from debugger.views.auth.permissions import on_click
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import local_store
from debugger.views.components.error_box import show_unexpected_errors
from debugger.views.components.markdown import count, plain
from debugger.views.confirmations import OpenQuestions
from debugger.views.panels.compare.actions import CompareState
from debugger.views.panels.notes import forget_labels
from debugger.views.panels.presets import ReusedInputs
from debugger.views.panels.review.actions import forget_runs
from debugger.views.panels.runs.deletion import check_embedded
from debugger.views.panels.runs.scope import Erasure, runs_state
from debugger.views.run_state import CurrentRun
from debugger.views.run_view import forget_views

_FORKS_KEY, _SURE_KEY = "erased_forks", "erasure_is_sure"


@action(role=Role.ADMIN)
def ask_to_erase() -> None:
    """Open the question whether to delete every trace of the ticked run, with its forks to choose from.

    An error is stored in `LastAction`, not raised: the backend is another than the embedded engine, or not
    one run is ticked and alone chosen.
    """
    check_embedded()
    ticked, scope = runs_state().ticked, runs_state().scope
    if scope != "ticked" or len(ticked) != 1:
        raise InputError("Every trace is deleted of one run at a time.", advice="Tick one run by its box.")
    forks = local_store().forks.copies(ticked[0])
    stored = local_store().forks.statuses(forks)
    present = {fork: turns for fork, turns in forks.items() if fork in stored}
    runs_state().erasing = Erasure(ticked[0], present)
    state.set_widget(_SURE_KEY, False)
    state.set_widget(_FORKS_KEY, [])


def erasure_dialog() -> None:
    """Draw the question while it is open."""
    if runs_state().erasing is not None and not state.record(OpenQuestions).is_open:
        _dialog()


def _close() -> None:
    runs_state().erasing = None


@st.dialog("Delete every trace?", icon=":material/delete_forever:", width="medium", on_dismiss=_close)
@show_unexpected_errors("The dialog")
def _dialog() -> None:
    """Draw what is deleted and what is not, the forks to delete too, and the buttons "Delete" and "Cancel".

    The first is disabled until the box "I am sure" is ticked. Without a run to erase, the page is rerun,
    which closes the dialog.
    """
    erasing = runs_state().erasing
    if erasing is None:
        st.rerun()  # only that closes a dialog
    st.markdown(f"Run **{plain(erasing.run_id)}** is deleted at once, and cannot be restored.")
    st.caption(
        "Deleted are its record, interrupted turns, search index, summary, notes, tags, comments, ratings, "
        "verdicts, debug set-up and the origins of its forks, also from the database’s file."
    )
    st.caption(
        "Not covered: backups of the database, exported files, saved inputs (presets), demo scripts, "
        "other runs whose nodes have read this one, logs of a database server, and the audit list, which "
        "names the run by its id without any of its texts."
    )
    _forks(erasing)
    is_sure = st.checkbox("I am sure", key=_SURE_KEY)
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            "Delete every trace",
            key="erase_runs",
            type="primary",
            icon=":material/delete_forever:",
            **on_click(erase, disabled=not is_sure, help=None if is_sure else "Tick “I am sure” first"),
        )
        st.button("Cancel", key="keep_run", on_click=_close)


def _forks(erasing: Erasure) -> None:
    """Draw the choice of the forks that are deleted too, and what each has copied; a caption without any."""
    if not erasing.forks:
        st.caption("No run was forked from it.")
        return
    st.multiselect(
        "Runs forked from it that are deleted too",
        list(erasing.forks),
        key=_FORKS_KEY,
        format_func=lambda run_id: f"{run_id} · copied {count(erasing.forks[run_id], 'turn')}",
        placeholder="None: they keep the turns that they copied",
    )
    st.caption(
        "Forked runs hold copies: "
        + plain(", ".join(f"{run_id} {count(turns, 'turn')}" for run_id, turns in erasing.forks.items()))
        + "."
    )


@action(role=Role.ADMIN)
def erase() -> None:
    """Delete every trace of the run, and of the chosen forks, and audit each of them.

    What this process has in memory of runs is dropped first. Without a run nothing happens. An error, as of a
    turn in progress, is stored in `LastAction`; the dialog is closed in any case.
    """
    held = runs_state()
    erasing, held.erasing = held.erasing, None
    if erasing is None:
        return
    check_embedded()
    ids = [erasing.run_id, *state.widget(_FORKS_KEY, [])]
    _forget(ids)
    is_complete = local_store().erase_runs(ids)
    for run_id in ids:
        audit("erase run", run_id, backend="embedded")
    held.undo = [run_id for run_id in held.undo if run_id not in ids]
    held.notice = f"Every trace of {count(len(ids), 'run')} deleted."
    if not is_complete:
        held.notice += " Another program reads the database: its file is cleaned once that program has ended."


def _forget(run_ids: Sequence[str]) -> None:
    """Drop what this process has in memory of these runs, and caches of any run.

    One that is on view is closed. The runs of the page Compare, answers of backends, and counted statistics
    are read again.
    """
    compared, run, reused = state.record(CompareState), state.record(CurrentRun), state.record(ReusedInputs)
    if run.session is not None and run.session.run_id in run_ids:
        actions.show(None)
    state.record(BackendCache).clear()
    reused.histories.clear()
    reused.sources.clear()
    compared.runs.clear()
    compared.seen = None
    forget_views()
    forget_runs(run_ids)
    forget_labels()
    runs_state().counted = None

"""Copy of a recorded state into the initial state of a run input."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from debugger.analysis.exported_state import exported_state
from debugger.errors import DebuggerError
from debugger.protocol.runs import Run
from debugger.protocol.turn_logs import TurnLog, turn_logs
from debugger.session.run_input import RunInputModel
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import state
from debugger.views.actions import command
from debugger.views.auth.permissions import on_click, requires
from debugger.views.backend_cache import BackendCache
from debugger.views.components.markdown import plain
from debugger.views.state import LastAction
from debugger.views.times import shown_time

_MOST_RUNS = 20


def state_copy(session: DebugSession, model: RunInputModel) -> None:
    """Draw the choice of a recorded state to copy.

    Args:
        session: The run on view; offered first.
        model: The input that takes the state.
    """
    runs = _runs(session)
    if not runs:
        st.caption("Once the workflow has runs, the state after any of their turns can be copied here.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xxsmall", key="state_copy"):
        run_id = st.selectbox(
            "Copy from run", list(runs), key=f"copy_run_{session.run_id}", format_func=runs.__getitem__
        )
        turns = _turns(session, run_id)
        numbers = list(dict.fromkeys(turn.number for turn in turns))
        number = st.selectbox(
            "After turn",
            numbers,
            index=len(numbers) - 1 if numbers else None,
            key=f"copy_turn_{run_id}",
            width=96,
        )
        st.button(
            "Copy",
            key="copy_state",
            icon=":material/content_copy:",
            args=(model, turns, number),
            **on_click(
                _copy,
                disabled=number is None,
                help="Use the state of that run after that turn",
            ),
        )


def _runs(session: DebugSession) -> dict[str, str]:
    own = {session.run_id: "The run on view"} if session.run_id and not session.busy else {}
    return {
        **own,
        **{run.workflow_run_id: _called(run) for run in _recent(session) if run.workflow_run_id not in own},
    }


def _recent(session: DebugSession) -> list[Run]:
    question = ("recent runs", session.workflow_id)
    backend = session.backend
    try:
        page = state.record(BackendCache).ask(
            question, lambda: backend.runs(workflow_id=session.workflow_id, size=_MOST_RUNS)
        )
    except DebuggerError:
        return []  # the pages that need the list tell why it cannot be had
    return page.rows


def _called(run: Run) -> str:
    began = shown_time(run.created_at)
    return plain(f"{began} · {run.workflow_run_id[-6:]}")


def _turns(session: DebugSession, run_id: str) -> Sequence[TurnLog]:
    if run_id == session.run_id:
        return session.turns
    try:
        return state.record(BackendCache).ask(
            ("turns", run_id), lambda: turn_logs(session.backend.run(run_id))
        )
    except DebuggerError as error:
        state.record(LastAction).error = error
        return []


@command
@requires(Role.RUN)
def _copy(model: RunInputModel, turns: Sequence[TurnLog], number: int) -> None:
    try:
        model.set_key("initial_state", exported_state(turns, number))
    except DebuggerError as error:
        state.record(LastAction).error = error
    state.renew_editors()

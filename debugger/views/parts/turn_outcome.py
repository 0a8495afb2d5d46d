"""What became of the last turn, and what other clients have done with the run."""

from __future__ import annotations

import time

import streamlit as st

from debugger.backends.base import TurnProgress
from debugger.session.record_sync import PendingTurn
from debugger.session.session import DebugSession
from debugger.views import commands, state
from debugger.views.parts.plain import count, plain
from debugger.views.reading import Reading

_MAX_MESSAGE = 120


def other_clients(now: Reading) -> None:
    """Draw what other clients have done with the run, and the notice of the last turn."""
    session = now.session
    if session.notice:
        with _box("turn_notice"):
            st.markdown(f":material/mark_email_read: {plain(session.notice)}", width="stretch")
    if session.is_deleted:
        with _box("run_deleted"):
            st.markdown(
                ":material/delete: **Another client has deleted this run.** "
                "Its turns are still on view; nothing can be sent.",
                width="stretch",
            )
    elif session.newer_turns:
        _newer_turns(session)
    elif _executes_elsewhere(session):
        revision = session.revision
        number = f" {revision.turn_number}" if revision and revision.turn_number else ""
        with _box("turn_elsewhere"):
            st.markdown(
                f":material/group: **Another client is executing turn{number} of this run.** "
                "It can be loaded once it is over.",
                width="stretch",
            )
            _follow_switch(session)


def pending_turn(now: Reading) -> None:
    """Draw what can be done with a message of which nothing tells whether it was executed."""
    pending = now.session.pending
    if pending is None:
        return
    with _box("pending_turn", horizontal=False):
        st.markdown(f":material/help: **{_pending_title(pending)}** {plain(_pending_reason(pending))}")
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Check now",
                key="check_now",
                icon=":material/refresh:",
                type="primary",
                on_click=commands.check_now,
                help="Read the run's record for the message",
            )
            st.button(
                "Send again (may run twice)",
                key="send_again_pending",
                icon=":material/redo:",
                on_click=commands.send_again,
                help="If the first one was executed after all, the workflow gets the message twice",
            )
            st.button(
                "Discard",
                key="discard_pending",
                icon=":material/close:",
                on_click=commands.discard_pending,
                help="Give the message up; if the record has it after all, it is shown",
            )


def progress_text(session: DebugSession) -> str:
    """Return what is done with the message besides executing it; empty while it is just executed."""
    progress = session.progress
    if progress is None or progress.phase == "executing":
        return ""
    left = seconds_left(progress)
    if progress.phase == "retrying":
        when = f" Sending again in {left} s." if left else " Sending again."
        return f"Not sent yet: {progress.message}{when}"
    limit = f" ({left} s left)" if left else ""
    return f"The answer was lost. Looking for the message in the run's record …{limit}"


def seconds_left(progress: TurnProgress) -> int:
    """Return the whole seconds until the phase ends at the latest; 0 where that is not known."""
    return max(round(progress.until - time.monotonic()), 0) if progress.until is not None else 0


def _newer_turns(session: DebugSession) -> None:
    number = session.newer_turns
    with _box("newer_turns"):
        st.markdown(
            f":material/group: **{count(number, 'new turn')} from another client.** "
            "This page does not show them yet, and no message runs on top of turns that are not shown.",
            width="stretch",
        )
        st.button(
            "Load",
            key="load_newer",
            icon=":material/download:",
            type="primary",
            on_click=commands.load_newer,
        )
        _follow_switch(session)


def _follow_switch(session: DebugSession) -> None:
    state.set_widget(commands.FOLLOW_KEY, session.follows)
    st.toggle(
        "Follow",
        key=commands.FOLLOW_KEY,
        on_change=commands.follow,
        help="Load turns of other clients as they come",
    )


def _executes_elsewhere(session: DebugSession) -> bool:
    revision = session.revision
    is_idle = not session.busy and not session.is_stepping and session.pending is None
    return is_idle and revision is not None and revision.turn_number is not None


def _pending_title(pending: PendingTurn) -> str:
    message = pending.message[:_MAX_MESSAGE]
    return (
        f"Not known whether “{plain(message)}” was executed."
        if message
        else "Not known what became of the turn."
    )


def _pending_reason(pending: PendingTurn) -> str:
    looks = (
        f" Looked {count(pending.checks, 'time')} since; the page keeps looking." if pending.checks else ""
    )
    return f"{pending.error.message}{looks}"


def _box(key: str, *, horizontal: bool = True) -> st.delta_generator.DeltaGenerator:
    return st.container(border=True, key=key, horizontal=horizontal, vertical_alignment="center")

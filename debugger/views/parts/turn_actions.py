"""What can be done with the turn on view: fork from it, or send the inputs up to it again."""

from __future__ import annotations

import streamlit as st

from debugger.session.session import DebugSession
from debugger.views import fork_commands, linking, state
from debugger.views.parts.fork_dialog import fork_dialog
from debugger.views.parts.plain import plain
from debugger.views.reading import Reading


def turn_actions(now: Reading) -> None:
    """Draw the buttons in a line, and the dialog that one of them opens."""
    session = now.session
    forward = session.forward
    if forward is not None and forward.is_under_way and forward.total > 1:
        _progress(session)
        return
    number = linking.turn_of(session, state.page().event)
    fork_button(session, number, "fork_turn")
    reason = _reason(session, number)
    st.button(
        "Send again",
        key="send_again",
        icon=":material/fast_forward:",
        type="tertiary",
        on_click=fork_commands.send_again,
        args=(number,),
        disabled=reason is not None,
        help=plain(
            reason
            or f"Fast-forward: a new run is given the recorded inputs up to turn {number}, then it is yours"
        ),
    )
    if forward is not None and forward.problem:
        st.caption(plain(forward.problem), width="content")
    fork_dialog(now)


def fork_button(session: DebugSession, number: int | None, key: str) -> None:
    """Draw the button that prepares a fork.

    Args:
        session: The run on view.
        number: The turn that the fork begins with; ``None`` before there is one.
        key: The button's.
    """
    reason = _reason(session, number)
    exact = session.backend.capabilities.reason_against("exact_fork")
    told = "Another run from here, with the same or changed input; this one is kept"
    st.button(
        f"Fork from turn {number}" if number else "Fork",
        key=key,
        icon=":material/fork_right:",
        type="tertiary",
        on_click=fork_commands.open_fork,
        args=(number,),
        disabled=reason is not None,
        help=plain(reason or (f"{told}. {exact}" if exact else told)),
    )


def _reason(session: DebugSession, number: int | None) -> str | None:
    """Why nothing can be done with the turn; ``None`` where it can."""
    if reason := session.backend.capabilities.reason_against("run_turns"):
        return reason
    if number is None or session.run_id is None:
        return "Once a turn is over, it can be forked and sent again."
    return "The turn is still running." if session.busy else None


def _progress(session: DebugSession) -> None:
    forward = session.forward
    assert forward is not None
    word = "Stopping after" if forward.stopping else "Fast-forward: input"
    st.progress(
        forward.done / forward.total,
        f"{word} {min(forward.done + 1, forward.total)} of {forward.total}",
        width=260,
    )
    st.button(
        "Take over",
        key="take_over",
        icon=":material/front_hand:",
        type="tertiary",
        on_click=fork_commands.take_over,
        disabled=forward.stopping,
        help="Send nothing more; after the turn under way the run is yours",
    )

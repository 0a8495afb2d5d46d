"""Banner of an interrupted turn that is not in the record."""

from __future__ import annotations

import streamlit as st

from debugger.protocol.json_codec import decode
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.session.session import DebugSession
from debugger.store import Role, UnfinishedTurn
from debugger.views import actions, state
from debugger.views.actions import command, run_command
from debugger.views.auth.permissions import on_click, requires
from debugger.views.backends import notebook
from debugger.views.components.markdown import count, plain
from debugger.views.run_view import RunView

_LONGEST = 120


def interrupted_turn(view: RunView) -> None:
    """Draw it, with what can be done."""
    turn = view.session.interrupted_turn
    if turn is None:
        return
    message = _message(turn)
    said = f" after “{message[:_LONGEST]}”" if message else ""
    number = len(decode(turn.events_json))
    with st.container(border=True, key="cut_off", horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":material/power_off: **A turn was begun{plain(said)} and is not in the record.** "
            f"It got as far as {count(number, 'event')}. Either it still stands in another tab, or the "
            "program ended before it did: the run stands at its last finished turn.",
            width="stretch",
        )
        st.button(
            "Write it again",
            key="write_again",
            icon=":material/edit:",
            args=(message,),
            **on_click(write_again, disabled=not message, help="Put the message into the box"),
        )
        st.button(
            "Forget it",
            key="forget_turn",
            icon=":material/close:",
            **on_click(forget_turn),
        )


def _message(turn: UnfinishedTurn) -> str:
    return TurnLog(0, TurnInput.from_wire(decode(turn.input_json))).message


@command
@requires(Role.RUN)
def write_again(message: str) -> None:
    """Put the message of the interrupted turn into the box."""
    state.set_widget(actions.DRAFT_KEY, message)
    forget_turn()


@run_command
def forget_turn(session: DebugSession) -> None:
    """Let go of a turn that was cut off."""
    if session.interrupted_turn is not None:
        notebook().forget_unfinished(session.interrupted_turn.run_id)
        session.interrupted_turn = None

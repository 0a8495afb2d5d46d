"""What can be done at a chosen node: run to it, stand still at it."""

from __future__ import annotations

import streamlit as st

from debugger.session.session import DebugSession
from debugger.views import refresh
from debugger.views.auth.permissions import on_click
from debugger.views.components.markdown import plain
from debugger.views.panels import stepping_commands
from debugger.views.run_view import Reading


def node_actions(now: Reading, node_id: str) -> None:
    """Draw the buttons of a node."""
    session = now.session
    reason = session.backend.capabilities.reason_against("pause_mid_turn")
    is_set = any(
        point.target == node_id and point.kind in ("before", "after") for point in session.breakpoints.points
    )
    with st.container(horizontal=True, gap="xsmall", key="node_actions"):
        st.button(
            "Run to here",
            key="run_to",
            icon=":material/keyboard_tab:",
            args=(node_id,),
            **on_click(
                refresh.redrawing("look", stepping_commands.run_to),
                disabled=reason is not None or not _can_go(session),
                help=plain(reason) if reason else "Go on, and stand still before this node runs",
            ),
        )
        st.button(
            "Remove breakpoint" if is_set else "Break before",
            key="break_here",
            icon=":material/radio_button_checked:",
            args=(("before", "after"), node_id),
            **on_click(
                refresh.redrawing("look", stepping_commands.toggle_breakpoint),
                help="Stand still before this node runs",
            ),
        )


def _can_go(session: DebugSession) -> bool:
    return session.stop_point is not None or session.status == "not_started"

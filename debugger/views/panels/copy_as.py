"""A turn as code that runs it again."""

from __future__ import annotations

import streamlit as st

from debugger.backends.hosted import HostedBackend
from debugger.exports.code import CODE_FORMATS, LOCAL_BASE_URL, turn_call
from debugger.protocol.turn_logs import TurnLog
from debugger.session.session import DebugSession
from debugger.views.components.markdown import plain


def copy_as(session: DebugSession, turn: TurnLog) -> None:
    """Draw a popover with the call of a turn in each language; each has a button that copies it."""
    with st.popover("Copy as …", icon=":material/code:", key="copy_as"):
        base_url = session.backend.base_url if isinstance(session.backend, HostedBackend) else LOCAL_BASE_URL
        call = turn_call(turn, base_url, session.workflow_id, session.run_id, session.version_number)
        where = "" if base_url != LOCAL_BASE_URL else " Start a server for it: python -m debugger serve."
        st.caption(plain(f"The key is left out: set INTERACTLY_API_KEY.{where}"))
        for (language, write), tab in zip(CODE_FORMATS.values(), st.tabs(list(CODE_FORMATS)), strict=True):
            with tab:
                st.code(write(call), language=language, height=320)

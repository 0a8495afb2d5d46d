"""What is said of a run that comes out of a file."""

from __future__ import annotations

import streamlit as st

from debugger.backends.recorded import RecordedBackend
from debugger.session.session import DebugSession
from debugger.views.components.markdown import plain
from debugger.views.panels import recording_commands


def recording_banner(session: DebugSession) -> None:
    """Draw it above a recording; above anything else draw nothing."""
    backend = session.backend
    if not isinstance(backend, RecordedBackend):
        return
    file = backend.file
    made = f" It ran on: {file.engine}." if file.engine else ""
    when = f" Saved {file.exported_at.replace('T', ' ')[:16]} UTC." if file.exported_at else ""
    graph = (
        ""
        if session.workflow.node_configs
        else " The file holds no workflow, so the graph is drawn from the path."
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="recording_banner"):
        st.badge("Recording", icon=":material/movie:", color="violet")
        st.caption(
            plain(f"You look at a run out of a file; nothing can be run here.{made}{when}{graph}"),
            width="stretch",
        )
        st.button(
            "Leave the recording",
            key="leave_recording",
            icon=":material/logout:",
            on_click=recording_commands.leave_recording,
            help="Go back to the embedded engine",
        )

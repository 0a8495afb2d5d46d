"""The opening of a run out of a file."""

from __future__ import annotations

import streamlit as st

from debugger.views import state
from debugger.views.panels import recording_commands


def recording_upload() -> bool:
    """Draw the choice of a file and the button that opens it; whether it was opened."""
    with st.expander(
        "Open a run from a file", icon=":material/upload_file:", type="compact", key="recording"
    ):
        st.caption(
            "A file that Export › Run as JSON has made, or a run’s record as the API answers it. It is shown "
            "as it was, without the backend it came from, in this tab; its notes are added to yours."
        )
        file = st.file_uploader(
            "Run (JSON)", type=["json"], key=f"recording_{state.page().recordings}", max_upload_size=200
        )
        if not st.button(
            "Open recording", key="open_recording", icon=":material/play_circle:", disabled=file is None
        ):
            return False
    if file is not None:
        recording_commands.open_recording(file.getvalue())
    return state.page().error is None

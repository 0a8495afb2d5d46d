"""Runs out of files: banner, upload and actions."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from debugger.backends.recorded import RecordedBackend
from debugger.protocol.file_limits import RUN_FILE
from debugger.protocol.run_file import read_run_file
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import actions, state
from debugger.views.actions import action
from debugger.views.auth.permissions import may
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend, local_notes, local_store
from debugger.views.components.markdown import plain
from debugger.views.components.uploads import upload_file
from debugger.views.panels.notes import author
from debugger.views.state import LastAction


@dataclass
class _RecordingUploads:
    """Opened files with a recorded run."""

    count: int = 0
    """The number of files; part of the uploader's key."""


def recording_banner(session: DebugSession) -> None:
    """Draw the banner of a run from a file, with the button to leave it; nothing for other runs."""
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
            plain(f"You are viewing a run from a file; nothing can be run here.{made}{when}{graph}"),
            width="stretch",
        )
        st.button(
            "Leave the recording",
            key="leave_recording",
            icon=":material/logout:",
            on_click=leave_recording,
            help="Go back to the embedded engine",
        )


def recording_upload() -> bool:
    """Draw the upload of a file; return whether it was opened.

    It is opened by the button, which is disabled without a file. False without a press; an error in the file
    is kept in `LastAction`, and gives false as well.
    """
    key = f"recording_{state.record(_RecordingUploads).count}"
    file = upload_file(
        "Run file (JSON)",
        RUN_FILE,
        ["json"],
        key,
        help="Of the export, or a run's record as the API returns it. It opens in this tab only, without the "
        "backend that it came from; its notes and verdicts are added to yours.",
    )
    if not st.button(
        "Open recording", key="open_recording", icon=":material/play_circle:", disabled=file is None
    ):
        return False
    if file is not None:
        open_recording(file.getvalue())
    return state.record(LastAction).error is None


@action()
def open_recording(data: bytes) -> None:
    """Show the run of a file.

    An administrator also adds its notes and verdicts to those of the store.

    The authors that a file names are not verified, so that others could pass for each other by it.
    """
    recording = RecordedBackend(read_run_file(data))
    if may(Role.ADMIN):
        local_notes().add_imported(recording.run_id, recording.file.notes)
        local_store().reviews.add_imported(recording.run_id, recording.file.verdicts, by=author())
    current = state.record(CurrentBackend)
    current.recording = recording
    state.record(_RecordingUploads).count += 1  # a new key: the uploader is empty again
    current.name = "recording"
    state.record(BackendCache).clear()
    actions.open_run(recording.run_id)


@action()
def leave_recording() -> None:
    """Go back to the embedded engine; the file can be opened again."""
    actions.choose_backend("embedded")
    state.record(CurrentBackend).recording = None

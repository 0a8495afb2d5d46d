"""What the controls of recordings do: runs out of files."""

from __future__ import annotations

from debugger.backends.recorded import RecordedBackend
from debugger.protocol.run_file import read_run_file
from debugger.store import Role
from debugger.views import actions, state
from debugger.views.actions import command
from debugger.views.auth.permissions import may
from debugger.views.backends import notebook


@command
def open_recording(data: bytes) -> None:
    """Show the run of a file; an administrator adds the notes in it to those of the store.

    The authors that a file names are not verified, so that others could pass for each other by it.
    """
    recording = RecordedBackend(read_run_file(data))
    if may(Role.ADMIN):
        notebook().take_in(recording.run_id, recording.file.notes)
    page = state.page()
    page.recording = recording
    page.recordings += 1  # a new key: the uploader is empty again
    page.backend_name = "recording"
    page.answers.clear()
    actions.open_run(recording.run_id)


@command
def leave_recording() -> None:
    """Go back to the embedded engine; the file can be opened again."""
    actions.choose_backend("embedded")
    state.page().recording = None

"""Dialog that edits the script which answers for a workflow's models."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.embedded.model_selection import save_script, script_revision, script_text
from debugger.errors import InputError
from debugger.protocol.file_limits import SCRIPT_FILE
from debugger.scenarios.scripts import script_names, script_problems, script_template
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.store.edited_files import file_revision
from debugger.views import state
from debugger.views.actions import action
from debugger.views.audit import audit
from debugger.views.auth.permissions import on_click
from debugger.views.components.error_box import show_failures, show_unexpected_errors
from debugger.views.components.markdown import plain
from debugger.views.components.script_editor import MAX_CHARACTERS, script_editor, sent_text
from debugger.views.components.side_dialog import dialog_footer, side_dialog
from debugger.views.components.toolbar import Button
from debugger.views.components.uploads import content_of, upload_file
from debugger.views.confirmations import OpenQuestions
from debugger.views.edits import Place, see, store_edit
from debugger.views.panels.scenarios.record import ScenarioRecord
from debugger.views.run_state import CurrentRun


def script_button(session: DebugSession) -> Button:
    """Return the button that opens the script of the workflow; disabled but for the embedded engine."""
    is_embedded = isinstance(session.backend, EmbeddedBackend)
    return Button(
        "script",
        "Script …",
        show_script,
        icon=":material/code:",
        disabled=not is_embedded,
        help="Edit the rules that answer for the workflow's models"
        if is_embedded
        else "Only the embedded engine answers by a script",
    )


@action()
def show_script() -> None:
    """Open the dialog with the script of the workflow on view, or with a template where it has none.

    Nothing happens without a session of the embedded engine. An error is stored in `LastAction`, not raised.
    """
    held, session = state.record(ScenarioRecord), state.record(CurrentRun).session
    if session is not None and isinstance(session.backend, EmbeddedBackend):
        folder = session.backend.settings.scripts_folder
        logical_id = session.workflow.config.logical_id
        see(_place(session), script_revision(logical_id, folder))  # before it is read, so never too new
        own = script_text(logical_id, folder)
        held.script = own or script_template(session.workflow)
        held.generation += 1


def close_script() -> None:
    """Leave the dialog; what was not saved is gone."""
    state.record(ScenarioRecord).script = None


def script_dialog() -> None:
    """Draw the dialog while it is open."""
    if state.record(ScenarioRecord).script is not None and not state.record(OpenQuestions).is_open:
        side_dialog("Script", icon=":material/code:", on_dismiss=close_script)(_body)()


@show_unexpected_errors("The dialog")
def _body() -> None:
    """Draw the upload, the editor, the problems of the script, and the button that saves it.

    The button is disabled while there is a problem. Where the dialog was closed, or a question opened, the
    page is rerun.
    """
    held, session = state.record(ScenarioRecord), state.record(CurrentRun).session
    if held.script is None or session is None or state.record(OpenQuestions).is_open:
        st.rerun()  # only that closes a dialog
    with st.container(key="script_dialog", gap="small"):
        st.caption(
            "Rules in YAML, tried from top to bottom, that answer for the models of this workflow. Names of "
            "nodes, edges and tools are offered while you type, or with Ctrl + Space."
        )
        file = upload_file("Upload a script", SCRIPT_FILE, ["yaml", "yml"], f"script_file_{held.generation}")
        if file is not None and file.file_id != held.script_file:
            _upload(file)
        page = held.generation, held.script_file
        names = script_names(session.workflow)
        script_editor("script_text", "Script", held.script, names, _edit, page=page)
        problems = script_problems(held.script, session.workflow)
        for problem in problems:
            st.error(plain(problem), icon=":material/error:")
        if not problems:
            st.caption(":green[:material/check_circle: No problems found.]")
        show_failures("scenario")
    save = "For the next turns of this workflow, in this and every other session"
    with dialog_footer():
        st.button(
            "Save",
            key="save_script",
            type="primary",
            icon=":material/save:",
            **on_click(_save, disabled=bool(problems), help=save),
        )


@action()
def _upload(file: UploadedFile) -> None:
    """Take the text of a file in the place of the script; one that is too long changes nothing.

    Bytes that are not UTF-8 are replaced. The error of a file that is too large or too long is stored in
    `LastAction`; the file is not read again.
    """
    held = state.record(ScenarioRecord)
    held.script_file = file.file_id
    text = content_of(file, SCRIPT_FILE).decode("utf-8-sig", "replace")
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"The script {file.name!r} has {len(text):,} characters.",
            advice=f"Shorten it: {MAX_CHARACTERS:,} are the most.",
        )
    held.script = text


@action()
def _edit(text: str) -> None:
    held = state.record(ScenarioRecord)
    if held.script is not None:  # a change that comes after Save does not open the dialog again
        held.script = text


@action(role=Role.ADMIN)
def _save() -> None:
    """Store the edited script and close the dialog, or ask where another user has changed it.

    The workflow answers by it from the next turn on, in all sessions, and it is audited. Nothing happens
    without an open dialog on the embedded engine. An error is stored in `LastAction`, not raised.
    """
    held, session = state.record(ScenarioRecord), state.record(CurrentRun).session
    if session is None or held.script is None or not isinstance(session.backend, EmbeddedBackend):
        return
    backend, text = session.backend, sent_text("script_text") or held.script
    folder, workflow_id = backend.settings.scripts_folder, session.workflow_id
    held.script = text

    def store(expected: int) -> int:
        """Store the script in place of a revision, close the dialog and return the new revision."""
        path = save_script(text, folder, expected)
        audit("save script", workflow_id)
        finish()
        return file_revision(path)

    def finish() -> None:
        backend.renew(workflow_id)
        held.script = None

    def go_on() -> None:
        held.generation += 1  # the editor begins anew, with the user's text

    is_stored = store_edit(
        _place(session),
        Role.ADMIN,
        store,
        subject="The script",
        mine=text,
        keep_theirs=lambda _: finish(),
        go_on=go_on,
    )
    if is_stored and held.script is not None:
        finish()  # another user has stored the same


def _place(session: DebugSession) -> Place:
    return "script", session.workflow.config.logical_id

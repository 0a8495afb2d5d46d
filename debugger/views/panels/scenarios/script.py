"""Dialog that edits the script which answers for a workflow's models."""

from __future__ import annotations

from functools import partial

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
from debugger.views.panels.scenarios.record import ScenarioRecord, ScriptEdit
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
    """Open the dialog with the script of the workflow on view: as it was typed, else as it is stored.

    Without either it begins with a template. Nothing happens without a session of the embedded engine. An
    error is stored in `LastAction`, not raised.
    """
    held, session = state.record(ScenarioRecord), state.record(CurrentRun).session
    if session is not None and isinstance(session.backend, EmbeddedBackend):
        key = _key(session)
        edit = held.scripts.get(key)
        if edit is None or not edit.is_changed:
            held.scripts[key] = _begin(session, session.backend)
        held.script_of = key
        held.generation += 1


def _begin(session: DebugSession, backend: EmbeddedBackend) -> ScriptEdit:
    """Return the script as it is stored, or a template; its revision counts as seen."""
    folder, logical_id = backend.settings.scripts_folder, session.workflow.config.logical_id
    see(_place(session), script_revision(logical_id, folder))  # before it is read, so never too new
    text = script_text(logical_id, folder) or script_template(session.workflow)
    return ScriptEdit(text, text)


def close_script() -> None:
    """Leave the dialog; what is typed and not saved is kept for the next time."""
    state.record(ScenarioRecord).script_of = None


def script_dialog() -> None:
    """Draw the dialog while it is open."""
    if _edit_on_view() is None:
        close_script()  # another workflow is on view
    elif not state.record(OpenQuestions).is_open:
        side_dialog("Script", icon=":material/code:", on_dismiss=close_script)(_body)()


def _edit_on_view() -> ScriptEdit | None:
    """Return the script in the dialog; ``None`` while it is closed, or another workflow is on view."""
    held, session = state.record(ScenarioRecord), state.record(CurrentRun).session
    if session is None or held.script_of != _key(session):
        return None
    return held.scripts.get(held.script_of)


@show_unexpected_errors("The dialog")
def _body() -> None:
    """Draw the upload, the editor, the problems of the script, and the buttons that save and discard it.

    It is not saved while there is a problem. Where the dialog was closed, or a question opened, the page is
    rerun.
    """
    held, session, edit = state.record(ScenarioRecord), state.record(CurrentRun).session, _edit_on_view()
    if edit is None or session is None or state.record(OpenQuestions).is_open:
        st.rerun()  # only that closes a dialog
    with st.container(key="script_dialog", gap="small"):
        st.caption(
            "Rules in YAML, tried from top to bottom, that answer for the models of this workflow. Names of "
            "nodes, edges and tools are offered while you type, or with Ctrl + Space."
        )
        file = upload_file("Upload a script", SCRIPT_FILE, ["yaml", "yml"], f"script_file_{held.generation}")
        if file is not None and file.file_id != held.script_file:
            _upload(edit, file)
        page = held.generation, held.script_file
        names = script_names(session.workflow)
        script_editor("script_text", "Script", edit.text, names, partial(_edit, edit), page=page)
        problems = script_problems(edit.text, session.workflow)
        for problem in problems:
            st.error(plain(problem), icon=":material/error:")
        if not problems:
            st.caption(":green[:material/check_circle: No problems found.]")
        if edit.is_changed:
            st.caption("Not saved yet. The changes stay here, also while the dialog is closed.")
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
        st.button(
            "Discard changes",
            key="discard_script",
            type="tertiary",
            icon=":material/undo:",
            **on_click(_discard, disabled=not edit.is_changed, help="Show the script as it is stored"),
        )


@action()
def _upload(edit: ScriptEdit, file: UploadedFile) -> None:
    """Take the text of a file in the place of the script; one that is too long changes nothing.

    Bytes that are not UTF-8 are replaced. The error of a file that is too large or too long is stored in
    `LastAction`; the file is not read again.
    """
    state.record(ScenarioRecord).script_file = file.file_id
    text = content_of(file, SCRIPT_FILE).decode("utf-8-sig", "replace")
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"The script {file.name!r} has {len(text):,} characters.",
            advice=f"Shorten it: {MAX_CHARACTERS:,} are the most.",
        )
    edit.text = text


@action()
def _edit(edit: ScriptEdit, text: str) -> None:
    """Take what was typed into the edit that the editor was drawn with.

    It may come after the press that ends the edit, which then is no longer kept, or closes the dialog.
    """
    edit.text = text


@action()
def _discard() -> None:
    """Show the script as it is stored in the place of what is typed.

    An error is stored in `LastAction`, not raised; then what is typed stays.
    """
    held, session = state.record(ScenarioRecord), state.record(CurrentRun).session
    if _edit_on_view() is not None and session is not None and isinstance(session.backend, EmbeddedBackend):
        held.scripts[_key(session)] = _begin(session, session.backend)
        held.generation += 1


@action(role=Role.ADMIN)
def _save() -> None:
    """Store the edited script and close the dialog, or ask where another user has changed it.

    The workflow answers by it from the next turn on, in all sessions, and it is audited. Nothing happens
    without an open dialog on the embedded engine. An error is stored in `LastAction`, not raised.
    """
    held, session, edit = state.record(ScenarioRecord), state.record(CurrentRun).session, _edit_on_view()
    if session is None or edit is None or not isinstance(session.backend, EmbeddedBackend):
        return
    backend, sent = session.backend, sent_text("script_text")
    text = edit.text if sent is None else sent
    folder, workflow_id = backend.settings.scripts_folder, session.workflow_id
    edit.text = text

    def store(expected: int) -> int:
        """Store the script in place of a revision, close the dialog and return the new revision."""
        path = save_script(text, folder, expected)
        audit("save script", workflow_id)
        finish()
        return file_revision(path)

    def finish() -> None:
        backend.renew(workflow_id)
        held.scripts.pop(_key(session), None)
        close_script()

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
    if is_stored and _key(session) in held.scripts:
        finish()  # another user has stored the same


def _place(session: DebugSession) -> Place:
    return "script", _key(session)


def _key(session: DebugSession) -> str:
    """Return what the scripts of workflows are told apart by in this tab: the logical id, else the id."""
    return session.workflow.config.logical_id or session.workflow_id

"""Dialogs of the page Suites: files, the text of a scenario, and its deletion."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from debugger.errors import DebuggerError, InputError
from debugger.exports.records import ExportedRun
from debugger.protocol.file_limits import SCENARIO_FILE
from debugger.scenarios.accepting import accept_result, show_difference
from debugger.scenarios.results import CheckResult
from debugger.scenarios.stored import (
    Suite,
    SuiteScenario,
    archive_of,
    file_name,
    read_stored,
    store_scenario,
    tidied,
    with_name,
)
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.store.scenarios import MAX_NAME_CHARACTERS, StoredScenario
from debugger.views import state
from debugger.views.actions import action
from debugger.views.audit import audit
from debugger.views.auth.permissions import explain_denial, on_click
from debugger.views.backends import embedded_backend, local_store
from debugger.views.components.error_box import show_error, show_failures, show_unexpected_errors
from debugger.views.components.markdown import count, plain
from debugger.views.components.rows import Cell, Column, Columns, rows_list, table
from debugger.views.components.script_editor import script_editor, sent_text
from debugger.views.components.side_dialog import dialog_footer, side_dialog
from debugger.views.components.uploads import upload_files
from debugger.views.confirmations import OpenQuestions
from debugger.views.edits import see
from debugger.views.panels.scenarios.open import files_of
from debugger.views.panels.suites.actions import SuitesState
from debugger.views.panels.suites.storing import (
    begin_new,
    current_writer,
    delete_scenario,
    place_of,
    store_text,
    suite,
)
from debugger.views.state import LastAction

_TYPES = ["yaml", "yml", "json", "zip"]
_TEXTS = (".yaml", ".yml", ".json")
_MAX_ROWS = 8


@dataclass(frozen=True)
class _Upload:
    """A scenario out of an uploaded file."""

    name: str
    text: str
    stored: StoredScenario | None
    """The one of this name that it replaces, as the user sees it."""
    file: str = ""
    """The file of the folder that has the name, where no stored one has."""

    @property
    def is_same(self) -> bool:
        """Return whether the store has this text."""
        return self.stored is not None and self.stored.text == self.text

    @property
    def is_denied(self) -> bool:
        """Return whether it would replace another user's, or take the name of a file."""
        if self.stored is None:
            return bool(self.file)
        return not self.stored.may_be_written_by(current_writer())


@dataclass
class SuiteDialogs:
    """The dialog of the page that is open."""

    kind: Literal["", "files", "text", "acceptance", "deletion"] = ""
    name: str = ""
    """The name of the scenario that it is about."""
    text: str = ""
    """Its text, as it is edited."""
    stored: str = ""
    """The text that the editor began with."""
    drafts: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Typed texts that are not saved, by the names of their scenarios, after those that they began with; they
    outlive the dialog."""
    difference: str = ""
    """The lines that an acceptance changes."""
    is_stored: bool = False
    """The scenario is a stored one, and not a file of the folder."""
    is_read_only: bool = False
    """Whether the user may not change it."""
    generation: int = 0
    """Counts how often controls got values from elsewhere; part of their keys."""
    uploads: list[_Upload] = field(default_factory=list)
    """The scenarios of the files that were chosen last."""
    refused: list[DebuggerError] = field(default_factory=list)
    """Why others among them are not stored."""
    file_ids: tuple[str, ...] = ()
    """Those files."""

    def open(
        self, kind: Literal["files", "text", "acceptance", "deletion"], name: str = "", text: str = ""
    ) -> None:
        """Open a dialog, without the uploads of the one before; the error of the last action is dropped.

        `difference`, `is_stored` and `is_read_only` stay as they are.
        """
        self.kind, self.name, self.text = kind, name, text
        self.uploads, self.refused, self.file_ids = [], [], ()
        self.generation += 1
        state.record(LastAction).error = None

    def keep(self, text: str) -> None:
        """Take what was typed; it is kept until it is saved or discarded."""
        self.text = text
        self.drafts[self.name] = self.stored, text
        if text == self.stored:
            del self.drafts[self.name]

    def close(self) -> None:
        """Close it."""
        self.kind = ""


def dialogs_state() -> Hashable:
    """Return what the dialogs of the page depend on."""
    held = state.record(SuiteDialogs)
    return held.kind, held.name, state.record(OpenQuestions).is_open


def suite_dialogs() -> None:
    """Draw the dialog that is open; nothing without one, or while a question of the page is open.

    An error in the dialog is drawn in it.
    """
    held = state.record(SuiteDialogs)
    if not held.kind or state.record(OpenQuestions).is_open:
        return
    title, icon, body = {
        "files": ("Scenario files", ":material/upload_file:", _files),
        "text": (f"Scenario “{held.name}”", ":material/edit:", _text),
        "acceptance": (f"Accept in “{held.name}”", ":material/check:", _acceptance),
        "deletion": ("Delete the scenario?", ":material/delete:", _deletion),
    }[held.kind]
    drawn = show_unexpected_errors("The dialog")(body)
    # A question stands in the middle of the window.
    opened = st.dialog if held.kind == "deletion" else side_dialog
    opened(plain(title), icon=icon, on_dismiss=close_dialog)(drawn)()


def close_dialog() -> None:
    """Leave the dialog; a text that is typed and not saved is kept for the next time."""
    state.record(SuiteDialogs).close()


@action()
def show_files() -> None:
    """Open the dialog that takes and gives scenario files."""
    state.record(SuiteDialogs).open("files")


def _files() -> None:
    """Draw the upload of scenario files, their errors and scenarios, and the buttons that add and download.

    Files are read once for each choice of them. Where another dialog is open, or none, the page is rerun.
    """
    held = state.record(SuiteDialogs)
    if held.kind != "files":
        st.rerun()  # only that closes a dialog
    with st.container(key="suite_files", gap="small"):
        files = upload_files(
            "Scenarios (YAML or JSON), or a ZIP archive of them",
            SCENARIO_FILE,
            _TYPES,
            f"suite_files_{held.generation}",
        )
        ids = tuple(file.file_id for file in files)
        if ids != held.file_ids:
            held.file_ids = ids
            _read(files)
        for error in held.refused:
            show_error(error)
        if held.uploads:
            _upload_list(held.uploads)
        show_failures("suite_files")
    with dialog_footer():
        _add_button(held.uploads)
        _download_all()


def _upload_list(uploads: Sequence[_Upload]) -> None:
    """Draw the uploaded scenarios as a table, each with what storing it does."""
    columns: Columns[_Upload] = [
        (Column("name", "Scenario", 200, grows=True), lambda each: each.name),
        (Column("effect", "In the suite", 170), _effect),
    ]
    rows_list("suite_uploads", table("Scenarios of the files", uploads, columns), most=_MAX_ROWS)


def _effect(each: _Upload) -> Cell:
    """Return in words what storing an uploaded scenario does, or why it is not stored."""
    if each.stored is None:
        return f"is in the file {each.file}" if each.file else "new"
    if each.is_same:
        return "there already"
    who = each.stored.updated_by or each.stored.author
    return f"belongs to {each.stored.author}" if each.is_denied else f"replaces that of {who}"


def _add_button(uploads: Sequence[_Upload]) -> None:
    """Draw the button that stores the uploaded scenarios, with the numbers of new and of replaced ones.

    It is disabled where none is to be stored, and without the role RUN.
    """
    wanted = [each for each in uploads if not each.is_same and not each.is_denied]
    new = sum(each.stored is None for each in wanted)
    words = [f"Add {count(new, 'scenario')}"] if new or not wanted else []
    if len(wanted) > new:
        words.append(f"{'replace' if words else 'Replace'} {len(wanted) - new:,}")
    st.button(
        ", ".join(words) if wanted else "Add",
        key="add_scenarios",
        type="primary",
        icon=":material/add:",
        **on_click(_add, disabled=not wanted, help=None if wanted else "Choose files first"),
    )


def _download_all() -> None:
    """Draw the button that downloads all scenarios with a text as a ZIP archive; nothing without any.

    Raises:
        StoreError: The scenarios cannot be read.
    """
    scenarios = [each for each in suite().scenarios if each.text]
    if not scenarios:
        return
    st.download_button(
        "Download all",
        lambda: archive_of(scenarios),
        key="download_suite",
        file_name="scenarios.zip",
        mime="application/zip",
        icon=":material/folder_zip:",
        on_click="ignore",
        help=f"A ZIP archive of {count(len(scenarios), 'scenario')}",
    )


@action()
def _read(files: Sequence[UploadedFile]) -> None:
    """Read what was uploaded into `uploads` and `refused`; a file with mistakes stops no other.

    Of an archive, files that scenarios name are left out. Files without any scenario are an error among those
    refused; one of the store is in `LastAction`.
    """
    held = state.record(SuiteDialogs)
    held.uploads, held.refused = [], []
    shown = suite()
    for file in files:
        try:
            texts = files_of(file)
        except InputError as error:
            held.refused.append(error)
            continue
        for name, text in texts.items():
            if name.lower().endswith(_TEXTS) and (name == file.name or not _is_beside(name)):
                _read_text(name, text, shown)
    if files and not held.uploads and not held.refused:
        held.refused.append(
            InputError("There is no scenario among the files.", advice="Choose a file NAME.scenario.yaml.")
        )


def _is_beside(name: str) -> bool:
    """Return whether a file of an archive is one that scenarios name."""
    return name.lower().endswith((".script.yaml", ".json")) and not name.lower().endswith(".scenario.json")


def _read_text(file: str, content: bytes, shown: Suite) -> None:
    """Add the scenario of a file to `uploads`, or its mistake to `refused`.

    A file that is not UTF-8, or has a name that another file has, is a mistake, too.
    """
    held = state.record(SuiteDialogs)
    try:
        text = content.decode("utf-8-sig")
        name = tidied(read_stored(text, file).scenario.name)
        if any(each.name == name for each in held.uploads):
            raise InputError(f"Two of the files have the name {name!r}.", advice="Rename one of them.")
    except UnicodeDecodeError:
        held.refused.append(InputError(f"The file {file!r} is not UTF-8.", advice="Save it as UTF-8."))
    except InputError as error:
        held.refused.append(error)
    else:
        stored = shown.in_store.get(name)
        held.uploads.append(_Upload(name, text, stored, "" if stored else shown.in_folder.get(name, "")))


@action(role=Role.RUN)
def _add() -> None:
    """Store what was uploaded, each in place of what the list has shown, and audit each.

    Those that are there already, or that the user may not replace, are skipped. Errors are put into
    `refused`, and stop no other; without any the dialog closes.
    """
    held, writer = state.record(SuiteDialogs), current_writer()
    refused = list[DebuggerError]()
    for each in held.uploads:
        if each.is_same or each.is_denied:
            continue
        expected = each.stored.revision if each.stored else NEVER_WRITTEN
        try:
            store_scenario(local_store().scenarios, each.text, writer, expected=expected)
            audit("store scenario", each.name)
        except DebuggerError as error:
            refused.append(error)
    held.uploads, held.refused = [], refused
    if not refused:
        held.close()


@action()
def show_text(own_id: str) -> None:
    """Open the text of a scenario: to be edited, where the user may.

    An error is stored in `LastAction`, not raised, as an InputError where there is no such scenario.
    """
    held, own = state.record(SuiteDialogs), _scenario(own_id)
    draft = held.drafts.get(own.name) if own.stored is not None else None
    held.stored, text = draft or (own.text, own.text)
    held.open("text", own.name, text)
    _see(held, own, is_new=draft is None)


def _see(held: SuiteDialogs, own: SuiteScenario, *, is_new: bool = True) -> None:
    """Write whether a scenario is stored, and whether the user may change it, into the state of the dialogs.

    The revision of a stored one counts as seen: a change replaces it. Of a text that was typed before, the
    one that it began with stays so.
    """
    held.is_stored = own.stored is not None
    held.is_read_only = own.stored is None or not own.stored.may_be_written_by(current_writer())
    if own.stored is not None and is_new:
        see(place_of(own.name), own.stored.revision)


def _text() -> None:
    """Draw the text of a scenario, in an editor where the user may change it, and the buttons for it.

    Where another dialog is open, or none, or a question, the page is rerun.
    """
    held = state.record(SuiteDialogs)
    if held.kind != "text" or state.record(OpenQuestions).is_open:
        st.rerun()  # only that closes a dialog
    with st.container(key="suite_text", gap="small"):
        if held.is_read_only or explain_denial(_save):
            st.code(held.text, language="yaml", height=440)
        else:
            _editor(held)
        show_failures("suite_text")
    with dialog_footer():
        _text_buttons(held)


def _editor(held: SuiteDialogs) -> None:
    """Draw the editor with the text, and below it the text's mistakes, or that there are none."""
    script_editor("scenario_text", "Scenario", held.text, [], _edit, page=held.generation)
    problem = _problem(held)
    if problem:
        st.error("  \n".join(map(plain, problem.splitlines())), icon=":material/error:")
    else:
        st.caption(":green[:material/check_circle: No problems found.]")
    if held.text != held.stored:
        st.caption("Not saved yet. The changes stay here, also while the dialog is closed.")


def _problem(held: SuiteDialogs) -> str:
    """Return the mistakes of the text that is edited, a line for each; empty without any."""
    try:
        read_stored(held.text, held.name)
    except InputError as error:
        return error.message
    return ""


def _text_buttons(held: SuiteDialogs) -> None:
    """Draw the buttons that save, download, copy and delete a scenario, as far as the user may.

    Saving is disabled while the text has mistakes. Only a file of the folder can be copied, and only a stored
    scenario deleted.
    """
    if not held.is_read_only:
        st.button(
            "Save",
            key="save_scenario_text",
            type="primary",
            icon=":material/save:",
            **on_click(_save, disabled=bool(_problem(held)), help="For all users of this store"),
        )
        st.button(
            "Discard changes",
            key="discard_scenario_text",
            type="tertiary",
            icon=":material/undo:",
            **on_click(_discard, disabled=held.text == held.stored, help="Show the scenario as it is stored"),
        )
    _download(held, "suite_download")
    if not held.is_stored:
        st.button(
            "Copy to suite",
            key="suite_copy",
            type="primary",
            icon=":material/content_copy:",
            args=(held.name, held.text),
            **on_click(copy_to_suite, help="Store a copy that can be edited here, under another name"),
        )
    elif not held.is_read_only:
        st.button(
            "Delete …",
            key="suite_delete",
            type="tertiary",
            icon=":material/delete:",
            args=(held.name,),
            **on_click(ask_to_delete),
        )


@action()
def _edit(text: str) -> None:
    held = state.record(SuiteDialogs)
    if held.kind == "text":  # a change that comes after Save does not open the dialog again
        held.keep(text)


@action()
def _discard() -> None:
    """Show the scenario as it is stored in the place of what is typed.

    An error is stored in `LastAction`, not raised; then what is typed stays.
    """
    held = state.record(SuiteDialogs)
    if held.kind == "text":
        own = next(each for each in suite().scenarios if each.name == held.name and each.stored is not None)
        held.drafts.pop(held.name, None)
        held.stored = own.text
        held.open("text", own.name, own.text)
        _see(held, own)


@action(role=Role.RUN)
def _save() -> None:
    """Store the edited text and close the dialog, or ask where another user has changed the scenario.

    Nothing happens where the dialog is not open. An error, as of mistakes, is stored in `LastAction`; the
    dialog then stays.
    """
    held = state.record(SuiteDialogs)
    if held.kind != "text":
        return  # a second press
    name, sent = held.name, sent_text("scenario_text")
    text = held.text if sent is None else sent
    held.keep(text)

    def finish() -> None:
        held.drafts.pop(name, None)
        held.close()

    def go_on() -> None:
        held.generation += 1  # the editor begins anew, with the user's text

    if store_text(text, name=name, finish=finish, go_on=go_on):
        finish()  # another user has stored the same


@action()
def show_acceptance(own_id: str, run_id: str, check: CheckResult) -> None:
    """Show what a scenario becomes that accepts what a run got in one check.

    An error is stored in `LastAction`, not raised: there is no such scenario, nothing of the run can take the
    expectation's place, or the run was deleted. No dialog opens then.
    """
    held, own = state.record(SuiteDialogs), _scenario(own_id)
    backend = embedded_backend()
    workflow = DebugSession.open(backend, run_id).workflow
    text = accept_result(own.text, check, ExportedRun(backend.record(run_id), workflow), workflow)
    held.open("acceptance", own.name, text)
    held.difference = show_difference(own.text, text)
    _see(held, own)
    state.record(SuitesState).chosen = own_id  # it stays on view, also once it does not fail any more


def _acceptance() -> None:
    """Draw the difference that an acceptance makes, with the button that accepts it.

    Where the user may not change the scenario, it can be copied and downloaded instead. Where another dialog
    is open, or none, or a question, the page is rerun.
    """
    held = state.record(SuiteDialogs)
    if held.kind != "acceptance" or state.record(OpenQuestions).is_open:
        st.rerun()  # only that closes a dialog
    with st.container(key="suite_acceptance", gap="small"):
        st.code(held.difference, language="diff", wrap_lines=True)
        show_failures("suite_acceptance")
        if held.is_read_only:
            st.caption("You cannot change this scenario here: copy or download it with the change.")
    with dialog_footer():
        if held.is_read_only:
            _take_accepted(held)
        else:
            st.button(
                "Accept",
                key="accept_result",
                type="primary",
                icon=":material/check:",
                **on_click(_accept, help="Change the scenario for all users"),
            )


def _take_accepted(held: SuiteDialogs) -> None:
    """Draw the buttons that copy and download a changed scenario that the user may not change in place."""
    st.button(
        "Copy to suite",
        key="copy_accepted",
        type="primary",
        icon=":material/content_copy:",
        args=(held.name, held.text),
        **on_click(copy_to_suite, help="Store a copy under another name"),
    )
    _download(held, "download_accepted")


def _download(held: SuiteDialogs, key: str) -> None:
    """Draw the button that downloads the text of the dialog as a scenario file; it is not audited."""
    st.download_button(
        "Download",
        held.text,
        key=key,
        file_name=file_name(held.name),
        mime="application/yaml",
        icon=":material/download:",
        on_click="ignore",
    )


@action(role=Role.RUN)
def _accept() -> None:
    """Store what was accepted, then close the dialog; with an error, stored in `LastAction`, it stays."""
    held = state.record(SuiteDialogs)
    if held.kind != "acceptance":
        return  # a second press
    if store_text(held.text, name=held.name, finish=held.close):
        held.close()  # another user has stored the same


def _scenario(own_id: str) -> SuiteScenario:
    own = suite().of_id(own_id)
    if own is None:
        raise InputError("There is no such scenario.", advice="It was deleted or renamed meanwhile.")
    return own


@action(role=Role.RUN)
def copy_to_suite(name: str, text: str) -> None:
    """Store a copy of a scenario under another name, as its own is in use, and close the dialog.

    The name gets "(copy)", or "(copy 2)" and so on where that is taken, too. An error is stored in
    `LastAction`, not raised, as of a text that names files or cannot be changed in place.
    """
    held, shown, number, mark = state.record(SuiteDialogs), suite(), 2, " (copy)"
    lead = name[: MAX_NAME_CHARACTERS - 12].rstrip()
    while f"{lead}{mark}" in shown.in_store or f"{lead}{mark}" in shown.in_folder:
        mark, number = f" (copy {number})", number + 1
    begin_new()
    if store_text(with_name(text, f"{lead}{mark}"), finish=held.close):
        held.close()


@action(role=Role.RUN)
def ask_to_delete(name: str) -> None:
    """Open the question whether to delete a stored scenario, as its dialog has shown it."""
    state.record(SuiteDialogs).open("deletion", name)


def _deletion() -> None:
    """Draw the question whether to delete a scenario, with the buttons "Delete" and "Cancel".

    Where another dialog is open, or none, or a question, the page is rerun.
    """
    held = state.record(SuiteDialogs)
    if held.kind != "deletion" or state.record(OpenQuestions).is_open:
        st.rerun()  # only that closes a dialog
    st.markdown(f"**{plain(held.name)}** is deleted for all users; the results of its runs stay.")
    show_failures("suite_deletion")
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            "Delete", key="delete_scenario", type="primary", icon=":material/delete:", **on_click(_delete)
        )
        st.button("Cancel", key="keep_scenario", on_click=close_dialog)


@action(role=Role.RUN)
def _delete() -> None:
    held = state.record(SuiteDialogs)
    if held.kind == "deletion":  # not a second press
        # Or it asks, in the place of this question.
        delete_scenario(held.name, go_on=partial(held.open, "deletion", held.name))
        held.close()

"""Workflow files: import, download, and copy to another backend."""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import closing
from dataclasses import dataclass

import streamlit as st

from debugger.backends.base import Backend
from debugger.backends.base_url import host_of
from debugger.backends.hosted import HostedBackend
from debugger.engine.nodes import NODE_TYPES
from debugger.errors import DebuggerError, UnsupportedError
from debugger.graph.checks import check
from debugger.graph.load import load_workflow
from debugger.protocol.base import JsonObject, without_secret_variables
from debugger.protocol.file_limits import WORKFLOW_FILE
from debugger.protocol.workflow import VersionSummary, Workflow, WorkflowSummary
from debugger.session.session import DebugSession
from debugger.settings import CUSTOM_CONNECTION
from debugger.store import KnownWorkflow, Role
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.views import actions, state
from debugger.views.actions import action
from debugger.views.audit import audit, audited_file
from debugger.views.auth.permissions import explain_denial, may, on_click
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend, current_backend, named_backend
from debugger.views.components.error_box import problems_title, show_error, show_problems
from debugger.views.components.markdown import count, plain
from debugger.views.components.uploads import content_of, upload_file
from debugger.views.connections import (
    HostedConnection,
    check_encryption,
    connection,
    named_connections,
    owner,
)
from debugger.views.edits import Place, forget_seen, json_words, see, seen, store_edit
from debugger.views.state import LastAction, PageLinks
from debugger.views.times import shown_time
from debugger.views.url_state import Address

FILES_KEY = "workflow_files"
"""Opens the box with import, file and copy."""
_NEXT_VERSION = "next version"
"""Kind of a place whose revision is the number of a workflow's next version."""
_VERSION_KEY = "file_version"
_TARGET_KEY = "copy_target"
_EMBEDDED = ""
"""The target that is the embedded engine; any other is the name of a connection."""
_NOT_IN_FILE_NAMES = re.compile(r"[^a-z0-9]+")
_LONGEST_NAME = 60


@dataclass(frozen=True)
class WorkflowCopy:
    """A copy that was made."""

    source: Workflow
    target: str
    place: str
    """The name of the backend, as users read it."""
    workflow: WorkflowSummary


@dataclass
class WorkflowFiles:
    """State of the import, and of copies."""

    uploads: int = 0
    """The number of imported files; part of the uploader's key."""
    question: tuple[Workflow, str] | None = None
    """The copy that is to be confirmed, and the connection to which it would be written."""
    copied: WorkflowCopy | None = None
    """The last copy."""
    file_id: str = ""
    """The file that was chosen last."""


def workflow_import(backend: Backend) -> None:
    """Draw the import of a workflow file.

    Where the backend or the user's role forbids it, the reason is drawn and the upload is disabled. A file
    that cannot be read shows the error in place of its content.
    """
    reason = backend.capabilities.reason_against("import_workflow") or explain_denial(_import) or None
    if reason:
        st.caption(plain(reason))
    key = f"import_file_{state.record(WorkflowFiles).uploads}"
    label = "Import a workflow file (JSON)"
    file = upload_file(label, WORKFLOW_FILE, ["json"], key, disabled=reason is not None)
    if file is None:
        return
    held = state.record(WorkflowFiles)
    if file.file_id != held.file_id:
        held.file_id = file.file_id
        forget_seen(_NEXT_VERSION)
        state.set_widget(_import_key(), None)
    try:
        workflow = load_workflow(content_of(file, WORKFLOW_FILE))
    except DebuggerError as error:
        show_error(error)  # in the place of what the file has
        return
    _found(workflow, backend)


def _found(workflow: Workflow, backend: Backend) -> None:
    """Draw name, size and problems of an uploaded workflow, what it becomes, and the button that imports it.

    A press creates a workflow on the backend, or a version of one, and shows it; it needs the role admin.
    Where the stored workflows cannot be read, the error is drawn instead of the button.
    """
    problems = check(workflow, backend.node_types, NODE_TYPES)
    st.caption(
        f"{plain(workflow.name)}: {count(len(workflow.node_configs), 'node')}, "
        f"{count(len(workflow.edge_configs), 'edge')}"
    )
    if problems:
        st.caption(problems_title(problems))
        show_problems(problems)
    try:
        target = _import_target(workflow, backend)
    except DebuggerError as error:
        show_error(error)
        return
    what = "a new workflow" if target is None else f"version {seen(_next_version_of(target.summary.id))}"
    st.button(
        "Import",
        key="import_now",
        type="primary",
        icon=":material/check:",
        args=(workflow, target),
        **on_click(_import, help=f"Keep it as {what} and show it"),
    )


def _import_target(workflow: Workflow, backend: Backend) -> KnownWorkflow | None:
    """Draw the choice what an uploaded file becomes; return the workflow of which it is a new version.

    There is a choice where a stored workflow has the file's logical id; those of its name come first. The
    number that is shown first is noted as seen. One that has but the file's name is told.

    Raises:
        DebuggerError: The stored workflows cannot be read.
    """
    if backend.capabilities.reason_against("import_version"):
        return None
    answers, logical_id = state.record(BackendCache), workflow.config.logical_id
    known = answers.ask(("logical_id", logical_id), lambda: backend.find_workflows(logical_id))
    stored = answers.ask(("workflows",), lambda: backend.workflows())
    by_id = {
        each.summary.id: each for each in sorted(known, key=lambda each: each.summary.name != workflow.name)
    }
    if any(each.label == workflow.name and each.id not in by_id for each in stored):
        st.caption(
            f"A stored workflow has the name {plain(workflow.name)}, too, with another logical id: a "
            "scenario that names its workflow by this name runs the one that was created last."
        )
    if not by_id:
        return None
    names = Counter(each.summary.label for each in known)

    def words(workflow_id: str) -> str:
        """Return an option in words, by which namesakes can be told apart."""
        if not workflow_id:
            return "A workflow of its own"
        summary = by_id[workflow_id].summary
        apart = (
            f" · {summary.id}, created {shown_time(summary.created_at)}" if names[summary.label] > 1 else ""
        )
        return f"New version of {plain(summary.label)}{apart}"

    if state.widget(_import_key()) is None:
        state.set_widget(_import_key(), next(iter(by_id)))
    chosen = by_id.get(st.radio("Import as", [*by_id, ""], key=_import_key(), format_func=words))
    if chosen is None:
        return None
    place = _next_version_of(chosen.summary.id)
    if seen(place) == NEVER_WRITTEN:  # once for each file: a later number is asked about
        see(place, chosen.next_version)
    st.caption(
        f"It becomes version {seen(place)}, the active one: new runs start with it, and scenarios that name "
        "no version."
    )
    return chosen


def _next_version_of(workflow_id: str) -> Place:
    """Return the place of a workflow's versions, whose revision is the number of the next one."""
    return _NEXT_VERSION, workflow_id


def _import_key() -> str:
    return f"import_as_{state.record(WorkflowFiles).uploads}"


@action(role=Role.ADMIN)
def _import(workflow: Workflow, target: KnownWorkflow | None) -> None:
    """Import a workflow as one of its own, or as the next version of another, unless a question is open.

    Then the uploader is empty again, and the files are closed.
    """
    if target is None:
        actions.import_workflow(dict(workflow.to_wire()))
        if state.record(LastAction).error is None:
            _end_import()
    else:
        _import_version(workflow, target.summary)


def _import_version(workflow: Workflow, stored: WorkflowSummary) -> None:
    """Store a workflow as the next version of a stored one and show it; ask where another user was faster.

    Raises:
        DebuggerError: It cannot be stored.
    """
    backend, document, stored_numbers = current_backend(), workflow_document(workflow), list[int]()

    def store(expected: int) -> int:
        """Store the version that gets a number; return that of the one after it."""
        number = backend.import_version(stored.id, document, expected=expected).version_number
        name = state.record(CurrentBackend).name
        audit("import version", stored.id, backend=name, version=number)
        stored_numbers.append(number)
        finish()
        return number + 1

    def finish() -> None:
        """Show the active version: the imported one, or that of the other user."""
        state.record(BackendCache).expire()
        number = backend.workflow_summary(stored.id).active_version_number
        actions.show(DebugSession(backend, stored.id, number))
        _end_import()

    def activate_newest() -> None:
        """Make the newest version the active one: another user has stored the same document."""
        newest = backend.versions(stored.id)[-1]
        if not newest.is_active:
            backend.activate_version(stored.id, newest.version_number)
            audit("activate version", stored.id, version=newest.version_number)

    if (
        store_edit(
            _next_version_of(stored.id),
            Role.ADMIN,
            store,
            subject=f"The workflow “{stored.label}”",
            mine=json_words(document),
            words=json_words,
            keep_theirs=lambda _: finish(),
        )
        and not stored_numbers
    ):
        activate_newest()
        finish()


def _end_import() -> None:
    state.record(WorkflowFiles).uploads += 1  # a new key: the uploader is empty again
    state.set_widget(FILES_KEY, False)


def workflow_file(session: DebugSession, versions: list[VersionSummary]) -> None:
    """Draw the id of the workflow on view, and download and copy of its versions.

    The session key of the choice begins with the version on view. A version that cannot be read shows the
    error in place of download and copy. The file is without secret variables.
    """
    st.caption("Id of this workflow")
    st.code(session.workflow_id, language=None)  # with a button that copies it
    labels = {version.version_number: version.label for version in versions}
    if session.version_number is not None:
        labels.setdefault(session.version_number, f"v{session.version_number}")
    key = f"{_VERSION_KEY}_{session.workflow_id}_{session.version_number}"
    state.begin_widget(key, session.version_number)
    number = st.selectbox("Version of the file", list(labels), key=key, format_func=lambda each: labels[each])
    try:
        workflow = _workflow(session, number)
    except DebuggerError as error:
        show_error(error)
        return

    def rendered() -> bytes:
        """Return the workflow's document as JSON."""
        return json.dumps(workflow_document(workflow), ensure_ascii=False, indent=2).encode()

    st.download_button(
        "Download JSON",
        key="download_workflow",
        data=audited_file(rendered, session.workflow_id, "export workflow", version=number),
        file_name=workflow_file_name(workflow.name, number),
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
        help="The workflow file of this version, without secret variables; it can be imported again",
    )
    _copy(workflow, session.workflow_id)


def _workflow(session: DebugSession, number: int | None) -> Workflow:
    """Return a version of the workflow on view.

    Raises:
        DebuggerError: The backend cannot show it.
    """
    if number == session.version_number:
        if session.substitute_reason:
            raise UnsupportedError(
                "The version that ran cannot be read, so there is no file of it.",
                advice="Choose another version.",
            )
        return session.workflow
    return state.record(BackendCache).ask(
        ("workflow", session.workflow_id, number),
        lambda: session.backend.workflow(session.workflow_id, number),
    )


def workflow_document(workflow: Workflow) -> JsonObject:
    """Return a workflow as it leaves the backend: without its secret variables."""
    return without_secret_variables(workflow.to_wire())


def workflow_file_name(name: str, version_number: int | None) -> str:
    """Return the name of a workflow's file, with the version's number."""
    lead = _NOT_IN_FILE_NAMES.sub("-", name.lower()).strip("-")[:_LONGEST_NAME] or "workflow"
    return f"{lead}.json" if version_number is None else f"{lead}-v{version_number}.json"


def _targets() -> dict[str, str]:
    """Return the other backends, as the user reads them, by connection name.

    The embedded engine has an empty name. Left out are the connection in use, those without an address, and
    the custom one but for an administrator. Empty where there is none.
    """
    current = state.record(CurrentBackend).name
    found = {} if current == "embedded" else {_EMBEDDED: "Embedded engine"}
    in_use = state.record(HostedConnection).name if current == "hosted" else None
    connections, _ = named_connections()
    custom = owner().custom
    if custom is not None and may(Role.ADMIN):
        connections[CUSTOM_CONNECTION] = custom
    hosted = {name: each for name, each in connections.items() if name != in_use and each.base_url}
    return found | {name: f"{name} · {host_of(each.base_url)}" for name, each in hosted.items()}


def _copy(workflow: Workflow, workflow_id: str) -> None:
    """Draw the choice of the target and the button that copies the workflow there; a caption without any.

    While a copy to it is to be confirmed, the question is drawn instead of the button; the last copy of this
    workflow there is named below. Forgets a session key that names no target.
    """
    targets = _targets()
    if not targets:
        st.caption("It can be copied to another backend once the page Connection has one.")
        return
    if state.widget(_TARGET_KEY) not in targets:
        state.forget_widget(_TARGET_KEY)
    target = st.selectbox("Copy to", list(targets), key=_TARGET_KEY, format_func=lambda each: targets[each])
    files = state.record(WorkflowFiles)
    if files.question == (workflow, target):
        _confirm(workflow, workflow_id, target)
    else:
        st.button(
            "Copy",
            key="copy_workflow",
            icon=":material/content_copy:",
            args=(workflow, workflow_id, target),
            **on_click(copy_workflow, help="Create it there as a new workflow"),
        )
    if files.copied is not None and (files.copied.source, files.copied.target) == (workflow, target):
        _copied(files.copied)


def _confirm(workflow: Workflow, workflow_id: str, target: str) -> None:
    """Draw the question whether to create the workflow on a connection; an error where that is not known.

    One press creates it there, the other cancels.
    """
    try:
        settings = connection(target)
    except DebuggerError as error:
        show_error(error)
        return
    place = f"**{plain(target)}** at **{plain(host_of(settings.base_url))}**"
    kind = "the production environment " if settings.is_production else ""
    st.warning(
        f"This creates the workflow {plain(workflow.name)} on {kind}{place}.", icon=":material/warning:"
    )
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            "Create it there",
            key="copy_confirmed",
            type="primary",
            icon=":material/check:",
            args=(workflow, workflow_id, target, True),
            **on_click(copy_workflow),
        )
        st.button("Cancel", key="copy_cancelled", on_click=cancel_copy)


def _copied(copied: WorkflowCopy) -> None:
    """Draw where a copy is, and the link that opens it."""
    backend = "hosted" if copied.target else "embedded"
    address = Address(backend, copied.workflow.id, connection=copied.target)
    st.caption(f"Copied to {plain(copied.place)} as workflow {copied.workflow.id}.")
    st.page_link(
        state.record(PageLinks).by_name["debug"],
        label="Open the copy",
        icon=":material/open_in_new:",
        query_params=address.to_parameters(),
    )


@action(role=Role.ADMIN)
def copy_workflow(workflow: Workflow, workflow_id: str, target: str, is_confirmed: bool = False) -> None:
    """Create a workflow on another backend; ask before a hosted one.

    The copy, or the question, is kept in `WorkflowFiles`, and a copy is audited. The error with which it
    could not be created there, an `UnsupportedError` where no workflow can be, is kept in `LastAction`.

    Args:
        workflow: The workflow.
        workflow_id: Its id here.
        target: The name of a connection; empty for the embedded engine.
        is_confirmed: Whether the user has agreed to write to the connection.
    """
    files = state.record(WorkflowFiles)
    files.copied = None
    files.question = (workflow, target) if target and not is_confirmed else None
    if files.question is not None:
        return
    if target:
        settings = connection(target)
        check_encryption(settings.base_url)
        # One of its own: the run on view may be on another connection, which stays open.
        with closing(HostedBackend(settings)) as hosted:
            stored = _create(hosted, workflow)
        place = f"{target} ({host_of(settings.base_url)})"
    else:
        stored = _create(named_backend("embedded"), workflow)
        place = "the embedded engine"
    files.copied = WorkflowCopy(workflow, target, place, stored)
    audit("copy workflow", workflow_id, to=place, copy=stored.id)


def _create(backend: Backend, workflow: Workflow) -> WorkflowSummary:
    reason = backend.capabilities.reason_against("import_workflow")
    if reason:
        raise UnsupportedError(reason, advice="Download the file and import it on another backend.")
    return backend.create_workflow(workflow_document(workflow), name=workflow.name)


def cancel_copy() -> None:
    """Leave the question whether to write to a connection."""
    state.record(WorkflowFiles).question = None

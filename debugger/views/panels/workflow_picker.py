"""Choice of backend, workflow and version, and the import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.graph.checks import check
from debugger.graph.load import load_workflow
from debugger.protocol.workflow import VersionSummary, Workflow, WorkflowSummary
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import actions, state
from debugger.views.actions import command
from debugger.views.auth.permissions import denied, on_click, requires
from debugger.views.backend_cache import BackendCache
from debugger.views.components.error_box import problems_title, show_error, show_problems
from debugger.views.components.markdown import count, plain
from debugger.views.components.toolbar import Disclosure, Item, Select, Text, bar
from debugger.views.run_state import CurrentRun
from debugger.views.state import LastAction

Row = TypeVar("Row")

_WORKFLOW_KEY = "workflow"
_VERSION_KEY = "version"
_SHORT_ID = 8
_MOST_LISTED = 30
"""Of so many workflows one is chosen from a plain list; of more, words are looked for."""


@dataclass
class _WorkflowUploads:
    """Imported workflow files."""

    count: int = 0
    """The number of files; part of the uploader's key."""


def workflow_picker(backend: Backend) -> None:
    """Draw the choice; what is chosen goes on view."""
    session = state.record(CurrentRun).session
    workflows = _known(("workflows",), lambda: backend.workflows())
    items: list[Item] = []
    if workflows is not None:
        items = _workflow(workflows)
    if session is not None:
        question = ("versions", session.workflow_id)
        items.append(_version(session, _known(question, lambda: backend.versions(session.workflow_id)) or []))
    if items:
        bar("picker_bar", items, low=True)
    if session is not None:
        _problems(session)


def _problems(session: DebugSession) -> None:
    question = ("problems", session.workflow_id, str(session.version_number))
    problems = state.record(BackendCache).ask(
        question, lambda: check(session.workflow, session.backend.node_types)
    )
    if problems:
        with st.expander(problems_title(problems), icon=":material/rule:", type="compact", key="problems"):
            show_problems(problems)


def _known(question: tuple[str, ...], ask: Callable[[], list[Row]]) -> list[Row] | None:
    answers = state.record(BackendCache)
    try:
        return answers.ask(question, ask)
    except DebuggerError as error:
        show_error(error)
        st.button("Try again", key=f"again_{question[0]}", icon=":material/refresh:", on_click=answers.expire)
        last: list[Row] | None = answers.last(question)
        return last


def _workflow(workflows: list[WorkflowSummary]) -> list[Item]:
    session = state.record(CurrentRun).session
    names = {workflow.id: workflow.label for workflow in workflows}
    if session is not None and session.workflow_id not in names:
        names[session.workflow_id] = session.workflow.name
    if not names:
        return [Text("No workflow here yet: import one below.", look="note")]
    state.set_widget(_WORKFLOW_KEY, session.workflow_id if session else None)
    words = {workflow_id: f"{name}  ·  {workflow_id[:_SHORT_ID]}" for workflow_id, name in names.items()}
    placeholder = "Choose a workflow"
    if len(words) <= _MOST_LISTED:
        return [Select(_WORKFLOW_KEY, "Workflow", words, placeholder, _workflow_chosen)]
    st.selectbox(
        "Workflow",
        list(words),
        key=_WORKFLOW_KEY,
        index=0 if session else None,
        format_func=words.__getitem__,
        placeholder=placeholder,
        on_change=_workflow_chosen,
    )
    return []


def _workflow_chosen() -> None:
    chosen = state.widget(_WORKFLOW_KEY)
    if chosen is not None:
        actions.open_workflow(chosen)


def _version(session: DebugSession, versions: list[VersionSummary]) -> Select:
    labels = {str(version.version_number): version.label for version in versions}
    shown = session.version_number
    if shown is not None:
        labels.setdefault(str(shown), f"v{shown}")
    state.set_widget(_VERSION_KEY, None if shown is None else str(shown))
    return Select(_VERSION_KEY, "Version", labels, "The active version", _version_chosen)


def _version_chosen() -> None:
    session, chosen = state.record(CurrentRun).session, state.widget(_VERSION_KEY)
    if session is not None and chosen is not None:
        actions.open_workflow(session.workflow_id, int(chosen))


def workflow_import(backend: Backend) -> None:
    """Draw the import of a file."""
    reason = backend.capabilities.reason_against("import_workflow") or denied(_import) or None
    box = Disclosure("import", "Import workflow", ":material/upload_file:")
    bar("import_bar", [box], low=True)
    if box.is_open:
        _file(backend, reason)


def _file(backend: Backend, reason: str | None) -> None:
    if reason:
        st.caption(plain(reason))
    file = st.file_uploader(
        "Fully hydrated workflow (JSON)",
        type=["json"],
        key=f"import_file_{state.record(_WorkflowUploads).count}",
        disabled=reason is not None,
    )
    if file is None:
        return
    try:
        workflow = load_workflow(file.getvalue())
    except DebuggerError as error:
        show_error(error)
        return
    _found(workflow, backend)


def _found(workflow: Workflow, backend: Backend) -> None:
    problems = check(workflow, backend.node_types)
    st.caption(
        f"{plain(workflow.name)}: {count(len(workflow.node_configs), 'node')}, "
        f"{count(len(workflow.edge_configs), 'edge')}"
    )
    if problems:
        st.caption(problems_title(problems))
        show_problems(problems)
    st.button(
        "Import",
        key="import_now",
        type="primary",
        icon=":material/check:",
        args=(workflow,),
        **on_click(_import, help="Keep it as a new workflow and show it"),
    )


@command
@requires(Role.ADMIN)
def _import(workflow: Workflow) -> None:
    actions.import_workflow(dict(workflow.to_wire()))
    if state.record(LastAction).error is None:
        state.record(_WorkflowUploads).count += 1  # a new key: the uploader is empty again

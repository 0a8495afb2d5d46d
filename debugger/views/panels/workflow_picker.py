"""Choice of a workflow and its version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import streamlit as st

from debugger.backends.base import Backend
from debugger.engine.nodes import NODE_TYPES
from debugger.errors import DebuggerError, InputError, NotFoundError
from debugger.graph.checks import check
from debugger.protocol.base import is_id
from debugger.protocol.workflow import VersionSummary, WorkflowSummary
from debugger.session.session import DebugSession
from debugger.views import actions, state
from debugger.views.actions import action
from debugger.views.backend_cache import BackendCache
from debugger.views.components.error_box import error_field, problems_title, show_error, show_problems
from debugger.views.components.markdown import listed
from debugger.views.components.toolbar import Disclosure, Item, Select, Spacer, bar
from debugger.views.panels.workflow_files import FILES_KEY, workflow_file, workflow_import
from debugger.views.run_state import CurrentRun
from debugger.views.state import LastAction

Row = TypeVar("Row")

_WORKFLOW_KEY = "workflow"
_VERSION_KEY = "version"
_OPEN_KEY = "open_workflow"
_MAX_RECENT_RUNS = 100
"""Newest runs that are read for the order of the workflows."""
_MAX_NAMED = 4
"""Workflows that an error names."""


@dataclass
class OpenedWorkflows:
    """The workflows that this tab has opened."""

    ids: list[str] = field(default_factory=list)
    """The last one first."""

    def note(self, workflow_id: str) -> None:
        """Put a workflow first."""
        if self.ids[:1] != [workflow_id]:
            self.ids = [workflow_id, *(each for each in self.ids if each != workflow_id)]


def choose_workflow(backend: Backend) -> None:
    """Draw workflow and version in one line, and what it opens: another workflow by its id, and files.

    The version's problems follow, if any; raises `DebuggerError` when they cannot be had. Without a session
    no version is drawn; where the workflows cannot be listed, the error, with a button to try again, and the
    list that was known last, if any.
    """
    session = state.record(CurrentRun).session
    workflows = _known(("workflows",), lambda: backend.workflows())
    versions: list[VersionSummary] = []
    if session is not None:
        question = ("versions", session.workflow_id)
        versions = _known(question, lambda: session.backend.versions(session.workflow_id)) or []
    files = Disclosure(
        FILES_KEY,
        "Files",
        ":material/upload_file:",
        help="Open a workflow by its id, import a file, and the file of this version",
        yields=True,
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", wrap=False, key="picker"):
        if workflows is not None:
            _workflow(backend, session, workflows)
        version: list[Item] = [] if session is None else [_version(session, versions)]
        bar("picker_bar", [Spacer(), *version, files], low=True, width="content")
    if files.is_open:
        with st.container(border=True, gap="small", key="workflow_files_box"):
            _open_by_id()
            workflow_import(backend)
            if session is not None:
                workflow_file(session, versions)
    if session is not None:
        _problems(session)


def _problems(session: DebugSession) -> None:
    """Draw a closed box with the problems of the session's version; nothing without any.

    They are kept in the cache. Raises `DebuggerError` when the check ends in one, now or a moment ago.
    """
    question = ("problems", session.workflow_id, str(session.version_number))
    problems = state.record(BackendCache).ask(
        question, lambda: check(session.workflow, session.backend.node_types, NODE_TYPES)
    )
    if problems:
        with st.expander(problems_title(problems), icon=":material/rule:", type="compact", key="problems"):
            show_problems(problems)


def _known(question: tuple[str, ...], ask: Callable[[], list[Row]]) -> list[Row] | None:
    """Return a list from the cache or the backend.

    An error is drawn with a button that lets the cache expire; the last known list is returned, ``None`` if
    there is none.
    """
    answers = state.record(BackendCache)
    try:
        return answers.ask(question, ask)
    except DebuggerError as error:
        show_error(error)
        st.button("Try again", key=f"again_{question[0]}", icon=":material/refresh:", on_click=answers.expire)
        last: list[Row] | None = answers.last(question)
        return last


def _workflow(backend: Backend, session: DebugSession | None, workflows: list[WorkflowSummary]) -> None:
    """Draw the choice of the workflow, the last used first.

    Sets its session key to the workflow on view, which is an option in any case and counts as opened by this
    tab. A change opens the chosen workflow.
    """
    names = {each.id: each.label for each in workflows}
    if session is not None:
        names.setdefault(session.workflow_id, session.workflow.name)
        state.record(OpenedWorkflows).note(session.workflow_id)
    words = {each: f"{names[each]} · {each}" for each in _recent_first(backend, list(names))}
    state.set_widget(_WORKFLOW_KEY, session.workflow_id if session else None)
    st.selectbox(
        "Workflow",
        list(words),
        key=_WORKFLOW_KEY,
        index=0 if session else None,
        format_func=lambda value: words.get(value, value),
        placeholder="Choose a workflow",
        filter_mode="contains",
        on_change=_workflow_chosen,
    )


def _recent_first(backend: Backend, workflow_ids: list[str]) -> list[str]:
    """Return ids by last use; those never used keep their order, after the others.

    Those that this tab has opened come first, then those of the newest runs, which are left out where the
    backend cannot list them.
    """
    try:
        runs = state.record(BackendCache).ask(
            ("recent_runs",), lambda: backend.runs(size=_MAX_RECENT_RUNS).rows
        )
    except DebuggerError:
        runs = []  # the order is a convenience, the list itself reports the fault
    used = dict.fromkeys([*state.record(OpenedWorkflows).ids, *(run.workflow_id for run in runs)])
    rank = {workflow_id: place for place, workflow_id in enumerate(used)}
    return sorted(workflow_ids, key=lambda each: rank.get(each, len(rank)))


def _workflow_chosen() -> None:
    """Open what was chosen, unless it is on view.

    Streamlit reports the value of a box that was taken off the page once more, as a change: opened again, it
    would take the run from view that was started from it.
    """
    chosen, session = state.widget(_WORKFLOW_KEY), state.record(CurrentRun).session
    if chosen and (session is None or chosen != session.workflow_id):
        actions.open_workflow(chosen)


def _open_by_id() -> None:
    """Draw the box that opens a workflow by its id or a part of its name; an error of it is shown there."""
    with error_field(_OPEN_KEY):
        st.text_input(
            "Open by id",
            key=_OPEN_KEY,
            placeholder="Id, or a part of the name",
            help="An id of 24 digits is opened even if the list does not have it",
            on_change=_text_entered,
        )


def _text_entered() -> None:
    """Open the workflow that the typed text names; nothing for a blank text.

    If it is opened, the box is emptied and the files are closed; else the text stays, and the error in
    `LastAction` is shown at the box.
    """
    text = (state.widget(_OPEN_KEY) or "").strip()
    if text:
        open_found(text)
        last = state.record(LastAction)
        last.field = _OPEN_KEY
        if last.error is None:  # else it stays, to be corrected
            state.set_widget(_OPEN_KEY, "")
            state.set_widget(FILES_KEY, False)


@action()
def open_found(text: str) -> None:
    """Open a workflow by its id, or the only match of a text.

    A workflow that is not in the list is opened by its id. A `NotFoundError` is kept in `LastAction` where
    the backend has no such workflow, or the text is no id and finds nothing; an `InputError` where it finds
    several workflows.
    """
    known = state.record(BackendCache).last(("workflows",)) or []
    actions.open_workflow(text if is_id(text) else found_by_name(text, known).id)


def found_by_name(text: str, workflows: Sequence[WorkflowSummary]) -> WorkflowSummary:
    """Return the only workflow whose name or id contains a text.

    A workflow that has the text as its name comes before others that contain it.

    Raises:
        NotFoundError: There is none.
        InputError: There are several.
    """
    wanted = text.casefold()
    found = [each for each in workflows if wanted in each.label.casefold() or wanted in each.id]
    exact = [each for each in found if each.label.casefold() == wanted]
    if len(exact) == 1 or len(found) == 1:
        return exact[0] if len(exact) == 1 else found[0]
    if not found:
        raise NotFoundError(
            f"No workflow has {text!r} in its name or id.",
            advice="Type a part of a name, or paste a whole id of 24 digits.",
        )
    names = listed([each.label for each in found], _MAX_NAMED)
    raise InputError(
        f"{len(found)} workflows have {text!r} in name or id: {names}.",
        advice="Choose one of them in the list, or type more.",
    )


def _version(session: DebugSession, versions: list[VersionSummary]) -> Select:
    """Return the choice of the version; the one on view is an option in any case.

    Sets its session key to that version, ``None`` for the active one. A change opens the chosen version.
    """
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

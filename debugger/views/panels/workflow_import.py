"""The import of a workflow from a file."""

from __future__ import annotations

import streamlit as st

from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.graph.checks import check
from debugger.graph.load import load_workflow
from debugger.protocol.workflow import Workflow
from debugger.store import Role
from debugger.views import actions, state
from debugger.views.actions import command
from debugger.views.auth.permissions import denied, on_click, requires
from debugger.views.components.error_box import show_error
from debugger.views.components.markdown import count, plain
from debugger.views.components.problems import problems_title, show_problems
from debugger.views.components.toolbar import Disclosure, bar


def workflow_import(backend: Backend) -> None:
    """Draw the import: a file, what is found in it, and the button that keeps it."""
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
        key=f"import_file_{state.page().imports}",
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
    if state.page().error is None:
        state.page().imports += 1  # a new key: the uploader is empty again

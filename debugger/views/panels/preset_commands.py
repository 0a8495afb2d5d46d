"""What the controls of presets and of recalled run inputs do."""

from __future__ import annotations

from debugger.protocol.base import JsonObject
from debugger.session.input_history import Carried, Recall
from debugger.session.run_input import RunInputModel
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import actions, state
from debugger.views.actions import command
from debugger.views.auth.permissions import requires
from debugger.views.backends import notebook


@command
@requires(Role.RUN)
def keep_preset(session: DebugSession, name: str) -> None:
    """Keep the input that the workflow is started with, under a name."""
    value = actions.start_input(state.page(), session).value
    notebook().keep_preset(session.workflow_id, name, value)


@command
@requires(Role.RUN)
def delete_preset(session: DebugSession, name: str) -> None:
    """Forget a preset; what was loaded from it stays."""
    notebook().delete_preset(session.workflow_id, name)


@command
@requires(Role.RUN)
def load_preset(session: DebugSession, name: str) -> None:
    """Start with a preset."""
    value = next(
        (found.run_input for found in notebook().presets(session.workflow_id) if found.name == name), None
    )
    if value is not None:
        _carry(session, Carried(value, f"preset {name}"))


@command
@requires(Role.RUN)
def recall_older(session: DebugSession) -> None:
    """Start with what the run before the last recalled one was started with."""
    recall = recall_of(session)
    before = recall.current
    recall.older()
    if recall.current is not None and recall.current is not before:
        _carry(session, recall.current)


@command
@requires(Role.RUN)
def recall_newer(session: DebugSession) -> None:
    """Start with what the run after the last recalled one was started with."""
    recall = recall_of(session)
    recall.newer()
    if recall.current is not None:
        _carry(session, recall.current)


@command
@requires(Role.RUN)
def back_to_defaults(session: DebugSession) -> None:
    """Start with what the workflow itself suggests."""
    page = state.page()
    page.recalls.pop(_looked_from(session), None)
    page.carried.pop(session.workflow_id, None)
    _take(session, actions.first_input(session.workflow))


def recall_of(session: DebugSession) -> Recall:
    """The earlier inputs of the workflow, as far as they were looked at in this tab."""
    recalls, place = state.page().recalls, _looked_from(session)
    if place not in recalls:
        recalls[place] = Recall(session.backend, session.workflow_id)
    return recalls[place]


def _looked_from(session: DebugSession) -> str:
    """A run that has begun since is looked back at as well."""
    return f"{session.backend.name} {session.workflow_id} {session.run_id}"


def _carry(session: DebugSession, carried: Carried) -> None:
    state.page().carried[session.workflow_id] = carried
    _take(session, carried.value)


def _take(session: DebugSession, value: JsonObject) -> None:
    key = (session.workflow_id, session.version_number)
    state.page().start_inputs[key] = RunInputModel(dict(value))
    state.renew_editors()

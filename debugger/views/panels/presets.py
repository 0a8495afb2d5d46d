"""Presets, recalled inputs, and differences from the defaults."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from debugger.analysis.differences import differences
from debugger.errors import DebuggerError
from debugger.protocol.base import JsonObject
from debugger.protocol.notes import Preset
from debugger.session.input_history import InputHistory, ReusedInput
from debugger.session.run_input import Origin, RunInputModel
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import actions, state
from debugger.views.actions import command
from debugger.views.auth.permissions import explain_denial, on_click, requires
from debugger.views.backends import notebook
from debugger.views.components.error_box import show_error
from debugger.views.components.markdown import count, difference_lines, plain
from debugger.views.run_state import RunInputs
from debugger.views.state import LastAction

_CHOICE_KEY, _NAME_KEY = "preset", "preset_name"


@dataclass
class ReusedInputs:
    """Inputs of earlier runs that are used again."""

    histories: dict[str, InputHistory] = field(default_factory=dict)
    """Earlier run inputs, as far as they were looked at, by workflow and backend."""
    sources: dict[str, ReusedInput] = field(default_factory=dict)
    """The origin of the input that each workflow is started with."""


def presets(session: DebugSession, model: RunInputModel) -> None:
    """Draw them in a line, with what was carried over below it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", key="presets"):
        _menu(session, model)
        st.space("stretch")
        _recall(session)
    _carried(session, model)
    _differences(session, model)


def _menu(session: DebugSession, model: RunInputModel) -> None:
    with st.popover("Presets", icon=":material/bookmarks:", key="presets_menu"):
        try:
            presets_stored = notebook().presets(session.workflow_id)
        except DebuggerError as error:
            show_error(error)
            return
        _choice(session, presets_stored)
        st.text_input(
            "Name",
            key=_NAME_KEY,
            max_chars=80,
            placeholder="What it is for",
            disabled=bool(explain_denial(_keep)),
        )
        st.button(
            "Save as preset",
            key="keep_preset",
            icon=":material/bookmark_add:",
            args=(session,),
            **on_click(
                _keep,
                disabled=bool(model.problems),
                help="Correct the run input first"
                if model.problems
                else "A preset of the same name is replaced; secrets are left out",
            ),
        )


def _choice(session: DebugSession, presets_stored: list[Preset]) -> None:
    if not presets_stored:
        st.caption("Run inputs of this workflow that you save are listed here, for every version of it.")
        return
    names = [preset.name for preset in presets_stored]
    if state.widget(_CHOICE_KEY) not in names:
        state.forget_widget(_CHOICE_KEY)
    st.selectbox("Preset", names, key=_CHOICE_KEY, format_func=plain)
    with st.container(horizontal=True, gap="xsmall"):
        st.button("Load", key="load_preset", icon=":material/input:", args=(session,), **on_click(_load))
        st.button(
            "Delete", key="delete_preset", icon=":material/delete:", args=(session,), **on_click(_delete)
        )


@command
@requires(Role.RUN)
def _keep(session: DebugSession) -> None:
    keep_preset(session, state.widget(_NAME_KEY) or "")
    if state.record(LastAction).error is None:
        state.set_widget_from_callback(_NAME_KEY, "")


@command
@requires(Role.RUN)
def _load(session: DebugSession) -> None:
    load_preset(session, state.widget(_CHOICE_KEY))


@command
@requires(Role.RUN)
def _delete(session: DebugSession) -> None:
    delete_preset(session, state.widget(_CHOICE_KEY))


def _recall(session: DebugSession) -> None:
    recall = recall_of(session)
    st.button(
        "Earlier input",
        key="recall_older",
        icon=":material/history:",
        type="tertiary",
        args=(session,),
        **on_click(
            recall_older,
            disabled=not recall.has_older,
            help="What the runs of this workflow were started with, the newest first; each input once",
        ),
    )
    st.button(
        "Later input",
        key="recall_newer",
        icon=":material/redo:",
        type="tertiary",
        args=(session,),
        **on_click(recall_newer, disabled=not recall.has_newer),
    )


def _carried(session: DebugSession, model: RunInputModel) -> None:
    carried = state.record(ReusedInputs).sources.get(session.workflow_id)
    if carried is not None:
        changed = "" if carried.value == model.value else ", changed since"
        st.caption(
            f":material/subdirectory_arrow_right: Values carried from {plain(carried.source)}{changed}"
        )


def _differences(session: DebugSession, model: RunInputModel) -> None:
    found = differences(actions.first_input(session.workflow), model.value)
    if not found:
        return
    with st.expander(
        f"Differs from the defaults in {count(len(found), 'value')}", type="compact", key="input_differences"
    ):
        difference_lines(found)
        st.button(
            "Back to the defaults",
            key="input_defaults",
            icon=":material/restart_alt:",
            args=(session,),
            **on_click(back_to_defaults),
        )


@command
@requires(Role.RUN)
def keep_preset(session: DebugSession, name: str) -> None:
    """Keep the input that the workflow is started with, under a name."""
    value = actions.start_input(session).value
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
        _carry(session, ReusedInput(value, f"preset {name}"), "preset")


@command
@requires(Role.RUN)
def recall_older(session: DebugSession) -> None:
    """Use the input of the run before the last recalled one."""
    recall = recall_of(session)
    before = recall.current
    recall.older()
    if recall.current is not None and recall.current is not before:
        _carry(session, recall.current)


@command
@requires(Role.RUN)
def recall_newer(session: DebugSession) -> None:
    """Use the input of the run after the last recalled one."""
    recall = recall_of(session)
    recall.newer()
    if recall.current is not None:
        _carry(session, recall.current)


@command
@requires(Role.RUN)
def back_to_defaults(session: DebugSession) -> None:
    """Start with what the workflow itself suggests."""
    reused = state.record(ReusedInputs)
    reused.histories.pop(_looked_from(session), None)
    reused.sources.pop(session.workflow_id, None)
    _take(session, actions.first_input(session.workflow))


def recall_of(session: DebugSession) -> InputHistory:
    """Return the history of the workflow's inputs in this tab."""
    recalls, place = state.record(ReusedInputs).histories, _looked_from(session)
    if place not in recalls:
        recalls[place] = InputHistory(session.backend, session.workflow_id)
    return recalls[place]


def _looked_from(session: DebugSession) -> str:
    return f"{session.backend.name} {session.workflow_id} {session.run_id}"


def _carry(session: DebugSession, carried: ReusedInput, origin: Origin = "carried") -> None:
    state.record(ReusedInputs).sources[session.workflow_id] = carried
    _take(session, carried.value, origin)


def _take(session: DebugSession, value: JsonObject, origin: Origin = "default") -> None:
    key = (session.workflow_id, session.version_number)
    state.record(RunInputs).start[key] = RunInputModel(dict(value), origin)
    state.renew_editors()

"""Sources of a run input: presets, earlier inputs, the defaults, and recorded states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from debugger.analysis.differences import differences
from debugger.analysis.exported_state import exported_state
from debugger.errors import DebuggerError
from debugger.protocol.base import JsonObject
from debugger.protocol.notes import Preset
from debugger.protocol.runs import Run, without_secrets_of_input
from debugger.protocol.turn_logs import TurnLog, turn_logs
from debugger.session.input_history import InputHistory, ReusedInput
from debugger.session.run_input import Origin, RunInputModel
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.store.saved_names import unknown_name
from debugger.views import actions, state
from debugger.views.actions import action
from debugger.views.auth.permissions import explain_denial, on_click
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import local_notes
from debugger.views.components.error_box import error_field, show_error
from debugger.views.components.markdown import count, difference_lines, plain
from debugger.views.edits import DELETED, Place, json_words, see, store_edit
from debugger.views.panels.notes import author
from debugger.views.run_state import RunInputs
from debugger.views.state import LastAction
from debugger.views.times import shown_time

_CHOICE_KEY, _NAME_KEY = "preset", "preset_name"


@dataclass
class ReusedInputs:
    """Inputs of earlier runs that are used again."""

    histories: dict[str, InputHistory] = field(default_factory=dict)
    """Earlier run inputs, as far as they were looked at, by workflow and backend."""
    sources: dict[str, ReusedInput] = field(default_factory=dict)
    """The origin of the input that each workflow is started with."""


def presets(session: DebugSession, model: RunInputModel) -> None:
    """Draw presets and earlier inputs in a line, with what was carried over below it.

    The difference from the defaults follows. Neither is drawn where there is none.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", key="presets"):
        _menu(session, model)
        st.space("stretch")
        _recall(session)
    _carried(session, model)
    _differences(session, model)


def _menu(session: DebugSession, model: RunInputModel) -> None:
    """Draw the popover of the presets: the choice of a stored one, and the name to keep the input under.

    Where the presets cannot be read, the error alone is drawn. Saving is disabled with a problem in the
    input.
    """
    with st.popover("Presets", icon=":material/bookmarks:", type="tertiary", key="presets_menu"):
        try:
            presets_stored = local_notes().presets(session.workflow_id)
        except DebuggerError as error:
            show_error(error)
            return
        _choice(session, presets_stored)
        with error_field(_NAME_KEY):
            st.text_input(
                "Name",
                key=_NAME_KEY,
                max_chars=80,
                placeholder="What it is for",
                disabled=bool(explain_denial(keep_preset)),
            )
        st.button(
            "Save as preset",
            key="keep_preset",
            icon=":material/bookmark_add:",
            args=(session,),
            **on_click(
                keep_preset,
                disabled=bool(model.problems),
                help="Correct the run input first"
                if model.problems
                else "You are asked before another preset of the same name is replaced; secrets are left out",
            ),
        )


def _choice(session: DebugSession, presets_stored: list[Preset]) -> None:
    """Draw the choice of a preset with the buttons that load and delete it; a caption without any.

    Forgets the session key `preset` where it names none of them.
    """
    if not presets_stored:
        st.caption("Run inputs of this workflow that you save are listed here, for every version of it.")
        return
    names = [preset.name for preset in presets_stored]
    if state.widget(_CHOICE_KEY) not in names:
        state.forget_widget(_CHOICE_KEY)
    st.selectbox("Preset", names, key=_CHOICE_KEY)
    with st.container(horizontal=True, gap="xsmall"):
        args = (session,)
        st.button("Load", key="load_preset", icon=":material/input:", args=args, **on_click(load_preset))
        st.button(
            "Delete",
            key="delete_preset",
            icon=":material/delete:",
            args=(session, {preset.name: preset.revision for preset in presets_stored}),
            **on_click(delete_preset),
        )


def _recall(session: DebugSession) -> None:
    """Draw the buttons that use an older or a newer input; each is disabled where there is none."""
    recall = recall_of(session)
    st.button(
        "Previous input",
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
        "Next input",
        key="recall_newer",
        icon=":material/redo:",
        type="tertiary",
        args=(session,),
        **on_click(recall_newer, disabled=not recall.has_newer),
    )


def _carried(session: DebugSession, model: RunInputModel) -> None:
    """Draw the source of carried values, and whether they were changed since; nothing without a source."""
    carried = state.record(ReusedInputs).sources.get(session.workflow_id)
    if carried is not None:
        changed = "" if carried.value == model.value else ", changed since"
        st.caption(
            f":material/subdirectory_arrow_right: Values carried from {plain(carried.source)}{changed}"
        )


def _differences(session: DebugSession, model: RunInputModel) -> None:
    """Draw in which values the input differs from the defaults, and the button back to the defaults.

    Nothing is drawn without a difference.
    """
    found = differences(actions.first_input(session), model.value)
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


@action(role=Role.RUN)
def keep_preset(session: DebugSession) -> None:
    """Keep the input that the workflow is started with, under the typed name, in the local store.

    Secrets are left out. The user is asked where the store has a preset of that name with other values,
    unless this tab has loaded or stored it last. Once stored, the name box is emptied. An error is kept in
    `LastAction`, to be shown at the box.
    """
    state.record(LastAction).field = _NAME_KEY
    value = without_secrets_of_input(actions.start_input(session).value)
    name = " ".join((state.widget(_NAME_KEY) or "").split())

    def store(expected: int) -> int:
        """Store the preset in place of a revision, empty the name box, and return the new revision."""
        kept = local_notes().keep_preset(session.workflow_id, name, value, by=author(), expected=expected)
        state.set_widget_from_callback(_NAME_KEY, "")
        return kept.revision

    store_edit(
        _place(session, name),
        Role.RUN,
        store,
        subject=f"The preset “{name}”",
        mine=json_words(value),
        words=json_words,
        go_on=lambda: state.set_widget_from_callback(_NAME_KEY, name),
    )


@action(role=Role.RUN)
def delete_preset(session: DebugSession, listed: Mapping[str, int]) -> None:
    """Delete the chosen preset from the local store; what was loaded from it stays.

    The user is asked where it has changed since this tab loaded or stored it. An error is kept in
    `LastAction`.
    """
    name = state.widget(_CHOICE_KEY)

    def delete(expected: int) -> int:
        local_notes().delete_preset(session.workflow_id, name, expected=expected)
        return NEVER_WRITTEN

    store_edit(
        _place(session, name),
        Role.RUN,
        delete,
        subject=f"The preset “{name}”",
        mine=DELETED,
        words=json_words,
        listed=listed[name],
    )


@action(role=Role.RUN)
def load_preset(session: DebugSession) -> None:
    """Replace the run input being edited by the chosen preset.

    Lets all editors begin anew. Where another user has deleted it, a `NotFoundError` is kept in `LastAction`.
    """
    name = state.widget(_CHOICE_KEY)
    found = {preset.name: preset for preset in local_notes().presets(session.workflow_id)}
    if name not in found:
        raise unknown_name(name, "preset")
    see(_place(session, name), found[name].revision)
    _carry(session, ReusedInput(found[name].run_input, f"preset {name}"), "preset")


def _place(session: DebugSession, name: str) -> Place:
    return "preset", session.workflow_id, name


@action(role=Role.RUN)
def recall_older(session: DebugSession) -> None:
    """Use the input of the run before the last recalled one.

    Reads records of runs as far as necessary, replaces the start input and lets all editors begin anew.
    Without an older input nothing changes. An error is kept in `LastAction`.
    """
    recall = recall_of(session)
    before = recall.current
    recall.older()
    if recall.current is not None and recall.current is not before:
        _carry(session, recall.current)


@action(role=Role.RUN)
def recall_newer(session: DebugSession) -> None:
    """Use the input of the run after the last recalled one; at the newest, use that one again.

    Replaces the start input and lets all editors begin anew. Nothing changes where no input was read yet.
    """
    recall = recall_of(session)
    recall.newer()
    if recall.current is not None:
        _carry(session, recall.current)


@action(role=Role.RUN)
def back_to_defaults(session: DebugSession) -> None:
    """Start with what the workflow itself suggests.

    Replaces the start input, forgets which input was recalled and its source, and lets all editors begin
    anew. An error is kept in `LastAction`.
    """
    reused = state.record(ReusedInputs)
    reused.histories.pop(_looked_from(session), None)
    reused.sources.pop(session.workflow_id, None)
    _take(session, actions.first_input(session))


def recall_of(session: DebugSession) -> InputHistory:
    """Return the history of the workflow's inputs in this tab, made once per backend, workflow and run."""
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


_MOST_RUNS = 20


def state_copy(session: DebugSession, model: RunInputModel) -> None:
    """Draw the choice of a recorded state to copy.

    Args:
        session: The run on view; offered first.
        model: The input that takes the state.
    """
    runs = _runs(session)
    if not runs:
        st.caption("Once the workflow has runs, the state after any of their turns can be copied here.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xxsmall", key="state_copy"):
        run_id = st.selectbox(
            "Copy from run", list(runs), key=f"copy_run_{session.run_id}", format_func=runs.__getitem__
        )
        turns = _turns(session, run_id)
        numbers = list(dict.fromkeys(turn.number for turn in turns))
        number = st.selectbox(
            "After turn",
            numbers,
            index=len(numbers) - 1 if numbers else None,
            key=f"copy_turn_{run_id}",
            width=96,
        )
        st.button(
            "Copy",
            key="copy_state",
            icon=":material/content_copy:",
            args=(model, turns, number),
            **on_click(
                _copy,
                disabled=number is None,
                help="Use the state of that run after that turn",
            ),
        )


def _runs(session: DebugSession) -> dict[str, str]:
    """Return the words for each run whose state can be copied, by run id; empty without any.

    The run on view is the first, unless it is not stored or in a turn.
    """
    found = {session.run_id: "The run on view"} if session.run_id and not session.busy else {}
    for run in _recent(session):
        label = f"{shown_time(run.created_at)} · {run.workflow_run_id[-6:]}"
        found.setdefault(run.workflow_run_id, label)
    return found


def _recent(session: DebugSession) -> list[Run]:
    """Return the newest runs of the workflow, at most twenty, from the cache or the backend.

    Empty where the backend cannot list them.
    """
    question = ("recent runs", session.workflow_id)
    backend = session.backend
    try:
        page = state.record(BackendCache).ask(
            question, lambda: backend.runs(workflow_id=session.workflow_id, size=_MOST_RUNS)
        )
    except DebuggerError:
        return []  # the pages that need the list tell why it cannot be had
    return page.rows


def _turns(session: DebugSession, run_id: str) -> Sequence[TurnLog]:
    """Return the turns of a run: of the one on view its own, else from the cache or the backend.

    A run that cannot be read gives none, and the error is kept in `LastAction`.
    """
    if run_id == session.run_id:
        return session.turns
    try:
        return state.record(BackendCache).ask(
            ("turns", run_id), lambda: turn_logs(session.backend.run(run_id))
        )
    except DebuggerError as error:
        state.record(LastAction).fail(error)
        return []


@action(role=Role.RUN)
def _copy(model: RunInputModel, turns: Sequence[TurnLog], number: int) -> None:
    try:
        model.set_key("initial_state", exported_state(turns, number))
    finally:
        state.renew_editors()

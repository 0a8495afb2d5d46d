"""Setup of a run: workflow, version, run input, and policies of models and calls."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import streamlit as st

from debugger.analysis.outbound_policies import policy_rows
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import ConflictError, DebuggerError, ForbiddenError
from debugger.session.session import DebugSession
from debugger.settings import Settings
from debugger.store import Role
from debugger.views import actions, backends, refresh, state
from debugger.views.actions import action
from debugger.views.auth.permissions import explain_denial, may, on_click
from debugger.views.backends import EngineChoices, current_backend
from debugger.views.components.error_box import show_failures, show_unexpected_errors
from debugger.views.components.side_dialog import dialog_footer, side_dialog
from debugger.views.components.toolbar import Button, Item, Line, Spacer, Text, bar, bars
from debugger.views.confirmations import OpenQuestions
from debugger.views.navigation import ViewMode
from debugger.views.panels.run_input import input_line, run_input
from debugger.views.panels.side_effects import policies_of
from debugger.views.panels.workflow_picker import choose_workflow
from debugger.views.run_state import CurrentRun
from debugger.views.run_view import RunView
from debugger.views.shortcuts import keys


@dataclass
class SetupState:
    """State of the setup dialog."""

    is_open: bool = False
    session: DebugSession | None = None
    """The session that it was opened for; it closes when another one is on view."""


def head_state(session: DebugSession) -> Hashable:
    """Return what the head of the page shows."""
    progress = session.status == "not_started", bool(session.turns), session.busy
    return session, session.run_id, progress, state.record(SetupState).is_open


def run_head(view: RunView) -> None:
    """Draw workflow and run in the page's head, and the open dialog.

    Where the setup is beside the graph, the title is a text, else a button that opens the setup dialog.
    """
    session = view.session
    version = "" if session.version_number is None else f" · v{session.version_number}"
    title = f"{session.workflow.name}{version}"
    items: list[Item] = [Spacer()]
    if is_setup_beside_graph(session):
        items.append(Text(title, look="strong", key="title"))
    else:
        items.append(
            Button(
                "setup",
                title,
                open_setup,
                icon=":material/menu:",
                shows="words, cut",
                help="Change workflow, version or run input",
            )
        )
    bars("run_head_bar", [Line("run_head_line", items, low=True, overflow=("title",))])
    setup_dialog()


def is_setup_beside_graph(session: DebugSession) -> bool:
    """Return whether the setup replaces the conversation, as before the first turn.

    False in the demo view and while the first turn is under way.
    """
    return (
        session.status == "not_started"
        and not session.busy
        and not session.turns
        and not state.record(ViewMode).is_demo
    )


def open_setup() -> None:
    """Show the setup dialog."""
    state.record(SetupState).is_open = True
    state.record(SetupState).session = state.record(CurrentRun).session


@action(role=Role.RUN)
def open_restart() -> None:
    """Show the setup dialog with the input of another run."""
    state.set_widget(state.INPUT_KEY, "Restart")
    open_setup()


def close_setup() -> None:
    """Leave the setup dialog."""
    state.record(SetupState).is_open = False


def setup_dialog() -> None:
    """Draw the dialog while it is open."""
    if state.record(SetupState).is_open and not state.record(OpenQuestions).is_open:
        side_dialog("Workflow and run input", icon=":material/tune:", on_dismiss=close_setup)(_dialog)()


@show_unexpected_errors("The setup dialog")
def _dialog() -> None:
    """Draw the workflow's picker, the run input, the engine's choices, and the button that uses the input.

    Where the dialog is not open for the run on view, or a question to the user is, the page is rerun, which
    closes the dialog; the former also marks it as closed. A backend that cannot be opened leaves the picker
    out.
    """
    setup, session = state.record(SetupState), state.record(CurrentRun).session
    if not setup.is_open or session is None or not _is_same_run(session, setup.session):
        setup.is_open = False
        st.rerun()  # only that closes a dialog
    if state.record(OpenQuestions).is_open:
        st.rerun()  # a page shows one dialog at a time
    show_failures("setup")  # the page shows it too, but under the dialog
    with st.container(key="setup_dialog", gap="small"):
        with suppress(DebuggerError):  # the page reports a backend that cannot be opened
            choose_workflow(current_backend())
        run_input(session)
        engine_choices(session)
    with dialog_footer():
        _use_input(session)


def _use_input(session: DebugSession) -> None:
    """Draw the button for what the input is for: the first run, another run, or the next turn.

    The first two start a run and close the dialog, the last closes it alone. They are disabled in a turn,
    where the backend runs no turns, and the second while turns are to be loaded.
    """
    no_run = session.backend.capabilities.reason_against("run_turns")
    if session.status == "not_started":
        st.button(
            "Start with these values",
            key="start_now",
            type="primary",
            icon=":material/play_arrow:",
            **on_click(_start, disabled=session.busy or no_run is not None, help=no_run),
        )
    elif session.is_over or state.widget(state.INPUT_KEY) == "Restart":
        help_ = no_run or "Start another run with the input for Restart; this one stays on record"
        disabled = session.busy or bool(session.turns_to_load) or no_run is not None
        st.button(
            "Restart with these values",
            key="restart_now",
            type="primary",
            icon=":material/restart_alt:",
            **on_click(_restart, disabled=disabled, help=help_),
        )
    else:
        st.button(
            "Keep for the next turn",
            key="keep_input",
            type="primary",
            icon=":material/check:",
            on_click=close_setup,
            help="The values are sent with the next message",
        )


def _is_same_run(session: DebugSession, other: DebugSession | None) -> bool:
    """Return whether two sessions are of one run, which may be read again."""
    if other is None or session.run_id != other.run_id:
        return False
    return (session.workflow_id, session.version_number) == (other.workflow_id, other.version_number)


@action(role=Role.RUN)
def _start() -> None:
    close_setup()
    actions.start()


@action(role=Role.RUN)
def _restart() -> None:
    close_setup()
    actions.restart(is_edited=True)


def setup_panel(view: RunView) -> None:
    """Draw the setup beside the graph: workflow, version, the start input as a line, and calls' policies.

    While the line is open, the run input and the engine's choices follow. A backend that cannot be opened
    leaves the picker out.
    """
    session = view.session
    with st.container(key="setup_form"):
        with suppress(DebuggerError):  # the page reports a backend that cannot be opened
            choose_workflow(current_backend())
        is_open = input_line(session)
        st.caption(policies_of(view))
        if is_open:
            run_input(session, has_heading=False)
            engine_choices(session)


def start_bar(view: RunView) -> None:
    """Draw the button that starts the run; style.css lays it over the end of the message box.

    It is disabled, with the reason as its help, where the backend runs no turns.
    """
    no_run = view.session.backend.capabilities.reason_against("run_turns")
    start = Button(
        "start",
        "Start",
        refresh.refreshing("workbench", actions.start),
        icon=":material/play_arrow:",
        look="primary",
        disabled=no_run is not None,
        help=no_run or f"Start a run with this input, without a message ({keys('start')})",
        shortcut=keys("start"),
        names_keys=False,
        awaits_message=True,
    )
    bar("start_bar", [start], low=True, width="content")


_MODEL_SOURCES = {
    "scripted": "The workflow's script, else rules",
    "rules": "Rules",
    "model": "The models that the workflow names",
}
_POLICIES = {"live": "Live: made for real", "simulated": "Simulated: answered here", "blocked": "Blocked"}


def engine_choices(session: DebugSession) -> None:
    """Draw the choices; nothing for a backend that is not the embedded engine.

    They are who answers for models and the policy of each class of calls. A change holds for this tab; live
    calls that the settings do not allow are offered to an administrator only.
    """
    if not isinstance(session.backend, EmbeddedBackend):
        return
    own, current = backends.embedded_backend().settings, session.backend.settings
    with st.expander("Models and calls", icon=":material/tune:", type="compact", key="engine_choices"):
        st.caption(
            "For this tab, from the next turn on, until the page is reloaded; then the settings apply again."
        )
        _choice("Answers for models", "responder", current, _MODEL_SOURCES)
        for row in policy_rows(current):
            name = f"outbound_{row.call_class}"
            allowed = {each: words for each, words in _POLICIES.items() if is_allowed(own, name, each)}
            _choice(f"{row.call_class.capitalize()}: {row.what}", name, current, allowed)


def is_allowed(own: Settings, name: str, value: str) -> bool:
    """Return whether the user may choose a value.

    Calls that the settings do not make for real are made so for an administrator only.

    Args:
        own: The settings of the process.
        name: The setting.
        value: The value that is wanted.
    """
    return value != "live" or getattr(own, name) == "live" or may(Role.ADMIN)


def _choice(label: str, name: str, current: Settings, options: dict[str, str]) -> None:
    """Draw the choice of a setting's value; disabled, with the reason, for a user without the role to run.

    Sets its session key, `choice_` and the name, to the current value, which is an option in any case.
    """
    value = getattr(current, name)
    key = f"choice_{name}"
    state.set_widget(key, value)
    st.selectbox(
        label,
        list(dict.fromkeys([*options, value])),
        key=key,
        format_func=lambda each: options.get(each, str(each)),
        disabled=bool(explain_denial(choose)),
        help=explain_denial(choose) or None,
        on_change=choose,
        args=(name, key),
    )


@action(role=Role.RUN)
def choose(name: str, key: str) -> None:
    """Apply a choice to the run on view and to later ones.

    Writes `EngineChoices` and opens the run, or the workflow, again; who answers stays. A name that is no
    such setting does nothing. A turn under way or paused (`ConflictError`), or live calls without the role
    admin (`ForbiddenError`), refuse it; errors are kept in `LastAction`.
    """
    session, value = state.record(CurrentRun).session, state.widget(key)
    own: Any = backends.embedded_backend().settings
    if name not in {"responder", *(f"outbound_{row.call_class}" for row in policy_rows(own))}:
        return
    if not is_allowed(own, name, value):
        raise ForbiddenError(
            "Calls that the settings do not make for real need the role admin.",
            advice="Choose another policy.",
        )
    if session is not None and (session.busy or session.stop_point is not None):
        raise ConflictError(
            "The turn is still running, so its models and calls cannot change.",
            advice="Wait until it has ended, or stop it.",
        )
    choices = state.record(EngineChoices).values
    choices.pop(name, None)
    if value != getattr(own, name):
        choices[name] = value
    if session is None:
        return
    if session.run_id is not None:
        actions.open_run(session.run_id)
    else:
        actions.open_workflow(session.workflow_id, session.version_number)
    found = state.record(CurrentRun).session
    if found is not None:
        found.human_input.inherit(session.human_input)

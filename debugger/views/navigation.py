"""Synchronization of page and address, and changes of page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import streamlit as st

from debugger.errors import DebuggerError
from debugger.settings import HostedSettings
from debugger.views import actions, connections, state
from debugger.views.address_bar import DebugBar
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend, current_backend, live_sessions
from debugger.views.connections import HostedConnection
from debugger.views.run_state import CurrentRun, Cursor
from debugger.views.state import LastAction, PageLinks
from debugger.views.url_state import Address, BackendName

_LOST_SESSION = (
    "The session of this link is not in this process, or its turn has ended. Its pause and its unsent text "
    "are lost. The run is shown at its last finished turn."
)


PageName = Literal["debug", "runs", "review", "suites", "compare", "replay", "connection", "help", "style"]
"""The paths of the pages, in the order of the navigation; `debugger.views.shell` has the rest."""


@dataclass
class ViewMode:
    """The view mode of the page Debug."""

    is_demo: bool = False
    """Whether the run is shown to someone who wants the conversation and nothing technical."""


@dataclass
class _PageRequest:
    """A change of page that a callback has requested."""

    page: PageName | None = None
    parameters: dict[str, str] | None = None
    """The query parameters of its address."""


def follow_address() -> None:
    """Show what the address names, if a person has gone to another one.

    The view mode always follows. A backend that is none is left out. A session with a turn under way is
    joined; else the run, or the place in the one on view, or the workflow is shown. Errors of these actions
    are in `LastAction`. A run that was opened in place of a lost session gets a notice.
    """
    bar, run = state.record(DebugBar), state.record(CurrentRun)
    wanted, shown = bar.wanted(), bar.shown
    if wanted is None:
        return
    is_same_run = replace(wanted, is_demo=shown.is_demo, setup=shown.setup) == shown
    bar.shown, state.record(ViewMode).is_demo = wanted, wanted.is_demo
    if is_same_run:
        return
    names: tuple[BackendName, ...] = ("embedded", "hosted", "recording")
    for name in names:
        if wanted.backend == name:
            actions.choose_backend(name, wanted.connection if name == "hosted" else "")
    live = live_sessions().find(wanted.session) if wanted.session else None
    if live is None and state.record(CurrentBackend).name == "hosted":
        live = connections.owner().session_of(
            state.record(HostedConnection).name, wanted.workflow, wanted.run
        )
    if live is not None:
        actions.join(live)
    elif wanted.run and (run.session is None or run.session.run_id != wanted.run):
        actions.open_run(wanted.run, wanted.turn, wanted.event)
        if wanted.session and run.session is not None and run.session.run_id == wanted.run:
            run.session.notice = _LOST_SESSION
    elif wanted.run:  # it is on view; without a turn while its first one is being executed
        actions.select_place(wanted.turn, wanted.event)
    elif wanted.workflow:
        actions.take_setups(wanted.setup)
        actions.open_workflow(wanted.workflow)


def go_to(name: PageName, parameters: dict[str, str] | None = None) -> None:
    """Request another page from a callback, which cannot switch itself.

    Args:
        name: The page's name.
        parameters: The query parameters of its address.
    """
    state.replace_record(_PageRequest(name, parameters))


def start_button() -> None:
    """Draw the button that leads from an empty page to the page Debug, where a run is started."""
    st.button(
        "Start a run",
        key="start_first",
        type="primary",
        icon=":material/play_arrow:",
        on_click=go_to,
        args=("debug",),
    )


def leave_for_page() -> None:
    """Go to the page that a callback has requested, which ends this run of the script.

    Does nothing without a request. A request is carried out once.
    """
    request = state.record(_PageRequest)
    state.replace_record(_PageRequest())
    if request.page is not None:
        st.switch_page(state.record(PageLinks).by_name[request.page], query_params=request.parameters)


def follow_view_mode() -> None:
    """Apply the view mode of the address.

    The head is drawn before the rest of the address is followed.
    """
    bar = state.record(DebugBar)
    wanted = bar.read()
    if wanted.is_demo != bar.shown.is_demo and not bar.is_stale(wanted):
        state.record(ViewMode).is_demo = wanted.is_demo


def connection_on_view() -> tuple[str, HostedSettings | None] | BackendName:
    """Return the hosted connection of the page with its settings where known, or the backend that has none.

    The head is drawn before the rest of the page follows the address.
    """
    hosted, wanted = state.record(HostedConnection), state.record(DebugBar).wanted()
    if wanted is None or not wanted.backend:
        wanted = Address(state.record(CurrentBackend).name, connection=hosted.name)
    if wanted.backend != "hosted":
        return "recording" if wanted.backend == "recording" else "embedded"
    if wanted.connection and wanted.connection != hosted.name:
        name = wanted.connection
        try:
            return name, connections.connection(name)
        except DebuggerError:
            return name, None
    try:
        return connections.connection_in_use()
    except DebuggerError:
        return hosted.name, None


def choose_first_workflow() -> None:
    """Show the newest workflow where nothing else is on view.

    Does nothing where there is a session, an error of the last action, or an address of a workflow or a run;
    nor where the list of workflows is empty or cannot be read.
    """
    session, shown = state.record(CurrentRun).session, state.record(DebugBar).shown
    if session is not None or state.record(LastAction).error is not None or shown.workflow or shown.run:
        return
    try:
        newest = state.record(BackendCache).ask(("workflows",), lambda: current_backend().workflows())
    except DebuggerError:
        return  # the list itself tells why it cannot be had
    if newest:
        actions.open_workflow(newest[0].id)


def current_address() -> Address:
    """Return the address of what the page shows.

    Without a session it has backend, connection and view mode alone. While a run is read it names the place
    to open, and while events are played the place that the address bar has.
    """
    session, backend_name = state.record(CurrentRun).session, state.record(CurrentBackend).name
    is_demo = state.record(ViewMode).is_demo
    connection = state.record(HostedConnection).name if backend_name == "hosted" else ""
    if session is None:
        return Address(backend_name, is_demo=is_demo, connection=connection)
    cursor, shown = state.record(Cursor), state.record(DebugBar).shown
    event = cursor.event
    if session.turns_to_load:
        turn, event = cursor.turn_to_open, cursor.event_to_open
    elif cursor.is_playing and event is not None and session.started_run_id == shown.run:
        turn, event = shown.turn, shown.event  # one place at its end, not hundreds
    else:
        turn = session.turn_of(event)
    token = live_sessions().token_of(session) if backend_name == "embedded" else ""
    run_id = session.started_run_id or ""
    names = backend_name, session.workflow_id, run_id
    return Address(*names, turn, is_demo, token, connection, event, actions.setup_token(session))

"""Synchronization of page and address, and changes of page."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from debugger.errors import DebuggerError
from debugger.settings import HostedSettings
from debugger.views import actions, connections, state
from debugger.views.backends import current_backend, live_sessions
from debugger.views.cursor_state import CursorState
from debugger.views.state import BackendName
from debugger.views.url_state import Address

_LOST_SESSION = (
    "The session of this link is not in this process, or its turn has ended. Its pause and its unsent text "
    "are lost. The run is shown at its last finished turn."
)


def follow_address() -> None:
    """Show what the address names, if it has changed."""
    page = state.page()
    wanted = state.address()
    if wanted == page.shown_address or wanted == Address() or state.is_stale(wanted):
        return
    is_same_run = replace(wanted, is_demo=page.shown_address.is_demo) == page.shown_address
    page.shown_address, page.is_demo = wanted, wanted.is_demo
    if is_same_run:
        return
    names: tuple[BackendName, ...] = ("embedded", "hosted", "recording")
    for name in names:
        if wanted.backend == name:
            actions.choose_backend(name, wanted.connection if name == "hosted" else "")
    live = live_sessions().find(wanted.session) if wanted.session else None
    if live is None and page.backend_name == "hosted":
        live = connections.owner().session_of(page.connection_name, wanted.workflow, wanted.run)
    if live is not None:
        actions.join(live)
    elif wanted.run and (page.session is None or page.session.run_id != wanted.run):
        actions.open_run(wanted.run, wanted.turn, wanted.event)
        if wanted.session and page.session is not None:
            page.session.notice = _LOST_SESSION
    elif wanted.run:  # it is on view; without a turn while its first one is being executed
        actions.select_place(wanted.turn, wanted.event)
    elif wanted.workflow:
        actions.open_workflow(wanted.workflow)


def go_to(name: str) -> None:
    """Request another page from a callback, which cannot switch itself."""
    state.page().goes_to = name


def leave_for_page() -> None:
    """Go to the page that a callback has requested."""
    page = state.page()
    wanted, page.goes_to = page.goes_to, None
    if wanted is not None:
        st.switch_page(page.links[wanted])


def follow_view_mode() -> None:
    """Apply the view mode of the address.

    The head is drawn before the rest of the address is followed.
    """
    page = state.page()
    wanted = state.address()
    if wanted.is_demo != page.shown_address.is_demo and not state.is_stale(wanted):
        page.is_demo = wanted.is_demo


def connection_on_view() -> tuple[str, HostedSettings | None] | None:
    """Return the connection of the page, with its settings where known.

    ``None`` where it is another backend. The head is drawn before the rest of the page follows the address.
    """
    page = state.page()
    wanted = state.address()
    if wanted in (page.shown_address, Address()) or not wanted.backend or state.is_stale(wanted):
        wanted = Address(page.backend_name, connection=page.connection_name)
    if wanted.backend != "hosted":
        return None
    if wanted.connection and wanted.connection != page.connection_name:
        name = wanted.connection
        try:
            return name, connections.connection(name)
        except DebuggerError:
            return name, None
    try:
        return connections.connection_in_use()
    except DebuggerError:
        return page.connection_name, None


def choose_first_workflow() -> None:
    """Show the newest workflow where nothing else is on view."""
    page = state.page()
    requested = page.shown_address.workflow or page.shown_address.run
    if page.session is not None or page.error is not None or requested:
        return
    try:
        newest = page.answers.ask(("workflows",), lambda: current_backend().workflows())
    except DebuggerError:
        return  # the list itself tells why it cannot be had
    if newest:
        actions.open_workflow(newest[0].id)


def current_address() -> Address:
    """Return the address of what the page shows."""
    page = state.page()
    session = page.session
    connection = page.connection_name if page.backend_name == "hosted" else ""
    if session is None:
        return Address(page.backend_name, is_demo=page.is_demo, connection=connection)
    cursor, event = state.record(CursorState), page.event
    if session.turns_to_load:
        turn, event = page.turn_to_open, cursor.event_to_open
    elif cursor.is_playing and event is not None and session.started_run_id == page.shown_address.run:
        turn, event = page.shown_address.turn, page.shown_address.event  # one place at its end, not hundreds
    else:
        turn = session.turn_of(event)
    token = live_sessions().token_of(session) if page.backend_name == "embedded" else ""
    run_id = session.started_run_id or ""
    names = page.backend_name, session.workflow_id, run_id
    return Address(*names, turn, page.is_demo, token, connection, event)

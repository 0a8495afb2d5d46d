"""The page on which a run is stepped and looked into."""

from __future__ import annotations

import streamlit as st

from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.session.session import DebugSession
from debugger.views import commands, linking, state
from debugger.views.backends import current_backend
from debugger.views.parts.context_bar import context_bar
from debugger.views.parts.conversation import conversation
from debugger.views.parts.cut_off import cut_off
from debugger.views.parts.faults import show_error
from debugger.views.parts.graph_badges import graph_badges, toggle_breakpoint
from debugger.views.parts.graph_pane import graph_pane
from debugger.views.parts.inspector import inspector
from debugger.views.parts.lower_pane import lower_pane
from debugger.views.parts.run_input import run_input
from debugger.views.parts.stepping import stepping
from debugger.views.parts.workflow_import import workflow_import
from debugger.views.parts.workflow_picker import workflow_picker
from debugger.views.reading import reading

_POLL_SECONDS = 0.3
_BACKGROUND_POLL_SECONDS = 0.5


def render() -> None:
    """Draw the page."""
    linking.follow_address()
    try:
        backend = current_backend()
    except DebuggerError as error:
        show_error(error)
        st.page_link(state.page().links["connection"], label="Open Connection", icon=":material/cable:")
        return
    linking.choose_first_workflow()
    commands.take_in_turn()
    _setup(backend)
    session = state.page().session
    if session is None:
        _show_errors(None)
        st.caption("Choose a workflow on the left, or import one, to see it here.")
        return
    st.fragment(_workbench, run_every=_poll_seconds(session))(_standing(session))


def _setup(backend: Backend) -> None:
    with st.sidebar:
        workflow_picker(backend)
        workflow_import(backend)
        session = state.page().session
        if session is not None:
            run_input(session)


def _poll_seconds(session: DebugSession) -> float | None:
    """How often a session is looked at by itself; ``None`` when nothing can happen."""
    if session.stop_point is not None:
        return None
    if session.busy:
        return _POLL_SECONDS
    return _BACKGROUND_POLL_SECONDS if session.pace.goes_on or session.is_stepping else None


def _standing(session: DebugSession) -> tuple[object, ...]:
    """What of a session the page outside the workbench shows, and how often it is polled."""
    number = session.turns[-1].number if session.turns else 0
    stands = session.stop_point
    moves = _poll_seconds(session)
    return session, session.run_id, session.status, number, stands, moves, state.page().generation


def _workbench(drawn: tuple[object, ...]) -> None:
    """Everything that follows the run; a fragment, so that following it leaves the rest of the page alone.

    Args:
        drawn: What the rest of the page was drawn with.
    """
    session = state.page().session
    if session is None:
        return
    commands.take_in_turn()
    session.go_on()
    seen = _standing(session)
    now = reading(session)
    _forget_lost_event(len(now.rows))
    context_bar(now)
    stepping(now)
    cut_off(now)
    _show_errors(session)
    with st.container(key="panes"):
        centre, right = st.columns([1.75, 1], gap="small")
        with centre:
            graph_pane(now, graph_badges(now), toggle_breakpoint)
            conversation(now)
        with right:
            inspector(now)
    lower_pane(now)
    state.show_address(linking.current_address())
    # Only a full run redraws the rest of the page, and begins or ends the polling. A quick turn may begin and
    # end while this is drawn, and leave the run as it was.
    if not drawn == seen == _standing(session):
        st.rerun()


def _forget_lost_event(count: int) -> None:
    """A turn that could not be run takes its events along, and one of them may have been chosen."""
    page = state.page()
    if page.event is not None and not 0 <= page.event < count:
        page.event = None


def _show_errors(session: DebugSession | None) -> None:
    errors = [state.page().error, session.error if session else None]
    for error in errors:
        if error is not None:
            show_error(error)

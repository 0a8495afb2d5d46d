"""The page on which a run is stepped and looked into."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.session.session import DebugSession
from debugger.views import commands, linking, state
from debugger.views.backends import current_backend
from debugger.views.parts.faults import show_error
from debugger.views.parts.head import skin_switch
from debugger.views.parts.run_input import run_input
from debugger.views.parts.skins import demo, engineer, show_errors
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
    if not state.page().is_demo:
        with st.sidebar:
            _setup(backend)
    session = state.page().session
    if session is None:
        show_errors(None)
        where = "in Setup above" if state.page().is_demo else "on the left"
        st.caption(f"Choose a workflow {where}, or import one, to see it here.")
        return
    st.fragment(_workbench, run_every=_poll_seconds(session))(_standing(session))


def head() -> None:
    """Draw what the page adds to the head: the skins and, in the one without a sidebar, the setup."""
    skin_switch()
    if not state.page().is_demo:
        return
    setup = st.popover("Setup", key="setup", icon=":material/tune:", type="tertiary", on_change="rerun")
    if setup.open:
        with setup, suppress(DebuggerError):  # a backend that cannot be had is told of by the page
            _setup(current_backend())


def _setup(backend: Backend) -> None:
    """Draw what is chosen and given before a run."""
    workflow_picker(backend)
    workflow_import(backend)
    session = state.page().session
    if session is not None:
        run_input(session)


def _poll_seconds(session: DebugSession) -> float | None:
    """How often a session is looked at by itself; ``None`` when nothing can happen."""
    if session.stop_point is not None or session.desk.pending is not None:
        return None
    if session.busy:
        return _POLL_SECONDS
    return _BACKGROUND_POLL_SECONDS if session.pace.goes_on or session.is_stepping else None


def _standing(session: DebugSession) -> tuple[object, ...]:
    """What of a session the page outside the workbench shows, and how often it is polled."""
    number = session.turns[-1].number if session.turns else 0
    stands = session.stop_point, session.desk.pending
    moves = _poll_seconds(session)
    return session, session.run_id, session.status, number, stands, moves, state.page().generation


def _workbench(drawn: tuple[object, ...]) -> None:
    """Everything that follows the run; a fragment, so that following it leaves the rest of the page alone.

    Args:
        drawn: What the rest of the page was drawn with.
    """
    session = state.page().session
    if session is None:
        st.rerun()  # what was on view has been left
    commands.take_in_turn()
    session.go_on()
    seen = _standing(session)
    now = reading(session)
    _forget_lost_event(len(now.rows))
    if state.page().is_demo:
        demo(now)
    else:
        engineer(now)
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

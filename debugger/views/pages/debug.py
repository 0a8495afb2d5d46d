"""The page on which a run is stepped and looked into."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.session.session import DebugSession
from debugger.views import actions, navigation, refresh, state
from debugger.views.backends import current_backend
from debugger.views.components.error_box import show_error
from debugger.views.components.toolbar import Item
from debugger.views.panels.run_input import run_input
from debugger.views.panels.top_nav import skin_switch
from debugger.views.panels.view_modes import demo, engineer, show_errors
from debugger.views.panels.workflow_import import workflow_import
from debugger.views.panels.workflow_picker import workflow_picker


def render() -> None:
    """Draw the page."""
    navigation.follow_address()
    try:
        backend = current_backend()
    except DebuggerError as error:
        show_error(error)
        st.page_link(state.page().links["connection"], label="Open Connection", icon=":material/cable:")
        return
    navigation.choose_first_workflow()
    actions.take_in_turn()
    if not state.page().is_demo:
        with st.sidebar:
            _setup(backend)
    session = state.page().session
    if session is None:
        show_errors(None)
        where = "in Setup above" if state.page().is_demo else "on the left"
        st.caption(f"Choose a workflow {where}, or import one, to see it here.")
        return
    refresh.draw_workbench(_workbench)
    if session.turns_to_load:
        actions.read_run()
        st.rerun()
    refresh.end()


def head() -> list[Item]:
    """What the page adds to the head: the skins; in the one without a sidebar, the setup is drawn."""
    refresh.begin()  # the head comes first
    skin = skin_switch()
    if state.page().is_demo:
        _setup_box()
    return [skin]


def _setup_box() -> None:
    setup = st.popover("Setup", key="setup", icon=":material/tune:", type="tertiary", on_change="rerun")
    if setup.open:
        with setup, suppress(DebuggerError):  # a backend that cannot be had is told of by the page
            _setup(current_backend())


def _setup(backend: Backend) -> None:
    """Draw what is chosen and given before a run."""
    workflow_picker(backend)
    workflow_import(backend)
    if state.page().session is not None:
        refresh.draw("setup", lambda now: run_input(now.session))


def _workbench(session: DebugSession) -> None:
    if state.page().is_demo:
        demo(session)
    else:
        engineer(session)

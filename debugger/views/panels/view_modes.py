"""The two skins of the debug page: the same parts of the same session, more of them or fewer."""

from __future__ import annotations

import streamlit as st

from debugger.session.session import DebugSession
from debugger.views import refresh, state
from debugger.views.components.error_box import show_error
from debugger.views.panels.conversation import conversation
from debugger.views.panels.demo_bar import demo_bar
from debugger.views.panels.graph import graph_pane
from debugger.views.panels.graph_badges import graph_badges, toggle_breakpoint
from debugger.views.panels.inspector import inspector
from debugger.views.panels.interrupted_turn import cut_off
from debugger.views.panels.lower_pane import lower_pane
from debugger.views.panels.python_consent import python_banner
from debugger.views.panels.recording_banner import recording_banner
from debugger.views.panels.run_bar import context_bar
from debugger.views.panels.turn_outcome import is_explained
from debugger.views.run_view import Reading, reading


def engineer(session: DebugSession) -> None:
    """Draw everything there is."""
    refresh.draw("bar", _bar, every=state.page().polled_every)
    with st.container(key="panes"):  # placed by style.css, as the window has room
        refresh.draw(
            "graph",
            lambda now: graph_pane(now, graph_badges(now), refresh.redrawing("graph", toggle_breakpoint)),
        )
        _talk(reading(session))
        refresh.draw("look", _look)


def demo(session: DebugSession) -> None:
    """Draw the conversation, and the graph beside it."""
    refresh.draw("bar", _demo_bar, every=state.page().polled_every)
    with st.container(key="demo_panes"):
        _talk(reading(session))
        refresh.draw("graph", graph_pane)


def _bar(now: Reading) -> None:
    context_bar(now)
    recording_banner(now.session)
    python_banner(now)
    cut_off(now)
    show_errors(now.session)


def _demo_bar(now: Reading) -> None:
    demo_bar(now)
    recording_banner(now.session)
    python_banner(now)
    show_errors(now.session)


def _look(now: Reading) -> None:
    inspector(now)
    lower_pane(now)


def _talk(now: Reading) -> None:
    with st.container(key="talk"):
        conversation(now)


def show_errors(session: DebugSession | None) -> None:
    """Say what the last thing a person asked for, or the turn, ended in."""
    for error in (state.page().error, session.error if session else None):
        if error is not None and not (session and is_explained(session, error)):
            show_error(error)

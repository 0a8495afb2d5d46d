"""The two skins of the debug page: the same parts of the same session, more of them or fewer."""

from __future__ import annotations

import streamlit as st

from debugger.session.session import DebugSession
from debugger.views import panes, state
from debugger.views.parts.context_bar import context_bar
from debugger.views.parts.conversation import conversation
from debugger.views.parts.cut_off import cut_off
from debugger.views.parts.demo_bar import demo_bar
from debugger.views.parts.faults import show_error
from debugger.views.parts.graph_badges import graph_badges, toggle_breakpoint
from debugger.views.parts.graph_pane import graph_pane
from debugger.views.parts.inspector import inspector
from debugger.views.parts.lower_pane import lower_pane
from debugger.views.parts.python_consent import python_banner
from debugger.views.parts.recording_banner import recording_banner
from debugger.views.parts.turn_outcome import is_explained
from debugger.views.reading import Reading, reading


def engineer(session: DebugSession) -> None:
    """Draw everything there is."""
    panes.draw("bar", _bar, every=state.page().polled_every)
    with st.container(key="panes"):  # placed by style.css, as the window has room
        panes.draw(
            "graph",
            lambda now: graph_pane(now, graph_badges(now), panes.redrawing("graph", toggle_breakpoint)),
        )
        _talk(reading(session))
        panes.draw("look", _look)


def demo(session: DebugSession) -> None:
    """Draw the conversation, and the graph beside it."""
    panes.draw("bar", _demo_bar, every=state.page().polled_every)
    with st.container(key="demo_panes"):
        _talk(reading(session))
        panes.draw("graph", graph_pane)


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

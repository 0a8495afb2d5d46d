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
from debugger.views.components.toolbar import Break, Item, SegmentedControl, bar
from debugger.views.navigation import ViewMode
from debugger.views.panels.breakpoints import breakpoints
from debugger.views.panels.conversation import conversation
from debugger.views.panels.cursor import cursor_items
from debugger.views.panels.gantt import gantt, gantt_line, turn_on_view
from debugger.views.panels.graph import graph_badges, graph_pane, toggle_breakpoint
from debugger.views.panels.inspector import inspector
from debugger.views.panels.interrupted_turn import interrupted_turn
from debugger.views.panels.metrics import metrics, metrics_line
from debugger.views.panels.mocks import mocks
from debugger.views.panels.panes import pane_splitters
from debugger.views.panels.python_consent import python_banner
from debugger.views.panels.recordings import recording_banner
from debugger.views.panels.run_bar import context_bar, demo_bar
from debugger.views.panels.run_input import run_input
from debugger.views.panels.side_effects import side_effects, side_effects_file, side_effects_words
from debugger.views.panels.timeline import (
    found_rows,
    keep_filters,
    more_filters,
    timeline,
    timeline_filters,
    timeline_pager,
)
from debugger.views.panels.top_nav import view_mode_switch
from debugger.views.panels.turn_outcome import is_explained
from debugger.views.panels.workflow_picker import workflow_import, workflow_picker
from debugger.views.refresh import RedrawState
from debugger.views.run_state import CurrentRun
from debugger.views.run_view import RunView, run_view
from debugger.views.state import LastAction, PageLinks


def render() -> None:
    """Draw the page."""
    navigation.follow_address()
    try:
        backend = current_backend()
    except DebuggerError as error:
        show_error(error)
        st.page_link(
            state.record(PageLinks).by_name["connection"], label="Open Connection", icon=":material/cable:"
        )
        return
    navigation.choose_first_workflow()
    actions.take_in_turn()
    if not state.record(ViewMode).is_demo:
        with st.sidebar:
            _setup(backend)
    session = state.record(CurrentRun).session
    if session is None:
        show_errors(None)
        where = "in Setup above" if state.record(ViewMode).is_demo else "on the left"
        st.caption(f"Choose a workflow {where}, or import one, to see it here.")
        return
    refresh.draw_workbench(_workbench)
    if session.turns_to_load:
        actions.read_run()
        st.rerun()
    refresh.end()


def head() -> list[Item]:
    """Return the page's items of the navigation; draw the setup.

    The demo view has no sidebar, so its setup is drawn here.
    """
    refresh.begin()  # the head comes first
    skin = view_mode_switch()
    if state.record(ViewMode).is_demo:
        _setup_box()
    return [skin]


def _setup_box() -> None:
    setup = st.popover("Setup", key="setup", icon=":material/tune:", type="tertiary", on_change="rerun")
    if setup.open:
        with setup, suppress(DebuggerError):  # the page reports a backend that cannot be opened
            _setup(current_backend())


def _setup(backend: Backend) -> None:
    workflow_picker(backend)
    workflow_import(backend)
    if state.record(CurrentRun).session is not None:
        refresh.draw("setup", lambda view: run_input(view.session))


def _workbench(session: DebugSession) -> None:
    if state.record(ViewMode).is_demo:
        demo(session)
    else:
        engineer(session)


def engineer(session: DebugSession) -> None:
    """Draw everything there is."""
    refresh.draw("bar", _bar, every=state.record(RedrawState).polled_every)
    with st.container(key="panes"):  # placed by style.css, as the window has room
        pane_splitters()
        refresh.draw(
            "graph",
            lambda view: graph_pane(view, graph_badges(view), refresh.refreshing("graph", toggle_breakpoint)),
        )
        _talk(run_view(session))
        refresh.draw("look", _look)


def demo(session: DebugSession) -> None:
    """Draw the conversation, and the graph beside it."""
    refresh.draw("bar", _demo_bar, every=state.record(RedrawState).polled_every)
    with st.container(key="demo_panes"):
        _talk(run_view(session))
        refresh.draw("graph", graph_pane)


def _bar(view: RunView) -> None:
    context_bar(view)
    recording_banner(view.session)
    python_banner(view)
    interrupted_turn(view)
    show_errors(view.session)


def _demo_bar(view: RunView) -> None:
    demo_bar(view)
    recording_banner(view.session)
    python_banner(view)
    show_errors(view.session)


def _look(view: RunView) -> None:
    inspector(view)
    lower_pane(view)


def _talk(view: RunView) -> None:
    with st.container(key="talk"):
        conversation(view)


def show_errors(session: DebugSession | None) -> None:
    """Draw the errors of the last action and of the turn."""
    for error in (state.record(LastAction).error, session.error if session else None):
        if error is not None and not (session and is_explained(session, error)):
            show_error(error)


VIEWS = ("Timeline", "Gantt", "Metrics", "Side effects", "Breakpoints", "Pins")


def lower_pane(view: RunView) -> None:
    """Draw the lower pane."""
    keep_filters()
    chosen_view = state.widget(state.LOWER_KEY)
    with st.container(key="timeline_pane"):
        if chosen_view == "Breakpoints":
            _line(view, [])
            breakpoints(view)
        elif chosen_view == "Pins":
            _line(view, [])
            mocks(view)
        elif chosen_view == "Side effects":
            _line(view, side_effects_words(view))
            side_effects_file(view)
            side_effects(view)
        elif chosen_view == "Gantt":
            turn = turn_on_view(view)
            _line(view, gantt_line(turn))
            gantt(view, turn)
        elif chosen_view == "Metrics":
            _line(view, metrics_line(view))
            metrics(view)
        else:
            found = found_rows(view)
            page = timeline_pager(view, found)
            _line(view, [*timeline_filters(view, found), *page.items])
            more_filters(view)
            timeline(view, found, page)


def _line(view: RunView, of_view: list[Item]) -> None:
    """Draw the choice of view, what belongs to the view beside it, and the cursor below.

    Always at the same place: else the keyboard would lose it with each view.
    """
    views = SegmentedControl(state.LOWER_KEY, "Lower pane", VIEWS)
    cursor = cursor_items(view)
    if cursor and not any(isinstance(item, Break) for item in of_view):
        cursor = [Break(), *cursor]
    bar("lower_bar", [views, *of_view, *cursor], low=True)

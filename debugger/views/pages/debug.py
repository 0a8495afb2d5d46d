"""The page on which a run is stepped and inspected."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from debugger.errors import DebuggerError
from debugger.protocol.base import JsonObject
from debugger.session.session import DebugSession
from debugger.views import actions, navigation, refresh, state
from debugger.views.backends import current_backend
from debugger.views.components.error_box import show_backend_error, show_failures
from debugger.views.components.splitters import pane_splitters
from debugger.views.components.tabs import Tabs
from debugger.views.components.toolbar import Button, Item, Line, SegmentedControl, Spacer, bars
from debugger.views.confirmations import OpenQuestions
from debugger.views.help_links import empty_state
from debugger.views.navigation import ViewMode
from debugger.views.panels.breakpoints import breakpoints
from debugger.views.panels.conversation import conversation
from debugger.views.panels.demo import is_demo_script_open
from debugger.views.panels.exports.dialog import is_export_open
from debugger.views.panels.fork_actions import fork_state
from debugger.views.panels.gantt import gantt, gantt_line, turn_on_view
from debugger.views.panels.graph import VIEWS as GRAPH_VIEWS
from debugger.views.panels.graph import graph_badges, graph_pane, graph_state, toggle_breakpoint
from debugger.views.panels.inspector import inspector, inspector_state
from debugger.views.panels.metrics import metrics, metrics_line
from debugger.views.panels.mocks import mocks
from debugger.views.panels.picture import is_picture_open
from debugger.views.panels.python_consent import python_banner
from debugger.views.panels.recordings import recording_banner
from debugger.views.panels.run_bar import run_bar
from debugger.views.panels.scenarios.checks import scenario_checks, scenario_line, scenario_views
from debugger.views.panels.scenarios.record import SCENARIO_VIEW, scenario_state
from debugger.views.panels.setup import head_state, is_setup_beside_graph, run_head
from debugger.views.panels.side_effects import side_effects, side_effects_file, side_effects_words
from debugger.views.panels.stepping import stepping_state
from debugger.views.panels.timeline import (
    found_rows,
    keep_filters,
    more_filters,
    timeline,
    timeline_filters,
    timeline_pager,
)
from debugger.views.panels.top_nav import view_mode_switch
from debugger.views.panels.tour import tour
from debugger.views.panels.turn_outcome import interrupted_turn, is_explained
from debugger.views.panels.workflow_picker import choose_workflow
from debugger.views.refresh import Pane, RedrawState, Workbench
from debugger.views.run_state import CurrentRun, Cursor, Selection
from debugger.views.run_view import RunView, session_state
from debugger.views.shortcuts import ShortcutState
from debugger.views.state import Editors, LastAction


@dataclass
class RunHead:
    """Part of the head of the page that shows the run."""

    container: DeltaGenerator | None = None
    """That of the page run under way: the head is drawn before the run is known."""


@dataclass
class LowerPanes:
    """The lower panes before the first event."""

    unfolded_for: tuple[str, int | None] | None = None
    """The workflow and the version before whose start they were asked for: a choice of models and calls makes
    another session of them."""
    is_before_start: bool = False
    """True where the panes were last drawn before a start."""

    def is_asked_for(self, session: DebugSession) -> bool:
        """Return whether they were asked for before the start of this workflow."""
        return self.unfolded_for == (session.workflow_id, session.version_number)


def head() -> list[Item]:
    """Return the page's items of the navigation; reserve the part of the run.

    All panes count as unfinished from then on, as `refresh.begin` marks them.
    """
    refresh.begin()  # the head comes first
    switch = view_mode_switch()
    state.record(RunHead).container = st.container(key="run_head")
    return [switch]


def render() -> None:
    """Draw the page Debug, which follows the address.

    Without a usable backend it draws the error, without a run the choice of a workflow. It collects an ended
    turn, and chooses the newest workflow where nothing is on view. It reruns where the address has closed a
    question, and once the turns of a run that is being opened are read.
    """
    is_asking = state.record(OpenQuestions).is_open
    navigation.follow_address()
    if is_asking and not state.record(OpenQuestions).is_open:
        st.rerun()  # only that closes a dialog
    try:
        backend = current_backend()
    except DebuggerError as error:
        show_backend_error(error)
        return
    navigation.choose_first_workflow()
    actions.collect_finished_turn()
    session = state.record(CurrentRun).session
    if session is None:
        show_errors(None)
        empty_state("Choose a workflow, or import one, to see it here.", "first_run#your-own-workflow")
        with st.container(key="setup_alone", width=420):
            choose_workflow(backend)
        return
    with state.record(RunHead).container or st.container():
        Pane("head", run_head, head_state).draw()
    Workbench("workbench", _workbench, _workbench_state).draw()
    if not state.record(ViewMode).is_demo:
        tour(backend)  # after the panes: what comes before them moves and mounts them anew
    if session.turns_to_load:
        actions.read_run()
        st.rerun()
    refresh.end(_page_state)


def _page_state(session: DebugSession) -> Hashable:
    """Return what the page itself shows of a session and the tab: run, view mode, questions and dialogs.

    A change of it makes the whole page rerun.
    """
    questions = state.record(OpenQuestions)
    # A page run closes a dialog for good: beside a poll, the run of one pane sometimes leaves it on view.
    dialogs = fork_state(), scenario_state(), is_export_open(), is_demo_script_open(), is_picture_open()
    return (
        session,
        state.record(ViewMode).is_demo,
        questions.production,
        questions.python,
        questions.edit,
        dialogs,
    )


def _workbench_state(session: DebugSession) -> Hashable:
    """Return what every pane of the workbench shows of a session and the tab.

    A change of it makes the workbench redraw, but not the rest of the page.
    """
    return (
        session_state(session),
        state.record(Cursor).event,
        state.record(LastAction).error,
        state.record(Editors).generation,
        state.record(ShortcutState).has_plain_keys,
        _are_folded(session),
        state.widget(state.GRAPH_VIEW_KEY, GRAPH_VIEWS[0]),
    )


def _workbench(view: RunView) -> None:
    """Draw bar, conversation and graph, and but for a demo the inspector and the lower pane."""
    session, is_demo = view.session, state.record(ViewMode).is_demo
    _show_timeline_once_started(session)
    Pane("bar", _bar, stepping_state, every=state.record(RedrawState).polled_every).draw()
    with st.container(key="panes"):  # placed by style.css
        # What both views have comes first and in the same order: the browser then keeps it as it is.
        is_folded = _are_folded(session)
        is_asked_for = state.record(LowerPanes).is_asked_for(session)
        pane_splitters(is_demo=is_demo, is_folded=is_folded, asked="lower" if is_asked_for else "")
        conversation(view)
        Pane("graph", graph_pane if is_demo else _graph, graph_state).draw()
        if not is_demo:
            Pane("look", _folded if is_folded else _look, _look_state).draw()


def _show_timeline_once_started(session: DebugSession) -> None:
    """Switch from a view that was of use before the start to the timeline, once as the run starts.

    A view that is chosen from then on stays.
    """
    panes = state.record(LowerPanes)
    was_before_start, panes.is_before_start = panes.is_before_start, is_setup_beside_graph(session)
    if was_before_start and not panes.is_before_start:
        panes.unfolded_for = None
        if state.widget(state.LOWER_KEY) in BEFORE_START:
            state.set_widget(state.LOWER_KEY, VIEWS[0])


def _bar(view: RunView) -> None:
    """Draw the bar of the run, with banners and errors below.

    The turn's error is left out at an earlier moment of the run.
    """
    run_bar(view)
    recording_banner(view.session)
    python_banner(view)
    if not state.record(ViewMode).is_demo:
        interrupted_turn(view)
    show_errors(None if view.is_past else view.session)


def _graph(view: RunView) -> None:
    graph_pane(view, graph_badges(view), refresh.refreshing("graph", toggle_breakpoint))


def _look_state(session: DebugSession) -> Hashable:
    return inspector_state(session), state.widget(state.LOWER_KEY, VIEWS[0])


def _are_folded(session: DebugSession) -> bool:
    """Return whether the graph has the height of the lower panes, which have nothing to show yet.

    A node or an edge that is chosen has its details in them.
    """
    chosen = state.record(Selection)
    is_asked_for = state.record(LowerPanes).is_asked_for(session) or chosen.node or chosen.edge
    return is_setup_beside_graph(session) and not is_asked_for


def _folded(view: RunView) -> None:
    """Draw the choice of a view in place of the folded panes; to choose one opens them."""
    with st.container(key="timeline_pane"):
        names = {name: f"{name} {number}" for name, number in _set_counts(view.session).items() if number}
        views = _FoldedViews(
            state.LOWER_KEY,
            "Set before the start",
            BEFORE_START,
            names,
            on_change=refresh.refreshing("look", _unfold),
        )
        bars("lower_bar", [Line("folded_bar", [views], low=True)])


@dataclass(frozen=True)
class _FoldedViews(SegmentedControl):
    """Choice of a view that is not on view yet, whichever was last."""

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        return super().to_props() | {"value": None}


def _unfold() -> None:
    session = state.record(CurrentRun).session
    if session is not None:
        state.record(LowerPanes).unfolded_for = session.workflow_id, session.version_number


def _fold() -> None:
    state.record(LowerPanes).unfolded_for = None
    state.record(Selection).choose(None)


def _look(view: RunView) -> None:
    lower_pane(view)
    inspector(view)


def show_errors(session: DebugSession | None) -> None:
    """Draw the errors of the last action and of the turn; not one that is explained at the message box."""
    error = session.error if session else None
    show_failures(of_turn=None if session and is_explained(session, error) else error)


VIEWS = ("Timeline", "Gantt", "Metrics", "Side effects", "Breakpoints", "Mocks")
"""The first is always on view, the others are behind *More* until they are opened."""
BEFORE_START = ("Breakpoints", "Mocks")
"""The views that are of use before there is an event."""


def lower_pane(view: RunView) -> None:
    """Draw the lower pane with the chosen view.

    A view that this run does not have is replaced by the timeline, also in the session state.
    """
    keep_filters()
    if state.widget(state.LOWER_KEY) not in (*VIEWS, *scenario_views(view.session)):
        state.set_widget(state.LOWER_KEY, VIEWS[0])  # a scenario was on view before
    chosen_view = state.widget(state.LOWER_KEY)
    with st.container(key="timeline_pane"):
        if chosen_view == "Breakpoints":
            _line(view, [])
            breakpoints(view)
        elif chosen_view == "Mocks":
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
        elif chosen_view == SCENARIO_VIEW:
            _line(view, scenario_line(view))
            scenario_checks(view)
        else:
            found = found_rows(view)
            page = timeline_pager(view, found)
            _line(view, timeline_filters(found) if view.rows else [])
            more_filters(view)
            timeline(view, found, page)


def _line(view: RunView, of_view: list[Item]) -> None:
    """Draw the choice of view, what belongs to the view beside it, and before the start a fold button."""
    counts = {"Side effects": len(view.effects), **_set_counts(view.session)}
    tabs = Tabs(state.LOWER_KEY, "Lower pane", ("Timeline", *scenario_views(view.session)), VIEWS[1:], counts)
    fold = [_fold_button()] if is_setup_beside_graph(view.session) else []
    bars("lower_bar", [Line("", [*tabs.items(), Spacer(), *of_view, *fold], low=True)])


def _set_counts(session: DebugSession) -> dict[str, int]:
    """Return by view the number of what is enabled in it.

    With the mocks count the nodes that a user answers for; that a user answers for all of them counts as one.
    """
    return {
        "Breakpoints": sum(point.is_enabled for point in session.breakpoints.points),
        "Mocks": sum(mock.is_enabled for mock in session.mocks.all)
        + (session.human_input.asks_all or len(session.human_input.nodes)),
    }


def _fold_button() -> Button:
    """Return the button that folds the lower panes."""
    return Button(
        "fold",
        "Fold the lower panes",
        refresh.refreshing("look", _fold),
        icon=":material/bottom_panel_close:",
        look="tertiary",
        shows="icon",
        help="The graph has their height until the run has an event",
    )

"""Inspector of the selected event, node or turn."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from debugger.analysis.timeline import TimelineRow
from debugger.backends.hosted import HostedBackend
from debugger.exports.code import CODE_FORMATS, LOCAL_BASE_URL, turn_call
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.turn_logs import TurnLog
from debugger.session.debug_setup import pin_of
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import actions, refresh, state
from debugger.views.actions import command
from debugger.views.auth.permissions import requires
from debugger.views.components.markdown import plain
from debugger.views.components.rows import Cell, Column, rows_list, table
from debugger.views.components.toolbar import Button, Item, SegmentedControl, Spacer, Text, bar
from debugger.views.help_links import empty_state
from debugger.views.panels import breakpoints, prompt, stepping
from debugger.views.panels.drawn_graph import drawn_graph, graph_of_node, opened_super_nodes
from debugger.views.panels.forks import fork_button
from debugger.views.panels.notes import notes_tab
from debugger.views.panels.variables import scopes_tab
from debugger.views.panels.watches import WatchList
from debugger.views.panels.why import why_tab
from debugger.views.run_state import CurrentRun
from debugger.views.run_view import RunView
from debugger.views.selection import Selection, selection_state


def node_tab(view: RunView) -> None:
    """Draw the selected node, or the current one."""
    chosen = state.record(Selection).node or drawn_graph(view).position.current
    if chosen is None:
        st.caption("Choose a node in the graph to see its configuration and its runs.")
        return
    config = graph_of_node(view, chosen).nodes.get(chosen)
    name = config.label if config else view.position.ghosts.get(chosen, chosen)
    what = f"{config.type or 'no type'} · {chosen}" if config else "not in this version of the workflow"
    actions_of_node = node_actions(view, chosen) if config else []
    bar("node_bar", [Text(name, look="heading"), Text(what), Spacer(), *actions_of_node], low=True)
    _node_runs(view, chosen)
    _last_prompt(view, chosen)
    if config is not None:
        _edges(view, chosen)
        st.caption("Configuration")
        st.json(_as_written(view, chosen), expanded=2)


def _as_written(view: RunView, node_id: str) -> Any:
    written = graph_of_node(view, node_id).workflow.to_wire().get("node_configs") or []
    return next(config for config in written if config.get("logical_id") == node_id)


def _edges(view: RunView, node_id: str) -> None:
    graph = graph_of_node(view, node_id)
    edges = graph.find_outgoing_edges(node_id)
    if not edges:
        return
    names = {node.logical_id: node.label for node in graph.nodes.values()}
    shown = table(
        "Edges that leave the chosen node",
        edges,
        [
            (
                Column("to", "Edge to", 130),
                lambda edge: names.get(edge.destination_node_logical_id or "", ""),
            ),
            (
                Column("condition", "Condition", 150, grows=True),
                lambda edge: edge.condition.text if edge.condition else "always",
            ),
        ],
    )
    rows_list("node_edges", shown)


def _node_runs(view: RunView, node_id: str) -> None:
    rows = [
        row
        for row in view.rows_then
        if node_id in (row.drawn_node, row.node_logical_id) and row.type == "end_node_run"
    ]
    if not rows:
        st.caption("It has not run yet.")
        return
    columns: list[tuple[Column, Callable[[TimelineRow], Cell]]] = [
        (Column("turn", "Turn", 44, "number"), lambda row: str(row.turn_number)),
        *_inner_nodes(rows, node_id),
        (Column("outcome", "Outcome of the run", 150, grows=True), lambda row: row.summary),
        (
            Column("took", "Duration", 80, "number"),
            lambda row: None if row.duration_ms is None else f"{row.duration_ms:,.1f} ms",
        ),
    ]
    shown = table("Runs of the chosen node", rows, columns, lambda row: [row.index])
    rows_list(
        "node_runs",
        shown,
        chosen=None if view.event is None else shown.place_of([view.event]),
        on_choose=refresh.refreshing("look", _choose_run),
        most=_MOST_RUNS,
        follows=True,
    )


def _last_prompt(view: RunView, node_id: str) -> None:
    row = prompt.last_call(view, node_id)
    if row is None:
        return
    title = f"Prompt of its last model call · event {row.index} · turn {row.turn_number}"
    shown = st.expander(title, key="node_prompt", type="compact", on_change="rerun")
    if shown.open:
        with shown:
            prompt.prompt_view(view, row)


def _choose_run(target: Any) -> None:
    actions.select_event(target[0] if target else None)


def _inner_nodes(
    rows: Sequence[TimelineRow], node_id: str
) -> list[tuple[Column, Callable[[TimelineRow], Cell]]]:
    if all(row.node_logical_id == node_id for row in rows):
        return []
    column = Column("inside", "Inside", 84)
    return [(column, lambda row: (row.node_name or row.node_logical_id or "").rpartition(" › ")[2])]


def node_actions(view: RunView, node_id: str) -> list[Item]:
    """Return the buttons of a node."""
    session = view.session
    reason = session.backend.capabilities.reason_against("pause_mid_turn")
    is_set = any(
        point.target == node_id and point.kind in ("before", "after") for point in session.breakpoints.points
    )
    return [
        Button(
            "run_to",
            "Run to here",
            refresh.refreshing("look", stepping.run_to),
            (node_id,),
            icon=":material/keyboard_tab:",
            disabled=reason is not None or not _can_go(session),
            help=reason or "Continue, and pause before this node runs",
        ),
        Button(
            "break_here",
            "Remove breakpoint" if is_set else "Break before",
            refresh.refreshing("look", breakpoints.toggle_breakpoint),
            (("before", "after"), node_id),
            icon=":material/radio_button_checked:",
            help="Pause before this node runs",
        ),
    ]


def _can_go(session: DebugSession) -> bool:
    return session.stop_point is not None or session.status == "not_started"


_Draw = Callable[[RunView], None]
_MOST_RUNS = 6
_FIRST_TAB = "Variables"
_CALL_KEY, _CALL_VIEWS = "call_view", ("Prompt", "Call", "Event")
"""What is shown of a model call: its prompt, the whole call, or the event of its answer."""


def inspector_state(session: DebugSession) -> Hashable:
    """Return what the inspector shows besides the run."""
    tab = state.widget(state.TAB_KEY, _FIRST_TAB)
    opened = opened_super_nodes(session)  # the current node may be inside one
    return selection_state(session), tab, opened, *state.record(WatchList).texts


def inspector(view: RunView) -> None:
    """Draw the inspector."""
    with st.container(key="inspector", gap=None):
        state.begin_widget(state.TAB_KEY, _FIRST_TAB)
        tab = state.widget(state.TAB_KEY)
        tabs = SegmentedControl(state.TAB_KEY, "Inspector", list(TABS))
        bar("inspector_bar", [tabs, *([Text(_where(view))] if tab in _AT_A_MOMENT else [])], low=True)
        TABS[tab](view)


def _where(view: RunView) -> str:
    if view.event is None:
        return "After the latest event" if view.rows else "Before any event"
    row = view.rows[view.event]
    return f"After event {view.event} · turn {row.turn_number}{', background' if row.is_background else ''}"


def _event(view: RunView) -> None:
    if not view.rows:
        st.caption("Choose a row of the timeline to see the event as it was sent.")
        return
    row = _row(view)
    is_call = prompt.is_call(view, row)
    state.begin_widget(_CALL_KEY, _CALL_VIEWS[0])
    views: list[Item] = [SegmentedControl(_CALL_KEY, "Model call", _CALL_VIEWS)] if is_call else []
    title: list[Item] = [Text(row.type, look="heading"), *views, Text(row.summary)]
    bar("event_bar", [*title, *pin_button(view, row)], low=True)
    shown = state.widget(_CALL_KEY) if is_call else None
    if shown == "Prompt":
        prompt.prompt_view(view, row)
    elif shown == "Call":
        prompt.call_view(view, row)
    else:
        event: Event = view.turns[row.place].events[row.position]
        st.json(event.to_wire(), expanded=2)


def _input(view: RunView) -> None:
    if not view.turns:
        empty_state(
            "The input of a turn appears here once it has started.", "first_run#a-workflow-of-your-own"
        )
        return
    turn = view.turns[_row(view).place if view.event is not None else -1]
    what = "background work after turn" if turn.is_background else "turn"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="input_actions"):
        st.caption(f"Input of {what} {turn.number}")
        copy_as(view.session, turn)
        bar("turn_bar", [fork_button(view.session, turn.number, "fork_here")], width="content")
    run_input: JsonObject = turn.run_input.to_wire()
    st.json(run_input, expanded=2)


def _row(view: RunView) -> TimelineRow:
    return view.rows[view.last]


TABS: dict[str, _Draw] = {
    "Variables": scopes_tab,
    "Why": why_tab,
    "Event": _event,
    "Node": node_tab,
    "Input": _input,
    "Notes": notes_tab,
}
"""What draws each tab, by its name."""
_AT_A_MOMENT = ("Variables", "Event")
"""Tabs that show the run as it was after the chosen event."""


def copy_as(session: DebugSession, turn: TurnLog) -> None:
    """Draw a popover with the turn's call in each language."""
    shown = st.popover("Copy as …", icon=":material/code:", key="copy_as", on_change="rerun")
    if not shown.open:
        return
    with shown:
        base_url = session.backend.base_url if isinstance(session.backend, HostedBackend) else LOCAL_BASE_URL
        call = turn_call(turn, base_url, session.workflow_id, session.run_id, session.version_number)
        where = "" if base_url != LOCAL_BASE_URL else " Start a server for it: python -m debugger serve."
        st.caption(plain(f"The key is left out: set INTERACTLY_API_KEY.{where}"))
        for (language, write), tab in zip(CODE_FORMATS.values(), st.tabs(list(CODE_FORMATS)), strict=True):
            with tab:
                st.code(write(call), language=language, height=320)


def pin_button(view: RunView, row: TimelineRow) -> list[Item]:
    """Return the button that pins the output of an event; none where it has none."""
    if pin_of(view.turns[row.place], row.position) is None:
        return []
    reason = view.session.backend.capabilities.reason_against("pins")
    pin = Button(
        "pin_event",
        "Pin this output",
        refresh.refreshing("look", pin_event),
        (row.place, row.position),
        icon=":material/push_pin:",
        disabled=reason is not None,
        help=reason or "Its node, model or tool answers with this output from now on",
    )
    return [Spacer(), pin]


@command
@requires(Role.RUN)
def pin_event(place: int, position: int) -> None:
    """Pin the output of an event."""
    session = state.record(CurrentRun).session
    if session is None:
        return
    log = session.turns[place]
    pin = pin_of(log, position)
    if pin is not None:
        session.mocks.put(replace(pin, note=f"from turn {log.number}"))
        actions.store_debug_setup()

"""Inspector of the selected event, node or turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from debugger.views.auth.permissions import on_click, requires
from debugger.views.components.markdown import plain
from debugger.views.components.tables import ROW
from debugger.views.components.toolbar import Break, Item, SegmentedControl, Text, bar
from debugger.views.panels import breakpoints, stepping
from debugger.views.panels.forks import fork_button
from debugger.views.panels.notes import notes_tab
from debugger.views.panels.variables import scopes_tab, scopes_views
from debugger.views.panels.why import why_tab
from debugger.views.run_state import CurrentRun
from debugger.views.run_view import RunView
from debugger.views.selection import Selection


def node_tab(view: RunView) -> None:
    """Draw the selected node, or the current one."""
    chosen = state.record(Selection).node or view.position.current
    if chosen is None:
        st.caption("Choose a node in the graph to see its configuration and its runs.")
        return
    config = view.graph.nodes.get(chosen)
    name = config.label if config else view.position.ghosts.get(chosen, chosen)
    st.markdown(f"###### {plain(name)}")
    if config is None:
        st.info("This version of the workflow has no such node; the run tells of it.", icon=":material/help:")
    else:
        st.caption(plain(f"{config.type or 'no type'} · {chosen}"))
        node_actions(view, chosen)
    _node_runs(view, chosen)
    if config is not None:
        _edges(view, chosen)
        st.markdown("###### Configuration")
        st.json(_as_written(view, chosen), expanded=2)


def _as_written(view: RunView, node_id: str) -> Any:
    written = view.session.workflow.to_wire().get("node_configs") or []
    return next(config for config in written if config.get("logical_id") == node_id)


def _edges(view: RunView, node_id: str) -> None:
    edges = view.graph.leaving(node_id)
    if not edges:
        return
    names = {node.logical_id: node.label for node in view.graph.nodes.values()}
    st.markdown("###### Edges")
    st.dataframe(
        {
            "to": [names.get(edge.destination_node_logical_id or "", "") for edge in edges],
            "condition": [edge.condition.text if edge.condition else "always" for edge in edges],
        },
        key="node_edges",
        hide_index=True,
        row_height=ROW,
        column_config={
            "to": st.column_config.TextColumn("To", width=112),
            "condition": st.column_config.TextColumn("Condition", width=280),
        },
        alt="Edges that leave the chosen node",
    )


def _node_runs(view: RunView, node_id: str) -> None:
    rows = [row for row in view.rows_then if row.drawn_node == node_id and row.type == "end_node_run"]
    if not rows:
        st.caption("It has not run yet.")
        return
    st.markdown("###### Runs")
    st.dataframe(
        {
            "turn": [row.turn_number for row in rows],
            **_inner_nodes(rows, node_id),
            "outcome": [row.summary for row in rows],
            "took": [row.duration_ms for row in rows],
        },
        key="node_runs",
        hide_index=True,
        row_height=ROW,
        column_config={
            "turn": st.column_config.NumberColumn("Turn", width=50),
            "inside": st.column_config.TextColumn("Inside", width=84),
            "took": st.column_config.NumberColumn("Took", width=80, format="%.1f ms"),
            "outcome": st.column_config.TextColumn("Outcome", width=150),
        },
        alt="Runs of the chosen node",
    )


def _inner_nodes(rows: Sequence[TimelineRow], node_id: str) -> dict[str, list[str]]:
    if all(row.node_logical_id == node_id for row in rows):
        return {}
    return {"inside": [(row.node_name or row.node_logical_id or "").rpartition(" › ")[2] for row in rows]}


def node_actions(view: RunView, node_id: str) -> None:
    """Draw the buttons of a node."""
    session = view.session
    reason = session.backend.capabilities.reason_against("pause_mid_turn")
    is_set = any(
        point.target == node_id and point.kind in ("before", "after") for point in session.breakpoints.points
    )
    with st.container(horizontal=True, gap="xsmall", key="node_actions"):
        st.button(
            "Run to here",
            key="run_to",
            icon=":material/keyboard_tab:",
            args=(node_id,),
            **on_click(
                refresh.refreshing("look", stepping.run_to),
                disabled=reason is not None or not _can_go(session),
                help=plain(reason) if reason else "Go on, and stand still before this node runs",
            ),
        )
        st.button(
            "Remove breakpoint" if is_set else "Break before",
            key="break_here",
            icon=":material/radio_button_checked:",
            args=(("before", "after"), node_id),
            **on_click(
                refresh.refreshing("look", breakpoints.toggle_breakpoint),
                help="Stand still before this node runs",
            ),
        )


def _can_go(session: DebugSession) -> bool:
    return session.stop_point is not None or session.status == "not_started"


_Draw = Callable[[RunView], None]
_HEIGHT = 716


def inspector(view: RunView) -> None:
    """Draw the inspector."""
    with st.container(border=True, height=_HEIGHT, key="inspector"):
        tab = state.widget(state.TAB_KEY)
        tabs = SegmentedControl(state.TAB_KEY, "Inspector", list(TABS), wide=True)
        moment = _moment(view) if tab in _AT_A_MOMENT else []
        views = [Break(), *scopes_views()] if tab == "State" else []
        bar("inspector_bar", [tabs, *moment, *views], low=True)
        TABS[tab](view)


def _moment(view: RunView) -> list[Item]:
    return [Text(_where(view))]


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
    st.markdown(f"**{plain(row.type)}**")
    st.text(row.summary)
    pin_button(view, row)
    event: Event = view.turns[row.place].events[row.position]
    st.json(event.to_wire(), expanded=2)


def _input(view: RunView) -> None:
    if not view.turns:
        st.caption("What a turn was given appears here once it has begun.")
        return
    turn = view.turns[_row(view).place if view.event is not None else -1]
    what = "background work after turn" if turn.is_background else "turn"
    st.markdown(f"###### Input of {what} {turn.number}")
    with st.container(horizontal=True, gap="xsmall", key="input_actions"):
        copy_as(view.session, turn)
        bar("turn_bar", [fork_button(view.session, turn.number, "fork_here")], width="content")
    run_input: JsonObject = turn.run_input.to_wire()
    st.json(run_input, expanded=2)


def _row(view: RunView) -> TimelineRow:
    return view.rows[view.last]


TABS: dict[str, _Draw] = {
    "State": scopes_tab,
    "Why": why_tab,
    "Event": _event,
    "Node": node_tab,
    "Input": _input,
    "Notes": notes_tab,
}
"""What draws each tab, by its name."""
_AT_A_MOMENT = ("State", "Event")
"""Tabs that show the run as it was after the chosen event."""


def copy_as(session: DebugSession, turn: TurnLog) -> None:
    """Draw a popover with the turn's call in each language."""
    with st.popover("Copy as …", icon=":material/code:", key="copy_as"):
        base_url = session.backend.base_url if isinstance(session.backend, HostedBackend) else LOCAL_BASE_URL
        call = turn_call(turn, base_url, session.workflow_id, session.run_id, session.version_number)
        where = "" if base_url != LOCAL_BASE_URL else " Start a server for it: python -m debugger serve."
        st.caption(plain(f"The key is left out: set INTERACTLY_API_KEY.{where}"))
        for (language, write), tab in zip(CODE_FORMATS.values(), st.tabs(list(CODE_FORMATS)), strict=True):
            with tab:
                st.code(write(call), language=language, height=320)


def pin_button(view: RunView, row: TimelineRow) -> None:
    """Draw it, where the event tells of an output."""
    if pin_of(view.turns[row.place], row.position) is None:
        return
    reason = view.session.backend.capabilities.reason_against("pins")
    st.button(
        "Pin this output",
        key="pin_event",
        icon=":material/push_pin:",
        args=(row.place, row.position),
        **on_click(
            refresh.refreshing("look", pin_event),
            disabled=reason is not None,
            help=plain(reason) if reason else "The same is given from now on, instead of a real one",
        ),
    )


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

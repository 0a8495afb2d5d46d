"""List of breakpoints, with a form for new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import streamlit as st

from debugger.graph import Graph
from debugger.protocol.events import EVENT_TYPES
from debugger.session.breakpoints import Breakpoint
from debugger.session.locations import BreakpointKind
from debugger.store import Role
from debugger.views import actions, refresh, state
from debugger.views.actions import command
from debugger.views.auth.permissions import denied, on_change, on_click, requires
from debugger.views.components.markdown import plain
from debugger.views.run_state import CurrentRun
from debugger.views.run_view import RunView
from debugger.views.state import LastAction

_WORDS: dict[BreakpointKind, str] = {
    "before": "Before a node",
    "after": "After a node",
    "edge": "On an edge",
    "event": "On an event type",
    "error": "On any error",
}
_WIDTHS = [0.5, 2.2, 2.4, 0.8, 1.8, 0.9, 2.2, 0.5]
_MOST_LINES = 50
_TEXTS = ("bp_condition", "bp_hits", "bp_log")


def breakpoints(view: RunView) -> None:
    """Draw the list, the form, and what log points have left."""
    reason = view.session.backend.capabilities.reason_against("pause_mid_turn")
    if reason:
        st.caption(f":material/info: {plain(reason)} What is met in a turn is told when it is over.")
    points = view.session.breakpoints.points
    if points:
        _head()
    else:
        st.caption(
            "No breakpoints yet: click the dot beside a node or an edge in the graph, or add one here."
        )
    for point in points:
        _row(view, point)
    _form(view)
    _lines(view)


def _head() -> None:
    for column, word in zip(
        st.columns(_WIDTHS, gap="xsmall"),
        ("On", "Where", "Condition", "Hits", "Log instead", "Met", "State", ""),
        strict=True,
    ):
        column.caption(word or " ")


def _row(view: RunView, point: Breakpoint) -> None:
    session = view.session
    warning = session.breakpoints.explain_unreachable(point)
    cells = st.columns(_WIDTHS, gap="xsmall", vertical_alignment="center")
    key = f"on_{point.id}"
    state.set_widget(key, point.is_enabled)
    cells[0].checkbox(
        f"Breakpoint {point.describe_location(view.graph)}",
        key=key,
        label_visibility="collapsed",
        args=(replace(point, is_enabled=not point.is_enabled),),
        **on_change(refresh.refreshing("look", put_breakpoint)),
    )
    cells[1].text(point.describe_location(view.graph))
    cells[2].text(point.condition or "–")
    cells[3].text(point.hits or "each")
    cells[4].text(point.log or "–")
    cells[5].text(str(session.breakpoints.count(point.id)))
    with cells[6]:
        if warning:
            st.markdown(f":orange[:material/radio_button_unchecked: {plain(warning)}]")
        elif not point.is_enabled:
            st.markdown(":gray[:material/block: Off]")
        else:
            st.markdown(":green[:material/check_circle: Verified]")
    cells[7].button(
        f"Remove breakpoint {plain(point.describe_location(view.graph))}",
        key=f"remove_{point.id}",
        icon=":material/delete:",
        type="tertiary",
        args=(point.id,),
        **on_click(refresh.refreshing("look", remove_breakpoint)),
    )


def _form(view: RunView) -> None:
    if reason := denied(_add):
        st.caption(reason)
        return
    with st.container(
        horizontal=True, vertical_alignment="bottom", gap="xsmall", key="new_breakpoint", border=True
    ):
        kind: BreakpointKind = st.selectbox(
            "New breakpoint",
            get_args(BreakpointKind),
            format_func=_WORDS.__getitem__,
            key="bp_kind",
            width=170,
        )
        targets = _targets(kind, view.graph)
        if targets:
            st.selectbox(
                "Where", list(targets), format_func=targets.__getitem__, key=f"bp_target_{kind}", width=260
            )
        st.text_input(
            "Condition",
            key="bp_condition",
            placeholder="[[tries]] >= 3",
            width=220,
            help="In the workflow's own expression language; empty holds always",
        )
        st.text_input("Hits", key="bp_hits", placeholder="5, >=5, %5", width=100)
        st.text_input("Log instead", key="bp_log", placeholder="tries is [[tries]]", width=200)
        st.button(
            "Add",
            key="bp_add",
            icon=":material/add:",
            args=(kind, bool(targets)),
            **on_click(refresh.refreshing("look", _add)),
        )


def _targets(kind: BreakpointKind, graph: Graph) -> dict[str, str]:
    if kind == "event":
        return {name: name for name in sorted(EVENT_TYPES)}
    if kind == "edge":
        return {
            edge.logical_id: f"{Breakpoint('edge', edge.logical_id).describe_location(graph)[3:]}"
            + (f" ({edge.name})" if edge.name else "")
            for edge in graph.edges.values()
        }
    return {} if kind == "error" else {node.logical_id: node.label for node in graph.nodes.values()}


@command
@requires(Role.RUN)
def _add(kind: BreakpointKind, has_target: bool) -> None:
    target = state.widget(f"bp_target_{kind}") if has_target else ""
    condition, hits, log = (str(state.widget(key) or "").strip() for key in _TEXTS)
    put_breakpoint(Breakpoint(kind, str(target or ""), condition, hits, log))
    if state.record(LastAction).error is None:
        for key in _TEXTS:
            state.set_widget_from_callback(key, "")


def _lines(view: RunView) -> None:
    lines = view.session.stepping.log_output
    if not lines:
        return
    st.caption(f"Log points ({len(lines)})")
    st.dataframe(
        {
            "turn": [line.turn_number for line in lines[-_MOST_LINES:]],
            "node": [line.node_name for line in lines[-_MOST_LINES:]],
            "event": [line.event_type for line in lines[-_MOST_LINES:]],
            "text": [line.text for line in lines[-_MOST_LINES:]],
        },
        key="log_lines",
        hide_index=True,
        column_config={"text": st.column_config.TextColumn("Line", width="large")},
        alt="What log points have left: turn, node, event and text",
    )


@command
@requires(Role.RUN)
def toggle_breakpoint(kinds: Sequence[BreakpointKind], target: str) -> None:
    """Remove the breakpoint of a place, or set one."""
    session = state.record(CurrentRun).session
    if session is not None:
        session.breakpoints.toggle(kinds, target)
        actions.store_debug_setup()


@command
@requires(Role.RUN)
def put_breakpoint(point: Breakpoint) -> None:
    """Set a breakpoint, or change the one with its id."""
    session = state.record(CurrentRun).session
    if session is not None:
        session.breakpoints.put(point)
        actions.store_debug_setup()


@command
@requires(Role.RUN)
def remove_breakpoint(breakpoint_id: str) -> None:
    """Take a breakpoint away."""
    session = state.record(CurrentRun).session
    if session is not None:
        session.breakpoints.remove(breakpoint_id)
        actions.store_debug_setup()

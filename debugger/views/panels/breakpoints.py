"""List of breakpoints, with a form for new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from debugger.session.breakpoint_kinds import KINDS, BreakpointKind
from debugger.session.breakpoints import Breakpoint
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import actions, refresh, state
from debugger.views.actions import action
from debugger.views.auth.permissions import explain_denial, on_click
from debugger.views.components.markdown import plain
from debugger.views.components.rows import Cell, Column, Columns, Table, rows_list, table
from debugger.views.help_links import empty_state
from debugger.views.run_view import RunView
from debugger.views.state import LastAction

_MOST_LINES = 50
_TEXTS = ("bp_condition", "bp_hits", "bp_log")


def breakpoints(view: RunView) -> None:
    """Draw the list of breakpoints, the form for a new one, and the output of log points.

    Where the backend cannot pause in a turn, its reason comes first. An empty list has a hint below it.
    """
    reason = view.session.backend.capabilities.reason_against("pause_mid_turn")
    if reason:
        st.caption(f":material/info: {plain(reason)} Hits of a turn are reported when it has ended.")
    points = view.session.breakpoints.points
    # Without rows, too: it has the keyboard after the last one is removed.
    rows_list("breakpoints", _table(view, points), on_use=refresh.refreshing("look", partial(_use, points)))
    if not points:
        empty_state(
            "No breakpoints yet: click the dot beside a node or an edge in the graph, or add one here.",
            "stepping#breakpoints",
        )
    _form(view)
    _lines(view)


def _table(view: RunView, points: Sequence[Breakpoint]) -> Table:
    """Return the table of breakpoints, a row each, with switch, place, condition, hits, state and removal.

    Switch and removal are disabled, with the reason, for a user who may not change them.
    """
    held, reason = view.session.breakpoints, explain_denial(put_breakpoint) or ""
    columns: Columns[Breakpoint] = [
        (
            Column("on", "On", 34, "check", reason=reason),
            lambda point: (f"Breakpoint {held.describe_location(point)}", point.is_enabled),
        ),
        (Column("where", "Where", 150, grows=True), lambda point: held.describe_location(point)),
        (Column("condition", "Condition", 110, grows=True), lambda point: point.condition),
        (Column("hits", "Hits", 50), lambda point: point.hits or "each"),
        (Column("log", "Log instead", 90, grows=True), lambda point: point.log),
        (Column("met", "Hits so far", 80, "number"), lambda point: str(held.count(point.id))),
        (Column("state", "State", 100, "chip", grows=True), lambda point: _state(view, point)),
        (
            Column("remove", "", 34, "remove", reason=reason),
            lambda point: (f"Remove breakpoint {held.describe_location(point)}", False),
        ),
    ]
    return table("Breakpoints: place, condition, hits and state", points, columns, lambda point: point.id)


def _state(view: RunView, point: Breakpoint) -> Cell:
    warning = view.session.breakpoints.explain_unreachable(point)
    if warning:
        return warning, "orange"
    return ("Verified", "green") if point.is_enabled else ("Off", "gray")


def _use(points: Sequence[Breakpoint], point_id: Any, column: str, value: Any) -> None:
    """Remove a breakpoint where its remove button was used, else set its switch; an unknown id does nothing.

    Args:
        points: The breakpoints as they were drawn.
        point_id: The id of the row.
        column: The column that was used, ``remove`` or ``on``.
        value: The new state of the switch.
    """
    point = next((each for each in points if each.id == point_id), None)
    if point is None:
        return
    if column == "remove":
        remove_breakpoint(point.id)
    else:
        put_breakpoint(replace(point, is_enabled=bool(value)))


def _form(view: RunView) -> None:
    """Draw the form for a new breakpoint; for a user who may not add one only the reason.

    *Add* is disabled where the kind needs a place and the graph has none.
    """
    if reason := explain_denial(_add):
        st.caption(reason)
        return
    with st.container(
        horizontal=True, vertical_alignment="bottom", gap="xsmall", key="new_breakpoint", border=True
    ):
        kind: BreakpointKind = st.selectbox(
            "New breakpoint",
            list(KINDS),
            format_func=lambda name: KINDS[name].label,
            key="bp_kind",
            width=170,
        )
        choices = KINDS[kind].choices
        targets = choices(view.graph) if choices is not None else {}
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
            **on_click(refresh.refreshing("look", _add), disabled=choices is not None and not targets),
        )


@action(role=Role.RUN)
def _add(kind: BreakpointKind, has_target: bool) -> None:
    """Add a breakpoint from the values of the form, and clear its text boxes if that succeeded.

    Args:
        kind: The kind of the breakpoint.
        has_target: Whether the form has a box for the place of this kind.
    """
    target = state.widget(f"bp_target_{kind}") if has_target else ""
    condition, hits, log = (str(state.widget(key) or "").strip() for key in _TEXTS)
    put_breakpoint(Breakpoint(kind, str(target or ""), condition, hits, log))
    if state.record(LastAction).error is None:
        for key in _TEXTS:
            state.set_widget_from_callback(key, "")


def _lines(view: RunView) -> None:
    """Draw the newest lines of log points, at most `_MOST_LINES`; nothing without any."""
    lines = view.session.stepping.log_output
    if not lines:
        return
    shown = table(
        "Output of log points: turn, node, event and text",
        lines[-_MOST_LINES:],
        [
            (Column("turn", "Turn", 44, "number"), lambda line: str(line.turn_number)),
            (Column("node", "Node", 124), lambda line: line.node_name),
            (Column("event", "Event", 136), lambda line: line.event_type),
            (Column("text", f"Log points ({len(lines)})", 200, grows=True), lambda line: line.text),
        ],
    )
    rows_list("log_lines", shown)


@action(role=Role.RUN, takes_session=True)
def toggle_breakpoint(session: DebugSession, kinds: Sequence[BreakpointKind], target: str) -> None:
    """Remove the breakpoint of a place or add one, and store the run's debug setup."""
    session.breakpoints.toggle(kinds, target)
    actions.store_debug_setup()


@action(role=Role.RUN, takes_session=True)
def put_breakpoint(session: DebugSession, point: Breakpoint) -> None:
    """Add a breakpoint or replace the one with its id, and store the run's debug setup."""
    session.breakpoints.put(point)
    actions.store_debug_setup()


@action(role=Role.RUN, takes_session=True)
def remove_breakpoint(session: DebugSession, breakpoint_id: str) -> None:
    """Remove a breakpoint by its id, and store the run's debug setup."""
    session.breakpoints.remove(breakpoint_id)
    actions.store_debug_setup()

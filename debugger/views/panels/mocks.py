"""List of pins and faults, and the choice of manual answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, get_args

import streamlit as st

from debugger.analysis.node_origins import author_node_id
from debugger.engine.mocks import Fault, Pin, Target, TargetKind
from debugger.errors import InputError
from debugger.graph import Graph
from debugger.graph.node_types import MODEL_NODES
from debugger.protocol.workflow import NodeConfig
from debugger.session.debug_setup import mock_warning, tool_names
from debugger.session.json_input import parse_object, to_json
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import actions, refresh, state
from debugger.views.actions import action
from debugger.views.auth.permissions import explain_denial, on_change, on_click
from debugger.views.components.markdown import count, plain
from debugger.views.components.rows import Cell, Column, Columns, Table, rows_list, table
from debugger.views.help_links import empty_state
from debugger.views.run_view import RunView, run_history, run_view
from debugger.views.state import LastAction

_WORDS: dict[TargetKind, str] = {"node": "A node", "tool": "A tool", "model": "A node's model"}
_WHO = ("Workflow default", "Me (all model calls)", "Me (chosen nodes)")
_TEXTS = ("fault_error", "fault_attempts")


@dataclass
class _NodeChoice:
    """The choice to answer for some nodes, before a node is chosen."""

    session: DebugSession | None = None
    """The session that it was made for."""


def mocks(view: RunView) -> None:
    """Draw the pane.

    It has the choice of who answers, the pins and faults with a check and a removal for each, a warning of
    unused ones, the editor of pins and the form of a new fault. Where the backend has no pins, the reason is
    drawn, too.
    """
    reasons = view.session.backend.capabilities
    pins, manual = reasons.reason_against("pins"), reasons.reason_against("manual_model")
    _who(view, manual)
    if pins:
        st.caption(f":material/info: {plain(pins)}")
    items = view.session.mocks.all
    # Without rows, too: it has the keyboard after the last one is removed.
    rows_list("mocks", _table(view, items), on_use=refresh.refreshing("look", partial(_use, items)))
    if not items:
        empty_state(
            "No pins or faults yet. Choose the end of a node's run, a model's or a tool's message in the "
            "timeline and pin it in the tab Event, or inject a failure here.",
            "models#the-same-answer-every-time",
        )
    _unused(view)
    _pin_editor([one for one in items if isinstance(one, Pin)], view)
    _form(view, pins)


def _table(view: RunView, items: Sequence[Pin | Fault]) -> Table:
    """Return the table of pins and faults with their hits and state.

    Check and removal are disabled, with the reason, for a user without the role to run.
    """
    reason = explain_denial(put) or ""
    columns: Columns[Pin | Fault] = [
        (Column("on", "On", 34, "check", reason=reason), lambda one: (f"{one.id} is on", one.is_enabled)),
        (
            Column("kind", "Kind", 66, "chip"),
            lambda one: ("Pin", "blue") if isinstance(one, Pin) else ("Fault", "orange"),
        ),
        (Column("of", "Of", 120, grows=True), lambda one: _target_words(one.target, view)),
        (Column("what", "Output or error", 140, grows=True), _effect),
        (
            Column("attempts", "Attempts", 66),
            lambda one: one.attempts or "each" if isinstance(one, Fault) else "each",
        ),
        (Column("hits", "Hits", 44, "number"), lambda one: str(view.session.mocks.hits(one.id))),
        (Column("state", "State", 110, "chip", grows=True), lambda one: _state(view, one)),
        (Column("remove", "", 34, "remove", reason=reason), lambda one: (f"Remove {one.id}", False)),
    ]
    return table("Mocks: pins and faults with their hits and state", items, columns, lambda one: one.id)


def _state(view: RunView, one: Pin | Fault) -> Cell:
    """Return the state of a mock as a chip: why it has no effect, else off, else its note, else active."""
    warning = mock_warning(one, _running(view))
    if warning:
        return warning, "red"
    if not one.is_enabled:
        return "Off", "gray"
    return (one.note, "blue") if one.note else ("Active", "green")


def _use(items: Sequence[Pin | Fault], mock_id: Any, column: str, value: Any) -> None:
    """Remove a mock, or turn it on or off, by the column that was used; nothing for an unknown id.

    The debug setup is stored with it.
    """
    one = next((each for each in items if each.id == mock_id), None)
    if one is None:
        return
    if column == "remove":
        remove(one.id)
    else:
        put(replace(one, is_enabled=bool(value)))


def _who(view: RunView, reason: str | None) -> None:
    """Draw the choice of who answers model calls, and for which nodes; a reason disables the first.

    Sets the session keys `who_answers_choice` and `who_answers_nodes` to what the session has. A change
    writes the session and stores the debug setup.
    """
    human_input = view.session.human_input
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="who_answers"):
        st.caption("Who answers model calls", width="content")
        is_some = bool(human_input.nodes) or state.record(_NodeChoice).session is view.session
        state.set_widget(
            "who_answers_choice", _WHO[1] if human_input.asks_all else _WHO[2] if is_some else _WHO[0]
        )
        st.segmented_control(
            "Who answers model calls",
            _WHO,
            key="who_answers_choice",
            required=True,
            label_visibility="collapsed",
            **on_change(
                refresh.refreshing("look", _chose_who),
                disabled=reason is not None,
                help=plain(reason) if reason else None,
            ),
        )
        if is_some and not human_input.asks_all:
            names = {
                node.logical_id: _node_words(node, view)
                for node in _running(view).nodes.values()
                if node.type in MODEL_NODES
            }
            state.set_widget("who_answers_nodes", [node for node in names if node in human_input.nodes])
            st.multiselect(
                "Nodes whose model calls I answer",
                list(names),
                format_func=lambda node: names[node],
                key="who_answers_nodes",
                label_visibility="collapsed",
                width=420,
                **on_change(refresh.refreshing("look", _chose_nodes)),
            )


@action(role=Role.RUN, takes_session=True)
def _chose_who(session: DebugSession) -> None:
    """Take over who answers model calls, with no node chosen, and store the debug setup.

    For chosen nodes the choice is held in `_NodeChoice` until one is. An error is kept in `LastAction`.
    """
    chosen = state.widget("who_answers_choice")
    state.record(_NodeChoice).session = session if chosen == _WHO[2] else None
    session.human_input.asks_all = chosen == _WHO[1]
    session.human_input.nodes = frozenset()
    actions.store_debug_setup()


@action(role=Role.RUN, takes_session=True)
def _chose_nodes(session: DebugSession) -> None:
    session.human_input.asks_all = False
    session.human_input.nodes = frozenset(state.widget("who_answers_nodes") or ())
    actions.store_debug_setup()


def _target_words(target: Target, view: RunView) -> str:
    """Return what a mock is for in words: a tool, with its node if it has one, a node, or a node's model.

    A node that the running workflow lacks is named by its id.
    """

    def label(node_id: str) -> str:
        """Return the words for a node, or its id where the workflow lacks it."""
        node = _running(view).nodes.get(node_id)
        return _node_words(node, view) if node else node_id

    if target.kind == "tool":
        return f"tool {target.name}" + (f" in {label(target.node)}" if target.node else "")
    return f"{'model of ' if target.kind == 'model' else ''}{label(target.name)}"


def _running(view: RunView) -> Graph:
    """Return the workflow with the nodes inside super nodes."""
    return view.memo("running graph", lambda: Graph(run_history(view).workflow))


def _node_words(node: NodeConfig, view: RunView) -> str:
    around = view.graph.nodes.get(author_node_id(node.logical_id, view.graph.nodes))
    is_inside = around is not None and around.logical_id != node.logical_id
    return f"{node.label} in {around.label}" if around is not None and is_inside else node.label


def _effect(one: Pin | Fault) -> str:
    """Return what a mock does in words: a pin's summary, or a fault's error and delay, empty without."""
    if isinstance(one, Pin):
        return one.summary
    if not one.error:
        return f"{one.delay:g} s late" if one.delay else ""
    return f"fails: {one.error}" + (f" after {one.delay:g} s" if one.delay else "")


def _unused(view: RunView) -> None:
    """Draw a warning with the pins and faults that were not used.

    Before the run is over these are the missed ones. Nothing is drawn without any, without turns, and in a
    turn.
    """
    found = view.session.mocks
    unused = found.unused if view.session.is_over else found.missed
    if unused and view.turns and not view.session.busy:
        named = ", ".join(_target_words(one.target, view) for one in unused)
        st.warning(
            f"{count(len(unused), 'pin or fault') if len(unused) == 1 else f'{len(unused)} pins or faults'} "
            f"not used so far: {plain(named)}",
            icon=":material/warning:",
        )


def _pin_editor(pins: Sequence[Pin], view: RunView) -> None:
    """Draw the field in which the output of a pin is changed.

    The button writes it among the mocks and stores the debug setup; a text that is no JSON object is an error
    in `LastAction`. Nothing is drawn without pins, or for a user without the role to run.
    """
    if not pins or explain_denial(_change):
        return
    with st.container(border=True, key="edited_pin"):
        by_id = {one.id: one for one in reversed(pins)}
        chosen = st.selectbox(
            "Change the pin of",
            list(by_id),
            format_func=lambda one: f"{_target_words(by_id[one].target, view)} ({one})",
            key="edited_pin_id",
            width=320,
        )
        pin = by_id[chosen]
        # A pin with another output has another field, which begins with it.
        key, first = f"edited_pin_{pin.id}_{hash(to_json(pin.output))}", to_json(pin.output)
        st.text_area("Output as JSON", first, key=key, height=120)
        st.button(
            "Change pin",
            key="change_pin",
            icon=":material/edit:",
            args=(pin, key),
            **on_click(refresh.refreshing("look", _change)),
        )


@action(role=Role.RUN)
def _change(pin: Pin, key: str) -> None:
    put(replace(pin, output=parse_object(str(state.widget(key) or "{}"), what="The output of the pin")))


def _form(view: RunView, reason: str | None) -> None:
    """Draw the form of a new fault: kind, target, error, delay and attempts; a reason disables its button.

    A user without the role to run gets the reason as a caption instead. Without a target the button is
    disabled, too.
    """
    if missing := explain_denial(_add):
        st.caption(missing)
        return
    with st.container(
        horizontal=True, vertical_alignment="bottom", gap="xsmall", key="new_fault", border=True
    ):
        kind: TargetKind = st.selectbox(
            "New fault in", get_args(TargetKind), format_func=_WORDS.__getitem__, key="fault_kind", width=160
        )
        names = _targets(kind, view)
        st.selectbox(
            "Which", list(names), format_func=names.__getitem__, key=f"fault_target_{kind}", width=220
        )
        st.text_input("Error", key="fault_error", placeholder="timeout", width=200)
        st.number_input("Delay (s)", 0.0, 600.0, key="fault_delay", width=120)
        st.text_input("Attempts", key="fault_attempts", placeholder="2, <=2, %2", width=110)
        st.button(
            "Add fault",
            key="fault_add",
            icon=":material/bolt:",
            args=(kind,),
            **on_click(
                refresh.refreshing("look", _add),
                disabled=reason is not None or not names,
                help=plain(reason) if reason else None,
            ),
        )


def _targets(kind: TargetKind, view: RunView) -> dict[str, str]:
    """Return the words for what a fault can be in, by name or id: tools, all nodes, or nodes with a model.

    Empty where the running workflow has none.
    """
    graph = _running(view)
    if kind == "tool":
        return {name: name for name in tool_names(graph)}
    return {
        node.logical_id: _node_words(node, view)
        for node in graph.nodes.values()
        if kind == "node" or node.type in MODEL_NODES
    }


@action(role=Role.RUN)
def _add(kind: TargetKind) -> None:
    """Add the fault that the form describes, and empty the form's error, attempts and delay.

    The debug setup is stored. Where it cannot be added, the error is kept in `LastAction` and the form stays.
    """
    name = str(state.widget(f"fault_target_{kind}") or "")
    error, attempts = (str(state.widget(key) or "").strip() for key in _TEXTS)
    delay = float(state.widget("fault_delay") or 0)
    put(Fault(Target(kind, name), error, delay, attempts))
    if state.record(LastAction).error is None:
        for key in _TEXTS:
            state.set_widget_from_callback(key, "")
        state.set_widget_from_callback("fault_delay", 0.0)


@action(role=Role.RUN, takes_session=True)
def put(session: DebugSession, one: Pin | Fault) -> None:
    """Set a pin or a fault, or replace the one with its id.

    The debug setup is stored. Where a new one can have no effect in this version of the workflow, an
    `InputError` is kept in `LastAction`.
    """
    warning = mock_warning(one, _running(run_view(session)))
    if warning is not None and not one.id:
        raise InputError(warning, advice="Choose a node or a tool of the version on view.")
    session.mocks.put(one)
    actions.store_debug_setup()


@action(role=Role.RUN, takes_session=True)
def remove(session: DebugSession, intervention_id: str) -> None:
    """Take a pin or a fault away."""
    session.mocks.remove(intervention_id)
    actions.store_debug_setup()

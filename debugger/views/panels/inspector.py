"""Inspector of the selected event, node or turn, with the prompts of model calls."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from debugger.analysis.event_fields import values_of
from debugger.analysis.model_attempts import FailedAttempt, failed_attempts
from debugger.analysis.timeline import TimelineRow
from debugger.backends.embedded.model_selection import default_llm
from debugger.backends.hosted import HostedBackend
from debugger.engine.models.call_parts import Offer, offers_of, system_text
from debugger.errors import DebuggerError
from debugger.exports.code import CODE_FORMATS, LOCAL_BASE_URL, turn_call
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.turn_logs import TurnLog
from debugger.session.breakpoint_kinds import kinds_drawn_on
from debugger.session.debug_setup import pin_of
from debugger.session.past_prompts import FilledPlaceholder, PastPrompt, is_model_call, past_prompt
from debugger.session.session import DebugSession
from debugger.settings import read_settings
from debugger.store import Role
from debugger.views import actions, refresh, state
from debugger.views.actions import action
from debugger.views.components.markdown import draw_json, json_cell, milliseconds, plain
from debugger.views.components.rows import Column, Columns, rows_list, table
from debugger.views.components.tabs import Tabs
from debugger.views.components.toolbar import Badge, Button, Item, SegmentedControl, Spacer, Text, bar
from debugger.views.help_links import empty_state
from debugger.views.panels import breakpoints, stepping
from debugger.views.panels.cursor import PAST
from debugger.views.panels.drawn_graph import drawn_graph, graph_of_node, opened_super_nodes
from debugger.views.panels.forks import fork_button
from debugger.views.panels.notes import notes_tab
from debugger.views.panels.variables import changes_tab, values_tab, watch_tab
from debugger.views.panels.watches import WatchList
from debugger.views.panels.why import why_tab
from debugger.views.run_state import Selection, selection_state
from debugger.views.run_view import RunView, decisions, run_history


def node_tab(view: RunView) -> None:
    """Draw the selected node, or the current one.

    Shown are its bar with buttons, its runs, its last prompt, its outgoing edges and its configuration as
    JSON. Without either node a hint is drawn; a node that this version lacks has neither buttons nor the
    last two.
    """
    chosen = state.record(Selection).node or drawn_graph(view).position.current
    if chosen is None:
        st.caption("Choose a node in the graph to see its configuration and its runs.")
        return
    config = graph_of_node(view, chosen).nodes.get(chosen)
    name = config.label if config else view.position.missing_nodes.get(chosen, chosen)
    what = f"{config.type or 'no type'} · {chosen}" if config else "not in this version of the workflow"
    actions_of_node = node_actions(view, chosen) if config else []
    bar("node_bar", [Text(name, look="heading"), Text(what), Spacer(), *actions_of_node], low=True)
    _node_runs(view, chosen)
    _last_prompt(view, chosen)
    if config is not None:
        _edges(view, chosen)
        st.caption("Configuration")
        written = graph_of_node(view, chosen).workflow.to_wire().get("node_configs") or []
        draw_json(next(node for node in written if node.get("logical_id") == chosen))


def _edges(view: RunView, node_id: str) -> None:
    """Draw the table of the edges that leave a node, with destination and condition; nothing without any."""
    graph = graph_of_node(view, node_id)
    edges = graph.find_outgoing_edges(node_id)
    if not edges:
        return
    shown = table(
        "Edges that leave the chosen node",
        edges,
        [
            (
                Column("to", "Edge to", 130),
                lambda edge: graph.names.get(edge.destination_node_logical_id or "", ""),
            ),
            (
                Column("condition", "Condition", 150, grows=True),
                lambda edge: edge.condition.text if edge.condition else "always",
            ),
        ],
    )
    rows_list("node_edges", shown)


def _node_runs(view: RunView, node_id: str) -> None:
    """Draw the table of a node's runs up to the cursor, six in sight; a hint without any.

    A row is an ended run; a click moves the cursor to its event, a second one lets the run be followed.
    For a super node it has the runs of the nodes inside, with a column that names them.
    """
    rows = [
        row
        for row in view.rows_then
        if node_id in (row.drawn_node, row.node_logical_id) and row.type == "end_node_run"
    ]
    if not rows:
        st.caption("It has not run yet.")
        return
    columns: Columns[TimelineRow] = [
        (Column("turn", "Turn", 44, "number"), lambda row: str(row.turn_number)),
        *_inner_nodes(rows, node_id),
        (Column("outcome", "Outcome of the run", 150, grows=True), lambda row: row.summary),
        (Column("took", "Duration", 80, "number"), lambda row: milliseconds(row.duration_ms)),
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
    """Draw a closed box with the prompt of a node's last model call; nothing without a call up to the cursor.

    Opening the box reruns the pane; the prompt is worked out only while it is open.
    """
    row = last_call(view, node_id)
    if row is None:
        return
    title = f"Prompt of its last model call · event {row.index} · turn {row.turn_number}"
    shown = st.expander(title, key="node_prompt", type="compact", on_change="rerun")
    if shown.open:
        with shown:
            prompt_view(view, row)


def _choose_run(target: Any) -> None:
    actions.select_event(target[0] if target else None)


def _inner_nodes(rows: Sequence[TimelineRow], node_id: str) -> Columns[TimelineRow]:
    if all(row.node_logical_id == node_id for row in rows):
        return []
    column = Column("inside", "Inside", 84)
    return [(column, lambda row: (row.node_name or row.node_logical_id or "").rpartition(" › ")[2])]


def node_actions(view: RunView, node_id: str) -> list[Item]:
    """Return the buttons of a node.

    The first continues the run until the node; it is disabled in the past, where the backend cannot pause in
    a turn, and in a run that has started and is not paused. The second sets or removes the breakpoint.
    """
    session = view.session
    reason = session.backend.capabilities.reason_against("pause_mid_turn") or (PAST if view.is_past else None)
    can_go = session.stop_point is not None or session.status == "not_started"
    kinds = kinds_drawn_on("node")
    is_set = any(point.target == node_id and point.kind in kinds for point in session.breakpoints.points)
    return [
        Button(
            "run_to",
            "Run to here",
            refresh.refreshing("look", stepping.run_to),
            (node_id,),
            icon=":material/keyboard_tab:",
            disabled=reason is not None or not can_go,
            help=reason or "Continue, and pause before this node runs",
        ),
        Button(
            "break_here",
            "Remove breakpoint" if is_set else "Break before",
            refresh.refreshing("look", breakpoints.toggle_breakpoint),
            (kinds, node_id),
            icon=":material/radio_button_checked:",
            help="Pause before this node runs",
        ),
    ]


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
    """Draw the inspector.

    It is the bar of the tabs, with the moment for tabs that show one, and what the chosen tab draws. Sets the
    first value of the tab's session key, Variables; a value that names no tab raises `KeyError`.
    """
    with st.container(key="inspector", gap=None):
        state.begin_widget(state.TAB_KEY, _FIRST_TAB)
        tab = state.widget(state.TAB_KEY)
        where = "After the latest event" if view.rows else "Before any event"
        if view.event is not None:
            background = ", background" if view.rows[view.event].is_background else ""
            where = f"After event {view.event} · turn {view.turn_number}{background}"
        tabs = Tabs(state.TAB_KEY, "Inspector", _FIRST_TABS, _OTHER_TABS, {})
        moment: list[Item] = [Spacer(), Text(where)] if tab in _AT_A_MOMENT else []
        bar("inspector_bar", [*tabs.items(), *moment], low=True)
        TABS[tab](view)


def _event(view: RunView) -> None:
    """Draw the event at the cursor, else the last one; a hint without any event.

    Shown are a bar with type, summary and the pin button, the failed attempts, and the event as JSON. For a
    model call a control chooses prompt, call or event; its session key `call_view` begins with the prompt.
    """
    if not view.rows:
        st.caption("Choose a row of the timeline to see the event as it was sent.")
        return
    row = view.rows[view.last]
    has_prompt = is_call(view, row)
    state.begin_widget(_CALL_KEY, _CALL_VIEWS[0])
    views: list[Item] = [SegmentedControl(_CALL_KEY, "Model call", _CALL_VIEWS)] if has_prompt else []
    title: list[Item] = [Text(row.type, look="heading"), *views, Text(row.summary)]
    bar("event_bar", [*title, *pin_button(view, row)], low=True)
    event: Event = view.turns[row.place].events[row.position]
    _attempts(event)
    shown = state.widget(_CALL_KEY) if has_prompt else None
    if shown == "Prompt":
        prompt_view(view, row)
    elif shown == "Call":
        call_view(view, row)
    else:
        draw_json(event.to_wire())


def _attempts(event: Event) -> None:
    """Draw the table of the failed attempts of a model call, eight in sight; nothing without any."""
    attempts = failed_attempts(event)
    if not attempts:
        return
    columns: Columns[FailedAttempt] = [
        (Column("number", "Attempt", 60, "number"), lambda each: str(each.number)),
        (Column("kind", "Outcome", 120), lambda each: each.kind),
        (Column("error", "Reason", 200, grows=True), lambda each: each.error),
        (Column("took", "Duration", 80, "number"), lambda each: milliseconds(each.latency_ms)),
    ]
    rows_list(
        "call_attempts", table("Failed attempts of this model call", attempts, columns), most=_MOST_ROWS
    )


def _input(view: RunView) -> None:
    """Draw the input of the turn at the cursor, else of the last turn, as JSON; a hint without turns.

    Above it are the popover that copies the call and the button that forks the turn.
    """
    if not view.turns:
        empty_state("The input of a turn appears here once it has started.", "first_run#the-run-input")
        return
    turn = view.turns[view.rows[view.event].place if view.event is not None else -1]
    what = "background work after turn" if turn.is_background else "turn"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="input_actions"):
        st.caption(f"Input of {what} {turn.number}")
        copy_as(view.session, turn)
        bar("turn_bar", [fork_button(view.session, turn.number, "fork_here")], width="content")
    run_input: JsonObject = turn.run_input.to_wire()
    draw_json(run_input)


TABS: dict[str, _Draw] = {
    "Variables": values_tab,
    "Changes": changes_tab,
    "Watch": watch_tab,
    "Why": why_tab,
    "Event": _event,
    "Node": node_tab,
    "Input": _input,
    "Notes": notes_tab,
}
"""What draws each tab, by its name."""
_FIRST_TABS = ("Variables", "Why", "Event")
_OTHER_TABS = ("Changes", "Watch", "Node", "Input", "Notes")
_AT_A_MOMENT = ("Variables", "Changes", "Watch", "Event")
"""Tabs that show the run as it was after the chosen event."""


def copy_as(session: DebugSession, turn: TurnLog) -> None:
    """Draw a popover with the turn's call in each language.

    The text is written only while it is open; opening it reruns the pane. The address is that of the hosted
    API, else the local server's, for which a caption names the command. The key is left out.
    """
    shown = st.popover("Copy as …", icon=":material/code:", key="copy_as", on_change="rerun")
    if not shown.open:
        return
    with shown:
        base_url = session.backend.base_url if isinstance(session.backend, HostedBackend) else LOCAL_BASE_URL
        call = turn_call(turn, base_url, session.workflow_id, session.run_id, session.version_number)
        where = "" if base_url != LOCAL_BASE_URL else " Start a server for it: workflow-debugger serve."
        st.caption(plain(f"The key is left out: set INTERACTLY_API_KEY.{where}"))
        for (language, write), tab in zip(CODE_FORMATS.values(), st.tabs(list(CODE_FORMATS)), strict=True):
            with tab:
                st.code(write(call), language=language, height=320)


def pin_button(view: RunView, row: TimelineRow) -> list[Item]:
    """Return the button that pins the output of an event, if it has one.

    A spacer comes before it. Empty for an event without such an output; disabled, with the reason as its
    help, where the backend has no pins.
    """
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


@action(role=Role.RUN, takes_session=True)
def pin_event(session: DebugSession, place: int, position: int) -> None:
    """Pin the output of an event.

    Puts the pin among the mocks of the session, with the turn in its note, and stores the debug setup.
    Nothing happens for an event without an output to pin; an error is kept in `LastAction`.
    """
    log = session.turns[place]
    pin = pin_of(log, position)
    if pin is not None:
        session.mocks.put(replace(pin, note=f"from turn {log.number}"))
        actions.store_debug_setup()


_MOST_ROWS = 8
_REBUILT = Badge(
    "rebuilt",
    ":material/history:",
    help="Prompts are not recorded: this one was rebuilt from the variables and messages of that moment",
)


def is_call(view: RunView, row: TimelineRow) -> bool:
    """Return whether an event is a model call."""
    return is_model_call(view.turns[row.place].events[row.position])


def last_call(view: RunView, node_id: str) -> TimelineRow | None:
    """Return the last model call of a node up to the cursor."""
    rows = (row for row in reversed(view.rows_then) if node_id in (row.node_logical_id, row.drawn_node))
    return next((row for row in rows if is_call(view, row)), None)


def prompt_view(view: RunView, row: TimelineRow) -> None:
    """Draw the prompt of a model call: placeholders, text, what it offered.

    Notes on how it was rebuilt follow. Where there is no prompt, the reason is drawn instead.
    """
    found = _prompt_of(view, row)
    if isinstance(found, str):
        st.caption(plain(found))
        return
    model = values_of(view.turns[row.place].events[row.position]).llm_usage_info.response_model
    answered = f" · answered by {model}" if model else ""
    bar("prompt_bar", [_REBUILT, Text(f"System prompt{answered}")], low=True)
    st.code(system_text(found.prompt) or "(empty)", language=None, wrap_lines=True)
    _placeholders(found)
    _offers(found)
    for note in found.notes:
        st.caption(plain(note))


def call_view(view: RunView, row: TimelineRow) -> None:
    """Draw a model call as JSON.

    Where it is not recorded and cannot be rebuilt, the reason is drawn instead.
    """
    found = _prompt_of(view, row)
    if isinstance(found, str):
        st.caption(plain(found))
        return
    bar("prompt_bar", [_REBUILT, Text("The call as the engine sent it")], low=True)
    draw_json(found.call, expanded=3)


def _prompt_of(view: RunView, row: TimelineRow) -> PastPrompt | str:
    """Return the prompt, or the reason why there is none."""
    if view.session.backend.capabilities.reason_against("manual_model") is not None:
        return "Not recorded: the events of this run do not have the prompts of its model calls."
    return view.memo(("prompt", row.index), lambda: _rebuild(view, row))


def _rebuild(view: RunView, row: TimelineRow) -> PastPrompt | str:
    """Return the prompt of a model call, rebuilt from the record and the settings' default model.

    A `DebuggerError` on the way gives a sentence with it instead.
    """
    held = run_history(view)
    try:
        llm = default_llm(read_settings().default_model)
        return past_prompt(view.turns, row, held.workflow, held.moments, held.history, decisions(view), llm)
    except DebuggerError as error:
        return f"Not recorded, and it cannot be rebuilt: {error}"


def _placeholders(found: PastPrompt) -> None:
    """Draw the table of the prompt's placeholders with value and source; nothing without any.

    Eight rows are in sight.
    """
    if not found.placeholders:
        return
    columns: Columns[FilledPlaceholder] = [
        (Column("placeholder", "Placeholder", 120, grows=True), lambda each: each.text),
        (Column("value", "Value", 110, grows=True), lambda each: json_cell(each.value)),
        (Column("source", "Source", 120, grows=True), lambda each: each.source),
    ]
    shown = table("Placeholders of the prompt: value and source", found.placeholders, columns)
    rows_list("prompt_placeholders", shown, most=_MOST_ROWS)


def _offers(found: PastPrompt) -> None:
    """Draw the table of what the model was offered; nothing for a judge or without an offer.

    Eight rows are in sight.
    """
    if found.prompt.kind == "judge" or not (offers := offers_of(found.prompt)):
        return
    columns: Columns[Offer] = [
        (Column("name", "Offered", 150, grows=True), lambda offer: offer.name),
        (Column("description", "Description", 180, grows=True), lambda offer: offer.description),
    ]
    shown = table("Tools and transitions that the model was offered", offers, columns)
    rows_list("prompt_offers", shown, most=_MOST_ROWS)

"""Graph pane: the run's position as a graph or as tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from debugger.analysis.metrics import node_times, percent
from debugger.analysis.position import NextEdge
from debugger.analysis.run_tables import (
    EdgeRow,
    NodeRow,
    ThreadRow,
    edge_table,
    node_table,
    thread_names,
    thread_table,
    unmapped_edges,
)
from debugger.engine.mocks import Pin
from debugger.graph.layout import Layout
from debugger.protocol.base import JsonObject
from debugger.session.breakpoint_kinds import KINDS, kinds_drawn_on
from debugger.session.breakpoints import Breakpoint, Breakpoints
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import refresh, run_state, state
from debugger.views.actions import action
from debugger.views.auth.permissions import may
from debugger.views.components.graph.component import graph_direction, workflow_graph
from debugger.views.components.graph.node_states import NONE, Badges, Look, Mark, node_states
from debugger.views.components.graph.props import geometry
from debugger.views.components.markdown import count, listed, milliseconds, plain
from debugger.views.components.rows import Column, Columns, Table, rows_list, table
from debugger.views.components.toolbar import Item, SegmentedControl, Text, Toggle, bar
from debugger.views.help_links import empty_state, help_mark
from debugger.views.navigation import ViewMode
from debugger.views.panels import breakpoints
from debugger.views.panels.demo import caption_for_audience, moment_sentence, wait_words
from debugger.views.panels.drawn_graph import (
    DrawnGraph,
    drawn_element,
    drawn_graph,
    drawn_layout,
    opened_super_nodes,
    toggle_super_node,
)
from debugger.views.panels.manual_answer import choose_step
from debugger.views.panels.picture import is_picture_open, open_picture_dialog, picture_dialog
from debugger.views.run_state import Element, Selection, selection_state
from debugger.views.run_view import RunView

VIEWS = ("Graph", "Table")
TINT_KEY, THREAD_KEY = "graph_tint", "graph_thread"
_ALL = "all"


@dataclass
class LastShape:
    """The geometry that was drawn last."""

    source: Hashable = None
    """What it was made of."""
    shape: JsonObject | None = None


def graph_state(session: DebugSession) -> Hashable:
    """Return what the pane shows besides the run."""
    return selection_state(session), opened_super_nodes(session), is_picture_open()


def graph_pane(
    view: RunView, badges: Badges = NONE, on_breakpoint: Callable[[Element], None] | None = None
) -> None:
    """Draw the pane.

    Args:
        view: The run.
        badges: The breakpoints and pins to draw.
        on_breakpoint: Takes the node or edge where a person asks for a breakpoint, or clicks the one that is
            there; without it none can be set here.
    """
    state.begin_widget(state.GRAPH_VIEW_KEY, VIEWS[0])
    state.begin_widget(TABLE_KEY, TABLES[0])
    is_demo = state.record(ViewMode).is_demo
    with st.container(key="graph_box"):
        is_table = state.widget(state.GRAPH_VIEW_KEY) == "Table" and not is_demo
        if is_demo:
            bar("graph_bar", [Text(moment_sentence(view), look="message", key="moment")], low=True)
        else:
            views = SegmentedControl(state.GRAPH_VIEW_KEY, "Workflow view", VIEWS)
            switches = [SegmentedControl(TABLE_KEY, "Table of", TABLES)] if is_table else _switches(view)
            bar("graph_bar", [views, *switches, Text(_summary(view))], low=True)
        if view.session.substitute_reason:
            st.caption(f":material/history: {plain(view.session.substitute_reason)}")
        if is_table:
            with st.container(height="stretch", border=False, key="graph_tables"):
                graph_table(
                    view, drawn_graph(view), state.widget(TABLE_KEY), refresh.refreshing("graph", _choose)
                )
        else:
            _graph(view, badges, on_breakpoint)
    if not is_demo:
        picture_dialog(view)


def _switches(view: RunView) -> list[Item]:
    """Return the switches above the graph: the tint by time, and a choice of thread where there are two.

    With the latter, the session key `graph_thread` is set to all unless it names a thread of the run.
    """
    tint = Toggle(TINT_KEY, "Time", help="Tint the nodes by their share of the run's time")
    names = thread_names(view.position)
    if len(names) < 2:
        return [tint]
    if state.widget(THREAD_KEY) not in names:
        state.set_widget(THREAD_KEY, _ALL)
    return [
        tint,
        SegmentedControl(THREAD_KEY, "Path of thread", (_ALL, *names), {_ALL: "All threads", **names}),
    ]


def _summary(view: RunView) -> str:
    """Return counts as words: before the first turn of nodes and edges, else of what the run has reached.

    The latter are reached nodes, drawn transitions, and possible next steps where there are some.
    """
    nodes = len(view.graph.nodes)
    if not view.turns:
        return f"{count(nodes, 'node')} · {count(len(view.graph.edges), 'edge')}"
    position = drawn_graph(view).position  # its transitions and next steps are those that are drawn
    parts = [
        f"{nodes - len(view.position.unreached)} of {count(nodes, 'node')}",
        count(len(position.transitions), "transition"),
    ]
    if position.next_edges:
        parts.append(count(len(position.next_edges), "possible next step"))
    return " · ".join(parts)


def _graph(view: RunView, badges: Badges, on_breakpoint: Callable[[Element], None] | None) -> None:
    """Draw the graph component, with the states of nodes and edges as of the cursor.

    Where the layout has a note, it and the table of nodes are drawn instead; without any node a hint. A click
    on an element chooses it, one on a super node's fold opens or closes it, and outside the demo view one
    can open the dialog of the picture.
    """
    drawn = drawn_graph(view)
    is_demo = state.record(ViewMode).is_demo  # it has none of the switches
    placed = drawn_layout(drawn, graph_direction(drawn.graph, is_large=is_demo))
    shape = _shape(view, placed, drawn)
    if placed.note and drawn.graph.nodes:
        st.caption(f":material/info: {plain(placed.note)}")
        with st.container(height="stretch", border=False, key="graph_tables"):
            graph_table(view, drawn, TABLES[0], refresh.refreshing("graph", _choose))
        return
    if not shape["nodes"]:
        with st.container(
            border=True,
            height="stretch",
            horizontal_alignment="center",
            vertical_alignment="center",
            key="no_nodes",
        ):
            st.caption(
                "The nodes of the workflow appear here. This version has none: "
                "choose another version or workflow, or import one. "
                f"{help_mark('first_run#your-own-workflow')}",
                width="content",
            )
        return
    names = thread_names(view.position)
    thread = state.widget(THREAD_KEY)
    only_thread = thread if len(names) > 1 and thread in names and not is_demo else None
    has_tint = bool(state.widget(TINT_KEY)) and not is_demo
    is_paused = view.session.stop_point is not None and not view.is_past
    place = replace(drawn.position, state="paused") if is_paused else drawn.position
    # A long run has thousands of transitions: they are gone through again only when there is one more.
    made = view.memo_here(
        ("marks", place.state, only_thread, has_tint, repr(badges), id(drawn.graph)),
        lambda: node_states(
            place,
            drawn.graph,
            groups=drawn.groups,
            badges=badges,
            thread=only_thread,
            times=node_times(view.rows_then, drawn.graph.nodes) if has_tint else None,
        ),
    )
    workflow_graph(
        shape,
        made,
        height="stretch",
        aria_label=wait_words(view) if is_demo else view.hint.sentence,
        stamp=f"{view.turn_number}.{view.last + 1}.{view.status}",
        on_choose=refresh.refreshing("graph", _choose),
        on_breakpoint=on_breakpoint,
        on_fold=refresh.refreshing("graph", toggle_super_node),
        on_picture=None if is_demo else open_picture_dialog,
        is_large=is_demo,
    )


def _shape(view: RunView, placed: Layout, drawn: DrawnGraph) -> JsonObject:
    """Return the geometry that the component draws; the last one again while nothing it depends on changes.

    It depends on workflow, layout, missing nodes, unmapped edges and the demo view, whose labels are those
    for an audience. Writes the state `LastShape`.
    """
    last = state.record(LastShape)
    unmapped = view.memo_here(
        ("unmapped edges", id(drawn.graph)), lambda: unmapped_edges(drawn.position, drawn.graph)
    )
    # The workflow itself is compared by identity: a session has one for good.
    is_demo = state.record(ViewMode).is_demo
    source = (id(view.session.workflow), placed.version, drawn.position.missing_nodes, unmapped, is_demo)
    if last.shape is None or last.source != source:
        last.source = source
        last.shape = geometry(placed, drawn.graph, drawn.position.missing_nodes, unmapped)
        if is_demo:
            caption_for_audience(last.shape, drawn.graph)
    return last.shape


def _choose(element: Element | None) -> None:
    if may(Role.RUN):
        choose_step(element)
    choose(element, "Why" if element is not None and element.kind == "edge" else "Node")


def choose(element: Element | None, tab: str) -> None:
    """Choose a node or an edge, or nothing.

    Args:
        element: What is chosen.
        tab: The tab of the inspector that shows it.
    """
    state.record(Selection).choose(element)
    if element is not None:
        state.set_widget_from_callback(state.TAB_KEY, tab)


def graph_badges(view: RunView) -> Badges:
    """Return breakpoints and pins on their nodes and edges.

    Of several breakpoints on one element the first is shown, and its own before those inside it.
    """
    points = view.session.breakpoints
    marks: dict[Element, Mark] = {}
    inner: dict[Element, Mark] = {}
    for point in points.points:
        drawn_on = KINDS[point.kind].drawn_on
        if drawn_on is not None:
            element = Element(drawn_on, point.target)
            drawn = drawn_element(view, element)
            (marks if drawn == element else inner).setdefault(drawn, _mark(point, points))
    pins = {
        one.target.name: f"Pinned: {one.summary}"
        for one in view.session.mocks.all
        if isinstance(one, Pin) and one.is_enabled and one.target.kind != "tool"
    }
    return Badges(inner | marks, pins)


@action(role=Role.RUN)
def toggle_breakpoint(element: Element) -> None:
    """Set or remove the breakpoint of a node or an edge."""
    breakpoints.toggle_breakpoint(kinds_drawn_on(element.kind), element.id)


def _mark(point: Breakpoint, points: Breakpoints) -> Mark:
    """Return the mark of a breakpoint, with location, condition, hits and any warning as words.

    Its look is hollow where the breakpoint cannot be reached, else disabled where it is off, else that of a
    log point or of a breakpoint.
    """
    warning = points.explain_unreachable(point)
    parts = [f"Breakpoint {points.describe_location(point)}"]
    parts += [f"if {point.condition}"] if point.condition else []
    parts += [f"hits {point.hits}"] if point.hits else []
    look: Look = "log" if point.log else "verified"
    if warning:
        look = "hollow"
        parts.append(warning)
    elif not point.is_enabled:
        look = "disabled"
        parts.append("off")
    return Mark(look, ", ".join(parts))


TABLES = ("Nodes", "Edges", "Threads")
TABLE_KEY = "graph_table"
_MOST_STEPS = 6

Choose = Callable[[Element | None], None]


def graph_table(view: RunView, drawn: DrawnGraph, shown: str, on_choose: Choose) -> None:
    """Draw one of the tables; a click selects the row's element.

    Args:
        view: The run.
        drawn: The graph, with its opened super nodes.
        shown: Which one, out of `TABLES`.
        on_choose: Takes what a person has chosen.
    """
    names = {node_id: node.label for node_id, node in drawn.graph.nodes.items()}
    _show_next_steps(drawn.position.next_edges, names)
    if shown == "Nodes":
        _nodes(view, drawn, on_choose)
    elif shown == "Edges":
        _edges(drawn, on_choose)
    else:
        _threads(view, on_choose)


def _nodes(view: RunView, drawn: DrawnGraph, on_choose: Choose) -> None:
    """Draw the table of the drawn nodes as of the cursor, with status, visits and time."""
    times = node_times(view.rows_then, drawn.graph.nodes)
    columns: Columns[NodeRow] = [
        (Column("node", "Node", 130, grows=True), lambda row: row.name),
        (Column("status", "Status", 110, grows=True), lambda row: row.status),
        (Column("visits", "Visits", 54, "number"), lambda row: str(row.visits)),
        (Column("first", "First turn", 72, "number"), lambda row: str(row.first_turn or "")),
        (Column("entered", "Entered by", 110, grows=True), lambda row: row.entered_by),
        (
            Column("time", "Duration", 76, "number", help="Of all its runs"),
            lambda row: milliseconds(times[row.id].total_ms) if row.id in times else None,
        ),
        (
            Column("share", "Share", 56, "number", help="Of the time of all node runs"),
            lambda row: percent(times[row.id].share) if row.id in times else None,
        ),
        (Column("type", "Type", 100), lambda row: row.type),
        (Column("id", "Id", 110), lambda row: row.id),
    ]
    label = "The nodes of the workflow, with status, visits, time and the edge they were entered by"
    rows = node_table(drawn.position, drawn.graph)
    _draw("node", table(label, rows, columns, lambda row: ["node", row.id]), on_choose)


def _edges(drawn: DrawnGraph, on_choose: Choose) -> None:
    """Draw the table of the drawn edges as of the cursor, with condition, status and number of uses."""
    columns: Columns[EdgeRow] = [
        (Column("from", "From", 110, grows=True), lambda row: row.source),
        (Column("to", "To", 110, grows=True), lambda row: row.destination),
        (Column("condition", "Condition", 180, grows=True), lambda row: row.condition),
        (Column("status", "Status", 90), lambda row: row.status),
        (Column("taken", "Taken", 50, "number", help="How often"), lambda row: str(row.taken)),
        (Column("last", "Last turn", 68, "number"), lambda row: str(row.last_turn or "")),
        (Column("name", "Name", 90), lambda row: row.name),
        (Column("id", "Id", 110), lambda row: row.id),
    ]
    label = "The edges of the workflow, with their conditions and how often each was taken"
    rows = edge_table(drawn.position, drawn.graph)
    _draw("edge", table(label, rows, columns, lambda row: ["edge", row.id]), on_choose)


def _threads(view: RunView, on_choose: Choose) -> None:
    """Draw the table of the run's threads as of the cursor, with node and next due time; a hint without any.

    A click on a row chooses the thread's node.
    """
    rows = thread_table(view.position, view.names, view.turns_then)
    if not rows:
        empty_state("The threads of the run appear here once it has started.", "pages#graph")
        return
    now = (view.rows[view.last].time if view.is_past else None) or time.time()
    columns: Columns[ThreadRow] = [
        (Column("thread", "Thread", 120, grows=True), lambda row: row.name),
        (Column("status", "Status", 120), lambda row: row.status),
        (Column("node", "Node", 120, grows=True), lambda row: row.node),
        (Column("due", "Next due", 80, help="When it continues by itself"), partial(_due, now)),
        (Column("id", "Id", 150), lambda row: row.id),
    ]
    label = "The threads of the run, with the node of each and when it continues"
    _draw("thread", table(label, rows, columns, lambda row: ["node", row.node_id]), on_choose)


def _draw(noun: str, shown: Table, on_choose: Choose) -> None:
    """Draw a table as a list that fills its pane, with the selected element's row marked.

    A click on a row calls `on_choose` with its element; one that clears the choice calls it with ``None``.
    """
    chosen = run_state.chosen_element()
    rows_list(
        f"{noun}_table",
        shown,
        chosen=shown.place_of(list(chosen)) if chosen else None,
        on_choose=lambda target: on_choose(Element(*target) if target else None),
        fills=True,
    )


def _due(now: float, row: ThreadRow) -> str:
    if row.next_due is None or row.status != "in the background":
        return ""
    left = row.next_due - now
    return f"in {left:.0f} s" if left >= 0.5 else "now"


def _show_next_steps(edges: tuple[NextEdge, ...], names: dict[str, str]) -> None:
    """Draw a caption with the possible next steps, at most six by name; nothing without any."""
    if not edges:
        return
    steps = [
        plain(
            f"{edge.label or edge.kind} → {names.get(edge.destination or '', edge.destination or 'the end')}"
        )
        for edge in edges
    ]
    st.caption(f"Possible next: {listed(steps, _MOST_STEPS)}")

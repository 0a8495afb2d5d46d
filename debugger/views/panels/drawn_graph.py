"""The drawn graph: with the content of the super nodes that are opened."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from debugger.analysis.node_origins import author_node_id, super_nodes_around
from debugger.analysis.position import Position, PositionTracker
from debugger.engine.super_nodes import Expansion, UnfoldedGraph, expand, unfold
from debugger.errors import DebuggerError
from debugger.graph.diagram import Direction
from debugger.graph.graph import Graph
from debugger.graph.groups import Group, thread_groups
from debugger.graph.layout import Layout, layout_both_ways
from debugger.session.session import DebugSession
from debugger.views import state
from debugger.views.actions import action
from debugger.views.run_state import Element
from debugger.views.run_view import RunView


@dataclass(frozen=True)
class DrawnGraph:
    """A graph, and the run's position in it as of the cursor."""

    graph: Graph
    groups: tuple[Group, ...]
    """The opened super nodes and the companion threads."""
    position: Position


@dataclass
class OpenSuperNodes:
    """The super nodes that the user has opened in this tab."""

    by_workflow: dict[str, frozenset[str]] = field(default_factory=dict)


@dataclass
class Unfolding:
    """The workflow of the session on view, with what is drawn of it."""

    session: DebugSession | None = None
    threads: tuple[Group, ...] = ()
    """The companion threads of the workflow as it was written."""
    expansion: Expansion | None = None
    opened: frozenset[str] = frozenset()
    unfolded: UnfoldedGraph | None = None
    """The workflow with the opened super nodes."""
    tracker: PositionTracker | None = None
    """The run's live position in that."""
    placed: tuple[Graph, Direction, Layout] | None = None
    """The layout of the graph that was drawn last."""


def drawn_graph(view: RunView) -> DrawnGraph:
    """Return the graph to draw."""
    key = "drawn graph", opened_super_nodes(view.session)
    return view.memo_here(key, lambda: _drawn_graph(view))


def drawn_layout(drawn: DrawnGraph, direction: Direction) -> Layout:
    """Return the layout of a drawn graph, which a turn leaves as it is; a failure may be tried again.

    It is held in `Unfolding` for one graph and direction, and made anew for another or where it has a note.
    """
    known = state.record(Unfolding)
    placed = known.placed
    if placed is None or placed[0] is not drawn.graph or placed[1] != direction or placed[2].note:
        placed = known.placed = drawn.graph, direction, layout_both_ways(drawn.graph, direction, drawn.groups)
    return placed[2]


def graph_of_node(view: RunView, node_id: str) -> Graph:
    """Return the graph that has a node: the author's, else the drawn one."""
    return view.graph if node_id in view.graph.nodes else drawn_graph(view).graph


def drawn_element(view: RunView, element: Element) -> Element:
    """Return the drawn element: for one inside a closed super node, the super node.

    One that neither is drawn nor is inside a drawn node is returned as it is.
    """
    graph = drawn_graph(view).graph
    if element.id in (graph.edges if element.kind == "edge" else graph.nodes):
        return element
    around = author_node_id(element.id, graph.nodes)
    return element if around == element.id else Element("node", around)


@action(takes_session=True)
def toggle_super_node(session: DebugSession, node_id: str) -> None:
    """Open a super node in the graph, or close an open one.

    Writes `OpenSuperNodes`. Where the content of a super node cannot be read, it stays closed, and the error
    is kept in `LastAction`.
    """
    opened = opened_super_nodes(session)
    if node_id not in opened:
        _expansion(session)
    state.record(OpenSuperNodes).by_workflow[session.workflow_id] = opened ^ {node_id}


def opened_super_nodes(session: DebugSession) -> frozenset[str]:
    """Return the ids of the super nodes that the user has opened."""
    return state.record(OpenSuperNodes).by_workflow.get(session.workflow_id, frozenset())


def _unfolding(session: DebugSession) -> Unfolding:
    """Return what is drawn of a session's workflow; reset for another session.

    For another session with breakpoints inside super nodes their content is read; an error in that is
    ignored.
    """
    known = state.record(Unfolding)
    if known.session is not session:
        graph = session.index.graph
        vars(known).update(vars(Unfolding(session, thread_groups(graph))))
        targets = (point.target for point in session.breakpoints.points)
        if any(super_nodes_around(target, graph.nodes) for target in targets):
            with suppress(DebuggerError):  # then they are drawn as unreachable
                _expansion(session)
    return known


def _expansion(session: DebugSession) -> Expansion:
    """Return the content of the workflow's super nodes, read once per session from the backend.

    Reading it also gives the session's breakpoints the inner nodes. Raises `DebuggerError` when it cannot be
    read.
    """
    known = _unfolding(session)
    if known.expansion is None:
        known.expansion = expand(session.workflow, session.backend.workflow)
        session.breakpoints.show_inner_nodes(unfold(session.workflow, known.expansion).graph)
    return known.expansion


def _drawn_graph(view: RunView) -> DrawnGraph:
    """Return the graph with the opened super nodes, and the run's position in it as of the cursor.

    Where none is open, or their content cannot be read, it is the workflow as it was written.
    """
    known, opened = _unfolding(view.session), opened_super_nodes(view.session)
    try:
        unfolded = _unfold(known, view.session, opened) if opened & view.graph.nodes.keys() else None
    except DebuggerError:
        unfolded = None  # opened in an earlier session, and not to be had any more
    if unfolded is None or known.tracker is None:
        return DrawnGraph(view.graph, known.threads, view.position)
    if view.moment is None:
        position = known.tracker.catch_up(view.turns).position(view.status)
    else:
        position = known.tracker.fresh().catch_up(view.turns_then).position(None)
    return DrawnGraph(unfolded.graph, unfolded.groups, position)


def _unfold(known: Unfolding, session: DebugSession, opened: frozenset[str]) -> UnfoldedGraph:
    """Return the graph with some super nodes opened; made again, with its tracker, when others are open.

    Raises:
        DebuggerError: The content of a super node cannot be read.
    """
    if known.unfolded is None or known.opened != opened:
        expansion = _expansion(session)
        graph, groups = unfold(session.workflow, expansion, opened)
        threads = thread_groups(graph, [group.members[0] for group in groups])
        known.opened, known.unfolded = opened, UnfoldedGraph(graph, (*groups, *threads))
        known.tracker = PositionTracker(graph, Graph(expansion.workflow))
    return known.unfolded

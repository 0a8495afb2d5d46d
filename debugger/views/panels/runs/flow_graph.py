"""Numbers of many runs on the workflow's graph."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from debugger.analysis.metrics import percent
from debugger.analysis.run_statistics import CountedRun, EdgeFlow, NodeFlow, PathFilter
from debugger.analysis.run_tables import UnmappedEdge
from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.graph.graph import Graph
from debugger.graph.layout import layout_both_ways
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow
from debugger.views import state
from debugger.views.backend_cache import BackendCache
from debugger.views.components.graph.component import graph_direction, workflow_graph
from debugger.views.components.graph.node_states import Figure, figures
from debugger.views.components.graph.props import geometry
from debugger.views.components.markdown import count, plain
from debugger.views.panels.runs.filters import set_filters
from debugger.views.panels.runs.scope import runs_state, take_click
from debugger.views.run_state import Element, Selection

_HEIGHT = 460
_PAINT_KEY = "statistics_paint"
_PAINTS = {"reached": "Runs that reached it", "stopped": "Runs that ended or wait here"}


def flow_graph(
    backend: Backend,
    workflow_id: str,
    runs: Sequence[CountedRun],
    nodes: Sequence[NodeFlow],
    edges: Sequence[EdgeFlow],
) -> None:
    """Draw the newest version that ran as a graph, with numbers and heat, and those of the chosen part below.

    Nodes that the version does not have are added; where it cannot be read, all are. Without a node, or where
    the graph cannot be drawn, a caption says so. A click writes `Selection`.

    Raises:
        ValueError: There is no run.
    """
    state.begin_widget(_PAINT_KEY, "reached")
    paint = st.segmented_control(
        "Numbers on the nodes",
        list(_PAINTS),
        key=_PAINT_KEY,
        format_func=_PAINTS.__getitem__,
        required=True,
    )
    version = max(run.version_number for run in runs)
    graph = _graph(backend, workflow_id, version)
    missing_nodes = {flow.node: flow.name for flow in nodes if flow.node not in graph.nodes}
    placed = layout_both_ways(graph, graph_direction(graph))
    shape = geometry(placed, graph, missing_nodes, _unmapped(edges, graph, missing_nodes))
    if not shape["nodes"]:
        st.caption(plain(placed.note) or "The runs have no node, so there is nothing to draw.")
        return
    workflow_graph(
        shape,
        flow_marks([node["id"] for node in shape["nodes"]], nodes, edges, len(runs), str(paint)),
        height=_HEIGHT,
        aria_label=f"{count(len(runs), 'run')} on the graph of version {version}; also as tables below",
        stamp=f"{paint}.{len(runs)}",
        on_choose=_choose,
    )
    _chosen(nodes, edges)


def flow_marks(
    drawn: Sequence[str], nodes: Sequence[NodeFlow], edges: Sequence[EdgeFlow], total: int, paint: str
) -> JsonObject:
    """Return the numbers and the heat of the graph.

    Args:
        drawn: The ids of the nodes that are drawn.
        nodes: The numbers of the nodes.
        edges: Those of the edges.
        total: The number of runs.
        paint: ``reached`` or ``stopped``.
    """
    on_nodes = {flow.node: _figure(flow, paint, total) for flow in nodes}
    on_edges = {flow.edge: Figure(percent(flow.share), flow.runs / total) for flow in edges}
    return figures(drawn, on_nodes, on_edges)


def _figure(flow: NodeFlow, paint: str, total: int) -> Figure:
    """Return the text and heat of a node: the runs that remain there for ``stopped``, else the runs at all.

    For ``stopped`` a node where none remains has the text "all continued".
    """
    if paint == "stopped":
        stopped = flow.ended + flow.waiting
        return Figure(
            f"{stopped:,} remain · {percent(flow.drop_off)}" if stopped else "all continued", flow.drop_off
        )
    return Figure(f"{flow.reached:,} of {total:,} · {percent(flow.share)}", flow.share)


def _graph(backend: Backend, workflow_id: str, version: int) -> Graph:
    """Return the graph of a version, from the cache; an empty one where it cannot be read."""
    try:
        workflow = state.record(BackendCache).ask(
            ("graph", workflow_id, version), lambda: backend.workflow(workflow_id, version)
        )
    except DebuggerError:
        workflow = Workflow()  # it was deleted, or the API shows another version: all nodes are added
    return Graph(workflow)


def _unmapped(edges: Sequence[EdgeFlow], graph: Graph, missing_nodes: dict[str, str]) -> list[UnmappedEdge]:
    """Return the edges that the graph does not have and whose ends are both drawn."""
    drawn = {*graph.nodes, *missing_nodes}
    return [
        UnmappedEdge(flow.edge, flow.source, flow.destination, flow.label, "without_edge")
        for flow in edges
        if flow.edge not in graph.edges and flow.source in drawn and flow.destination in drawn
    ]


def _choose(element: Element | None) -> None:
    state.record(Selection).choose(element)


def _chosen(nodes: Sequence[NodeFlow], edges: Sequence[EdgeFlow]) -> None:
    """Draw the numbers of the chosen node or edge, with buttons that list its runs; a caption without one."""
    selection = state.record(Selection)
    node = next((flow for flow in nodes if flow.node == selection.node), None)
    edge = next((flow for flow in edges if flow.edge == selection.edge), None)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="chosen_flow"):
        if node is not None:
            _node(node)
        elif edge is not None:
            _edge(edge)
        else:
            st.caption("Click a node or an edge to see its numbers, and to list its runs.")


def _node(flow: NodeFlow) -> None:
    """Draw the numbers of a node, and buttons that list the runs that reached it, or that remain there."""
    stopped = flow.ended + flow.waiting
    st.caption(
        f"**{plain(flow.name)}**: reached by {count(flow.reached, 'run')} ({percent(flow.share)}), "
        f"{flow.visits:,} times; {flow.ended:,} ended here, {flow.waiting:,} wait here, "
        f"{flow.continued:,} continued.",
        width="content",
    )
    show_button(reached_filter(flow), flow.reached)
    show_button(stopped_filter(flow), stopped)


def _edge(flow: EdgeFlow) -> None:
    """Draw the numbers of an edge, and the button that lists the runs that used it."""
    way = f"{flow.source_name} → {flow.destination_name}"
    st.caption(
        f"**{plain(way)}** ({plain(flow.label)}): taken {flow.taken:,} times by {count(flow.runs, 'run')}, "
        f"{percent(flow.share)} of all transitions from {plain(flow.source_name)}.",
        width="content",
    )
    show_button(edge_filter(flow), flow.runs)


def reached_filter(flow: NodeFlow) -> PathFilter:
    """Return the filter of runs that came to a node."""
    return PathFilter("reached", flow.node, f"reached {flow.name}")


def stopped_filter(flow: NodeFlow) -> PathFilter:
    """Return the filter of runs that ended or wait at a node."""
    return PathFilter("stopped", flow.node, f"ended or wait at {flow.name}")


def edge_filter(flow: EdgeFlow) -> PathFilter:
    """Return the filter of runs that took an edge."""
    return PathFilter("edge", flow.edge, f"used {flow.source_name} → {flow.destination_name}")


def show_button(path: PathFilter, number: int) -> None:
    """Draw the button that lists the runs of a part; disabled for a number of 0.

    Raises:
        KeyError: The kind of the part is another than ``reached``, ``stopped`` or ``edge``.
    """
    words = {"reached": "that reached it", "stopped": "that ended or wait here", "edge": "that used it"}
    st.button(
        f"List {count(number, 'run')} {words[path.kind]}",
        key=f"list_{path.kind}",
        icon=":material/list:",
        disabled=not number,
        on_click=list_runs_on,
        args=(path,),
    )


def list_runs_on(path: PathFilter) -> None:
    """Show the list with the runs of the counted workflow that came by a part of the picture.

    Other filters stay, but for the workflow; the list begins at its first page, and charts lose their
    selection.
    """
    take_click()
    runs_state().path = path
    set_filters({"runs_workflow": runs_state().counted_workflow})
    runs_state().view = "list"

"""The pane that shows where the run stands: as a graph, or as a table of the same facts."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.node_table import node_table
from debugger.analysis.position import NextEdge
from debugger.views.parts.graph.component import workflow_graph
from debugger.views.parts.graph.scene import geometry, marks
from debugger.views.parts.heights import ROW
from debugger.views.parts.plain import count, plain
from debugger.views.reading import Reading

VIEWS = ("Graph", "Table")
_HEIGHT = 356
_MOST_WAYS = 6


def graph_pane(now: Reading) -> None:
    """Draw the pane."""
    with st.container(key="graph_box"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            shown = st.segmented_control(
                "Workflow view",
                VIEWS,
                key="graph_view",
                default="Graph",
                required=True,
                label_visibility="collapsed",
            )
            st.caption(_summary(now), width="content")
        if shown == "Graph":
            _graph(now)
        else:
            _table(now)


def _summary(now: Reading) -> str:
    nodes = len(now.graph.nodes)
    if not now.turns:
        return f"{count(nodes, 'node')}, {count(len(now.graph.edges), 'edge')}"
    reached = nodes - len(now.position.unreached)
    return f"{reached} of {count(nodes, 'node')} reached, {count(len(now.position.hops), 'hop')}"


def _graph(now: Reading) -> None:
    shape = geometry(now.layout, now.graph, now.position.ghosts)
    if not shape["nodes"]:
        with st.container(
            border=True,
            height=_HEIGHT,
            horizontal_alignment="center",
            vertical_alignment="center",
            key="no_nodes",
        ):
            st.caption(
                "The nodes of the workflow appear here. This version has none: "
                "choose another version or workflow on the left, or import one.",
                width="content",
            )
        return
    # The picture follows the run anew with each turn: it reads the turn from the stamp's first part.
    turn = now.turns[-1].number if now.turns else 0
    stamp = f"{turn}.{len(now.rows)}.{now.session.status}"
    workflow_graph(shape, marks(now.position, now.graph), height=_HEIGHT, told=now.hint.sentence, stamp=stamp)


def _table(now: Reading) -> None:
    rows = node_table(now.position, now.graph)
    st.dataframe(
        {
            "node": [row.name for row in rows],
            "status": [row.status for row in rows],
            "visits": [row.visits for row in rows],
            "first": [row.first_turn for row in rows],
            "entered": [row.entered_by for row in rows],
            "type": [row.type for row in rows],
            "id": [row.id for row in rows],
        },
        key="node_table",
        hide_index=True,
        height=_HEIGHT - 60,
        row_height=ROW,
        placeholder="",
        column_config={
            "node": st.column_config.TextColumn("Node", width="medium"),
            "status": st.column_config.TextColumn("Status", width="small"),
            "visits": st.column_config.NumberColumn("Visits", width=60),
            "first": st.column_config.NumberColumn("First turn", width=80),
            "entered": st.column_config.TextColumn("Entered by", width="medium"),
            "type": st.column_config.TextColumn("Type", width="small"),
            "id": st.column_config.TextColumn("Id", width="small"),
        },
        alt="The nodes of the workflow, with status, visits and the edge they were entered by",
    )
    _ways_on(now.position.next_edges, now.names)


def _ways_on(edges: tuple[NextEdge, ...], names: dict[str, str]) -> None:
    if not edges:
        return
    told = [
        plain(
            f"{edge.label or edge.way} → {names.get(edge.destination or '', edge.destination or 'the end')}"
        )
        for edge in edges[:_MOST_WAYS]
    ]
    more = f" and {len(edges) - _MOST_WAYS} more" if len(edges) > _MOST_WAYS else ""
    st.caption("Possible next: " + ", ".join(told) + more)

"""Nodes, edges and threads as tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from debugger.analysis.metrics import NodeTime, node_times, percent
from debugger.analysis.position import NextEdge
from debugger.analysis.run_tables import ThreadRow, edge_table, node_table, thread_table
from debugger.views import selection, state
from debugger.views.components.markdown import plain
from debugger.views.components.tables import ROW
from debugger.views.panels.drawn_graph import DrawnGraph
from debugger.views.run_view import RunView
from debugger.views.selection import Element

TABLES = ("Nodes", "Edges", "Threads")
TABLE_KEY = "graph_table"
_ROWS_KEY = "graph_table_rows"
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
    rows = node_table(drawn.position, drawn.graph)
    times = node_times(view.rows_then, drawn.graph.nodes)
    _table(
        "node",
        {
            "node": [row.name for row in rows],
            "status": [row.status for row in rows],
            "visits": [row.visits for row in rows],
            "first": [row.first_turn for row in rows],
            "entered": [row.entered_by for row in rows],
            "time": [_milliseconds(times.get(row.id)) for row in rows],
            "share": [percent(times[row.id].share) if row.id in times else "" for row in rows],
            "type": [row.type for row in rows],
            "id": [row.id for row in rows],
        },
        {
            "node": st.column_config.TextColumn("Node", width="medium"),
            "status": st.column_config.TextColumn("Status", width="small"),
            "visits": st.column_config.NumberColumn("Visits", width=60),
            "first": st.column_config.NumberColumn("First turn", width=80),
            "entered": st.column_config.TextColumn("Entered by", width="medium"),
            "time": st.column_config.NumberColumn("Took", width=80, format="%.1f ms"),
            "share": st.column_config.TextColumn("Of the time", width=80),
            "type": st.column_config.TextColumn("Type", width="small"),
            "id": st.column_config.TextColumn("Id", width="small"),
        },
        [Element("node", row.id) for row in rows],
        "The nodes of the workflow, with status, visits, time and the edge they were entered by",
        on_choose,
    )


def _edges(drawn: DrawnGraph, on_choose: Choose) -> None:
    rows = edge_table(drawn.position, drawn.graph)
    _table(
        "edge",
        {
            "from": [row.source for row in rows],
            "to": [row.destination for row in rows],
            "condition": [row.condition for row in rows],
            "status": [row.status for row in rows],
            "taken": [row.taken for row in rows],
            "last": [row.last_turn for row in rows],
            "name": [row.name for row in rows],
            "id": [row.id for row in rows],
        },
        {
            "from": st.column_config.TextColumn("From", width="medium"),
            "to": st.column_config.TextColumn("To", width="medium"),
            "condition": st.column_config.TextColumn("Condition", width="large"),
            "status": st.column_config.TextColumn("Status", width="small"),
            "taken": st.column_config.NumberColumn("Taken", width=60, help="How often"),
            "last": st.column_config.NumberColumn("Last turn", width=76),
            "name": st.column_config.TextColumn("Name", width="small"),
            "id": st.column_config.TextColumn("Id", width="small"),
        },
        [Element("edge", row.id) for row in rows],
        "The edges of the workflow, with their conditions and how often each was taken",
        on_choose,
    )


def _threads(view: RunView, on_choose: Choose) -> None:
    rows = thread_table(view.position, view.names, view.turns_then)
    if not rows:
        st.caption("The threads of the run appear here once it has begun.")
        return
    _table(
        "thread",
        {
            "thread": [row.name for row in rows],
            "status": [row.status for row in rows],
            "node": [row.node for row in rows],
            "due": [_due(row) for row in rows],
            "id": [row.id for row in rows],
        },
        {
            "thread": st.column_config.TextColumn("Thread", width="medium"),
            "status": st.column_config.TextColumn("Status", width="medium"),
            "node": st.column_config.TextColumn("Node", width="medium"),
            "due": st.column_config.TextColumn("Next due", width="small", help="When it goes on by itself"),
            "id": st.column_config.TextColumn("Id", width="medium"),
        },
        [Element("node", row.node_id) for row in rows],
        "The threads of the run, with the node at which each stands and when it goes on",
        on_choose,
    )


def _table(
    noun: str,
    columns: Mapping[str, Sequence[object]],
    looks: Mapping[str, Any],
    elements: Sequence[Element],
    alt: str,
    on_choose: Choose,
) -> None:
    key = f"{noun}_table"
    state.set_widget(_ROWS_KEY, list(elements))
    _show_choice(key, elements)
    st.dataframe(
        dict(columns),
        key=key,
        hide_index=True,
        height="stretch",
        row_height=ROW,
        placeholder="",
        on_select=lambda: _choose(key, on_choose),
        selection_mode="single-cell",
        column_config=dict(looks),
        alt=alt,
    )


def _show_choice(key: str, elements: Sequence[Element]) -> None:
    held = state.widget(key)
    cells = held["selection"]["cells"] if held else []
    if cells and (cells[0][0] >= len(elements) or elements[cells[0][0]] != selection.chosen_element()):
        state.forget_widget(key)


def _choose(key: str, on_choose: Choose) -> None:
    cells = state.widget(key)["selection"]["cells"]
    on_choose(state.widget(_ROWS_KEY)[cells[0][0]] if cells else None)


def _milliseconds(spent: NodeTime | None) -> float | None:
    return spent.total_ms if spent else None


def _due(row: ThreadRow) -> str:
    if row.next_due is None or row.status != "in the background":
        return ""
    left = row.next_due - time.time()
    return f"in {left:.0f} s" if left >= 0.5 else "now"


def _show_next_steps(edges: tuple[NextEdge, ...], names: dict[str, str]) -> None:
    if not edges:
        return
    steps = [
        plain(
            f"{edge.label or edge.kind} → {names.get(edge.destination or '', edge.destination or 'the end')}"
        )
        for edge in edges[:_MOST_STEPS]
    ]
    more = f" and {len(edges) - _MOST_STEPS} more" if len(edges) > _MOST_STEPS else ""
    st.caption("Possible next: " + ", ".join(steps) + more)

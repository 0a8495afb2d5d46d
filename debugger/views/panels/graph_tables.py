"""Nodes, edges and threads as tables."""

from __future__ import annotations

import time
from collections.abc import Callable

import streamlit as st

from debugger.analysis.metrics import node_times, percent
from debugger.analysis.position import NextEdge
from debugger.analysis.run_tables import EdgeRow, NodeRow, ThreadRow, edge_table, node_table, thread_table
from debugger.views import selection
from debugger.views.components.markdown import plain
from debugger.views.components.rows import Cell, Column, Table, rows_list, table
from debugger.views.help_links import empty_state
from debugger.views.panels.drawn_graph import DrawnGraph
from debugger.views.run_view import RunView
from debugger.views.selection import Element

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
    times = node_times(view.rows_then, drawn.graph.nodes)
    columns: list[tuple[Column, Callable[[NodeRow], Cell]]] = [
        (Column("node", "Node", 130, grows=True), lambda row: row.name),
        (Column("status", "Status", 110, grows=True), lambda row: row.status),
        (Column("visits", "Visits", 54, "number"), lambda row: str(row.visits)),
        (Column("first", "First turn", 72, "number"), lambda row: str(row.first_turn or "")),
        (Column("entered", "Entered by", 110, grows=True), lambda row: row.entered_by),
        (
            Column("time", "Duration", 76, "number", help="Of all its runs"),
            lambda row: f"{times[row.id].total_ms:,.1f} ms" if row.id in times else None,
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
    columns: list[tuple[Column, Callable[[EdgeRow], Cell]]] = [
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
    rows = thread_table(view.position, view.names, view.turns_then)
    if not rows:
        empty_state("The threads of the run appear here once it has started.", "pages#graph")
        return
    columns: list[tuple[Column, Callable[[ThreadRow], Cell]]] = [
        (Column("thread", "Thread", 120, grows=True), lambda row: row.name),
        (Column("status", "Status", 120), lambda row: row.status),
        (Column("node", "Node", 120, grows=True), lambda row: row.node),
        (Column("due", "Next due", 80, help="When it continues by itself"), _due),
        (Column("id", "Id", 150), lambda row: row.id),
    ]
    label = "The threads of the run, with the node of each and when it continues"
    _draw("thread", table(label, rows, columns, lambda row: ["node", row.node_id]), on_choose)


def _draw(noun: str, shown: Table, on_choose: Choose) -> None:
    chosen = selection.chosen_element()
    rows_list(
        f"{noun}_table",
        shown,
        chosen=shown.place_of(list(chosen)) if chosen else None,
        on_choose=lambda target: on_choose(Element(*target) if target else None),
        fills=True,
    )


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

"""Both paths as one drawing and as a table."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from debugger.analysis.comparison.path_overlay import PathOverlay, Share, Visit
from debugger.graph.graph import Graph
from debugger.graph.layout import layout_both_ways
from debugger.protocol.base import JsonObject
from debugger.session.comparison import RunComparison
from debugger.views.components.graph.component import graph_direction, workflow_graph
from debugger.views.components.graph.props import geometry
from debugger.views.components.markdown import count, plain
from debugger.views.components.rows import Column, Columns, rows_list, table
from debugger.views.components.toolbar import Badge, Colour, Item, Text, bar
from debugger.views.panels.compare import actions
from debugger.views.panels.compare.differences import PATH_WORDS

_HEIGHT = 560
_SWATCHES: dict[Share, Colour] = {"common": "gray", "only_a": "red", "only_b": "blue"}
_LINES = {"common": "solid line", "only_a": "dashed line", "only_b": "dotted line"}


def path_tab(seen: RunComparison) -> None:
    """Draw the paths of both runs as one graph, and as a table beside it.

    Where the graph cannot be drawn or has no node, a caption says so.
    """
    _legend(seen)
    left, right = st.columns([1.9, 1], gap="small")
    with left:
        placed = layout_both_ways(seen.graph, graph_direction(seen.graph))
        shape = geometry(placed, seen.graph, seen.paths.missing_nodes, seen.paths.unmapped)
        if shape["nodes"]:
            workflow_graph(
                shape,
                shares(seen.paths, seen.graph),
                height=_HEIGHT,
                aria_label=seen.sentence,
                stamp=f"{actions.stamp(seen)}.compare",
                on_choose=actions.choose_element,
            )
        else:
            st.caption(plain(placed.note) or "The runs have no node, so there is nothing to draw.")
    with right:
        _table(seen)


def _legend(seen: RunComparison) -> None:
    """Draw the legend: for A only, B only and both their colour, their line, and how many nodes and edges."""
    items: list[Item] = []
    for share, word in PATH_WORDS.items():
        nodes, edges = seen.paths.count(share)
        figures = f"{count(nodes, 'node')}, {count(edges, 'edge')}"
        items += [Badge(word, colour=_SWATCHES[share]), Text(f"{_LINES[share]}: {figures}")]
    bar("compare_legend", items, low=True)


def _table(seen: RunComparison) -> None:
    """Draw the nodes and edges of both paths as a table, those of both runs last.

    Each row has its run or runs, its kind, its name and its visits in A and in B; no row can be chosen.
    """
    found = sorted(_rows(seen), key=lambda row: row[0] == "common")
    columns: Columns[_PathRow] = [
        (Column("share", "Run", 76, "chip"), lambda row: (PATH_WORDS[row[0]], _SWATCHES[row[0]])),
        (Column("what", "Kind", 50), lambda row: row[1]),
        (Column("name", "Name", 140, grows=True), lambda row: row[2]),
        (Column("a", "In A", 50, "number"), lambda row: str(row[3].a)),
        (Column("b", "In B", 50, "number"), lambda row: str(row[3].b)),
    ]
    label = "Nodes and edges on the paths: in both runs, in A only or in B only, and how often in each"
    rows_list("compare_path_table", table(label, found, columns), fills=True, page=actions.stamp(seen))


_PathRow = tuple[Share, str, str, Visit]


def _rows(seen: RunComparison) -> Iterator[_PathRow]:
    """Yield a row for each node, then for each edge, on a path: share, kind, name and visits.

    A node without a name in the graph or among the missing nodes is named by its id.
    """
    for node, passage in seen.paths.nodes.items():
        name = seen.names.get(node) or seen.paths.missing_nodes.get(node) or node
        yield passage.share, "node", name, passage
    for edge, passage in seen.paths.edges.items():
        yield passage.share, "edge", _edge_name(seen, edge), passage


def _edge_name(seen: RunComparison, edge_id: str) -> str:
    """Return the names of an edge's ends, with its label if it has one.

    It is the id where neither the graph nor the runs' transitions have the edge.
    """
    edge = seen.graph.edges.get(edge_id)
    transition = next((one for one in seen.paths.unmapped if one.id == edge_id), None)
    if edge is not None:
        ends, label = (edge.source_node_logical_id or "", edge.destination_node_logical_id or ""), edge.label
    elif transition is not None:
        ends, label = (transition.source, transition.destination), transition.label
    else:
        return edge_id
    way = " → ".join(seen.names.get(end, end) for end in ends)
    return f"{way} ({label})" if label else way


_NOTES = {"common": "both runs", "only_a": "run A only", "only_b": "run B only"}


def shares(paths: PathOverlay, graph: Graph) -> JsonObject:
    """Return the drawing state of each node and edge: the run or runs whose path has it, and its visits.

    A node on neither path is ``unreached``; edges on neither are left out. Nodes carry the share also as
    words.

    Args:
        paths: Both paths.
        graph: The nodes and edges of both versions.
    """
    blank = {"state": "unreached", "visits": 0, "order": "", "note": ""}
    nodes = {node: dict(blank) for node in [*graph.nodes, *paths.missing_nodes]}
    for node, passage in paths.nodes.items():
        if node in nodes:
            nodes[node] |= {"state": passage.share, "order": passage.label, "note": _NOTES[passage.share]}
    edges = {edge: {"state": passage.share, "order": passage.label} for edge, passage in paths.edges.items()}
    return {"nodes": nodes, "edges": edges, "current": [], "lanes": [], "next_steps": []}

"""Both paths as one drawing and as a table."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from debugger.analysis.comparison.path_overlay import PathOverlay, Visit
from debugger.graph.graph import Graph
from debugger.graph.layout import layout_both_ways
from debugger.protocol.base import JsonObject
from debugger.session.comparison import RunComparison
from debugger.views.components.graph.component import graph_direction, workflow_graph
from debugger.views.components.graph.props import geometry
from debugger.views.components.markdown import count, plain
from debugger.views.components.tables import ROW
from debugger.views.panels.compare import actions
from debugger.views.panels.compare.differences import PATH_WORDS

_HEIGHT = 560
_SWATCHES = {"common": "gray", "only_a": "red", "only_b": "blue"}
_LINES = {"common": "solid line", "only_a": "dashed line", "only_b": "dotted line"}


def path_tab(seen: RunComparison) -> None:
    """Draw the paths of both runs as one graph, and as a table."""
    left, right = st.columns([1.9, 1], gap="small")
    with left:
        _legend(seen)
        placed = layout_both_ways(seen.graph, graph_direction())
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
    parts = []
    for share, word in PATH_WORDS.items():
        nodes, edges = seen.paths.count(share)
        figures = f"{count(nodes, 'node')}, {count(edges, 'edge')}"
        parts.append(f":{_SWATCHES[share]}-badge[{word}] {_LINES[share]}: {figures}")
    st.markdown(" · ".join(parts))


def _table(seen: RunComparison) -> None:
    rows = sorted(_rows(seen), key=lambda row: row[0] == PATH_WORDS["common"])
    st.dataframe(
        {
            "share": [row[0] for row in rows],
            "what": [row[1] for row in rows],
            "name": [row[2] for row in rows],
            "a": [row[3].a for row in rows],
            "b": [row[3].b for row in rows],
        },
        key="compare_path_table",
        hide_index=True,
        row_height=ROW,
        height=_HEIGHT + 30,
        placeholder="",
        column_config={
            "share": st.column_config.TextColumn("Run", width=76),
            "what": st.column_config.TextColumn("Kind", width=50),
            "name": st.column_config.TextColumn("Name", width=196),
            "a": st.column_config.NumberColumn("In A", width=50),
            "b": st.column_config.NumberColumn("In B", width=50),
        },
        alt="Nodes and edges on the paths: in both runs, in A only or in B only, and how often in each",
    )


def _rows(seen: RunComparison) -> Iterator[tuple[str, str, str, Visit]]:
    for node, passage in seen.paths.nodes.items():
        name = seen.names.get(node) or seen.paths.missing_nodes.get(node) or node
        yield PATH_WORDS[passage.share], "node", name, passage
    for edge, passage in seen.paths.edges.items():
        yield PATH_WORDS[passage.share], "edge", _edge_name(seen, edge), passage


def _edge_name(seen: RunComparison, edge_id: str) -> str:
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
    """Return state and mark of each node and edge.

    The letters say the same as the colours.

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

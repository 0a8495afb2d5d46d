"""The geometry that the graph component draws: a version as it is laid out, and what a run adds to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from debugger.analysis.run_tables import UnmappedEdge
from debugger.graph.graph import Graph
from debugger.graph.layout import Layout
from debugger.protocol.base import JsonObject
from debugger.views.components.graph.ghosts import added_edges, added_part

GAP = 24.0


def geometry(
    layout: Layout, graph: Graph, ghosts: Mapping[str, str], strays: Sequence[UnmappedEdge] = ()
) -> JsonObject:
    """Where everything is drawn; changes only with the version, or with what the run adds.

    Args:
        layout: The placed drawing.
        graph: The workflow.
        ghosts: Nodes that the run tells of and the workflow does not have: names by id.
        strays: Ways that the run went and for which the workflow has no edge.
    """
    shape = layout.to_json()
    for node in shape["nodes"]:
        node["title"] = _node_title(node["id"], graph, ghosts)
    for edge in shape["edges"]:
        edge["title"] = _edge_title(edge["id"], graph)
    nodes, edges = list(shape["nodes"]), list(shape["edges"])
    known = {node.id for node in layout.nodes}
    extra = {node: name for node, name in ghosts.items() if node not in known}
    if extra:
        part = added_part(extra, strays, below=layout.height + GAP if layout.nodes else 0.0)
        nodes, edges = nodes + part.nodes, edges + part.edges
        shape["width"], shape["height"] = max(layout.width, part.width), part.height
    drawn = {edge["id"] for edge in edges}
    edges += added_edges([stray for stray in strays if stray.id not in drawn], nodes)
    shape |= {"nodes": nodes, "edges": edges, "ground": layout.version}
    shape["version"] = version_of(shape)
    return shape


def version_of(shape: JsonObject) -> str:
    """A short text that is equal for equal geometries; whoever changes one gives it another."""
    written = json.dumps(shape, sort_keys=True, allow_nan=False)
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _node_title(node_id: str, graph: Graph, ghosts: Mapping[str, str]) -> str:
    config = graph.nodes.get(node_id)
    if config is None:
        return f"There is no node {ghosts.get(node_id, node_id)} ({node_id}); an edge names it."
    told = [config.label, config.type or "no type", node_id, config.description or ""]
    return "\n".join(line for line in told if line)


def _edge_title(edge_id: str, graph: Graph) -> str:
    config = graph.edges.get(edge_id)
    if config is None:
        return edge_id
    kind = f"{config.type} edge" + (", forks a companion thread" if config.forks_companion else "")
    told = [config.name or "", config.condition.text if config.condition else "", kind]
    return "\n".join(line for line in told if line)

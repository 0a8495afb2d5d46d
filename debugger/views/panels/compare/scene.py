"""What the graph component draws of two paths: who came by each node and each edge."""

from __future__ import annotations

from debugger.analysis.comparison.path_overlay import PathOverlay, Visit
from debugger.graph.graph import Graph
from debugger.protocol.base import JsonObject

_NOTES = {"common": "both runs", "only_a": "run A only", "only_b": "run B only"}
_NEITHER: JsonObject = {"state": "unreached", "visits": 0, "order": "", "note": ""}


def shares(paths: PathOverlay, graph: Graph) -> JsonObject:
    """A state and a written mark for each node and each edge; the letters tell the same as the colours.

    Args:
        paths: Both paths.
        graph: The nodes and edges of both versions.
    """
    nodes = {node: _node(paths.nodes.get(node)) for node in [*graph.nodes, *paths.ghosts]}
    edges = {edge: {"state": passage.share, "order": passage.told} for edge, passage in paths.edges.items()}
    return {"nodes": nodes, "edges": edges, "current": [], "lanes": [], "ways": []}


def _node(passage: Visit | None) -> JsonObject:
    if passage is None:
        return _NEITHER
    return {"state": passage.share, "visits": 0, "order": passage.told, "note": _NOTES[passage.share]}

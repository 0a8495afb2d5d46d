"""Numbers and heat painted on the nodes and edges of a graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from debugger.protocol.base import JsonObject


@dataclass(frozen=True)
class Figure:
    """A number on one node or edge."""

    text: str
    """In the place of a node's type: ``412 of 500 · 82%``; or on an edge: ``51%``."""
    heat: float
    """The tint, from 0 to 1."""


def figures(
    nodes: Iterable[str], on_nodes: Mapping[str, Figure], on_edges: Mapping[str, Figure]
) -> JsonObject:
    """Return the marks of a graph that shows numbers.

    Args:
        nodes: The ids of all nodes that are drawn.
        on_nodes: By the id of the node; a node without one is drawn as not reached.
        on_edges: By the id of the edge.
    """
    return {
        "nodes": {node: _node(on_nodes.get(node)) for node in nodes},
        "edges": {
            edge: {"state": "", "order": "", "figure": figure.text, "heat": round(figure.heat, 3)}
            for edge, figure in on_edges.items()
        },
        "current": [],
        "lanes": [],
        "next_steps": [],
    }


def _node(figure: Figure | None) -> JsonObject:
    if figure is None:
        return {"state": "unreached", "visits": 0, "order": "", "note": ""}
    drawn = {"figure": figure.text, "heat": round(figure.heat, 3)}
    return {"state": "common", "visits": 0, "order": "", "note": "", **drawn}

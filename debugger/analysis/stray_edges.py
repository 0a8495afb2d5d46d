"""The ways a run went for which the graph on view has no edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from debugger.analysis.hops import Hop
from debugger.analysis.position import Position
from debugger.graph.graph import Graph

Kind = Literal["ghost", "hop"]

_EDGE_ONLY = frozenset({"direct_edge", "companion_edge"})
"""Hops that no run makes without an edge of its workflow."""


@dataclass(frozen=True)
class StrayEdge:
    """A way between two nodes that is drawn because the run went it."""

    id: str
    """The id of the edge that is gone; of a hop without an edge one made from its ends."""
    source: str
    destination: str
    label: str
    kind: Kind
    """``"ghost"``: an edge of the version that ran, gone from this one. ``"hop"``: a hop that needs no edge,
    as into a global node, back from it, or forced from outside."""


def stray_edges(position: Position, graph: Graph) -> list[StrayEdge]:
    """Each such way once, in the order in which the run first went it.

    What a node does with itself is no way: its visits are counted at the node.
    """
    strays = (_stray(way, trail.first, graph) for way, trail in position.trails.along.items())
    return [stray for stray in strays if stray is not None]


def _stray(way: str, hop: Hop, graph: Graph) -> StrayEdge | None:
    if hop.edge_id in graph.edges or hop.source is None or hop.destination is None:
        return None
    kind: Kind = "ghost" if hop.edge_id or _needs_an_edge(hop, graph) else "hop"
    words = hop.kind.removesuffix("_edge").replace("_", " ")
    label = hop.edge_name or ("global" if kind == "hop" and hop.kind == "conditional_edge" else words)
    return StrayEdge(way, hop.source, hop.destination, label, kind)


def _needs_an_edge(hop: Hop, graph: Graph) -> bool:
    if hop.kind in _EDGE_ONLY:
        return True
    target = graph.nodes.get(hop.destination or "")
    return hop.kind == "conditional_edge" and not (target and target.is_global)

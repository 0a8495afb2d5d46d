"""What a run has made of its graph, as a table of the edges."""

from __future__ import annotations

from dataclasses import dataclass

from debugger.analysis.hops import condition_words
from debugger.analysis.position import Position
from debugger.analysis.stray_edges import stray_edges
from debugger.analysis.trails import Trail
from debugger.graph.graph import Graph
from debugger.protocol.workflow import EdgeConfig


@dataclass(frozen=True)
class EdgeRow:
    """What happened along one edge."""

    id: str
    source: str
    """The name of the node that it leaves; empty where it leaves none."""
    destination: str
    name: str
    condition: str
    """``always`` of an edge without one."""
    status: str
    """``"taken"``, ``"next"``, ``"disabled"``, ``"not taken"``, ``"not in this version"``, or of a hop that
    needs no edge ``"taken without an edge"``."""
    taken: int
    last_turn: int | None


def edge_table(position: Position, graph: Graph) -> list[EdgeRow]:
    """The graph's edges in its order, then the ways that the run went without one of them."""
    names = {node.logical_id: node.label for node in graph.nodes.values()} | position.ghosts
    going = position.trails.along
    following = {edge.edge_id for edge in position.next_edges}
    rows = [
        _row(edge, names, going.get(edge.logical_id), edge.logical_id in following)
        for edge in graph.edges.values()
    ]
    for stray in stray_edges(position, graph):
        status = "not in this version" if stray.kind == "ghost" else "taken without an edge"
        ends = names.get(stray.source, stray.source), names.get(stray.destination, stray.destination)
        trail = going[stray.id]
        last = trail.last
        rows.append(EdgeRow(stray.id, *ends, stray.label, last.reason, status, trail.count, last.turn_number))
    return rows


def _row(edge: EdgeConfig, names: dict[str, str], trail: Trail | None, is_next: bool) -> EdgeRow:
    source, destination = edge.source_node_logical_id or "", edge.destination_node_logical_id or ""
    return EdgeRow(
        id=edge.logical_id,
        source=names.get(source, source),
        destination=names.get(destination, destination),
        name=edge.name or "",
        condition=condition_words(edge.condition) or "always",
        status="taken" if trail else "next" if is_next else "disabled" if edge.disabled else "not taken",
        taken=trail.count if trail else 0,
        last_turn=trail.last.turn_number if trail else None,
    )

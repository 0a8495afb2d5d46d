"""A divergence on the graph of both versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from debugger.analysis.comparison.path_overlay import joint_workflow
from debugger.analysis.run_tables import UnmappedEdge
from debugger.graph.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow
from debugger.replays.results import Divergence, ReplayVerdict

_ARROW = "→"
_MOVED = " (other version)"
"""Behind the id of an edge that leads elsewhere in the other version: both are drawn."""


@dataclass(frozen=True)
class Way:
    """The way that a run takes from a node."""

    edge: str
    """The id of its edge; empty of a transition without one."""
    node: str
    """The id of the node that it leads to."""


@dataclass(frozen=True)
class DrawnDivergence:
    """Drawing of a divergence."""

    graph: Graph
    """The nodes and edges of both versions."""
    jumps: list[UnmappedEdge]
    """Ways without an edge."""
    marks: JsonObject
    """The states of nodes and edges."""


def find_way(words: str, source: str, workflow: Workflow) -> Way | None:
    """Return the way that words such as ``book → Booking intake`` name; ``None`` where a version has none.

    Args:
        words: The label of the edge, if it has one, and the name of the node that it leads to.
        source: The id of the node that it leaves.
        workflow: The version.
    """
    label, arrow, name = (part.strip() for part in words.rpartition(_ARROW))
    by_name = {node.label: node.logical_id for node in workflow.node_configs}
    lead, colon, rest = label.partition(": ")
    if colon and lead in by_name:  # a transition from another node than the one before
        source, label = by_name[lead], rest
    ends = [node.logical_id for node in workflow.node_configs if arrow and node.label == name]
    edges = [
        edge
        for edge in workflow.edge_configs
        if edge.source_node_logical_id == source and edge.destination_node_logical_id in ends
    ]
    edge = next((edge for edge in edges if edge.label == label), next(iter(edges), None))
    if edge is not None:
        return Way(edge.logical_id, edge.destination_node_logical_id or "")
    return Way("", ends[0]) if ends else None


def draw_divergence(
    found: Divergence,
    verdict: ReplayVerdict,
    before: Workflow,
    after: Workflow,
    runs: Mapping[str, int],
) -> DrawnDivergence:
    """Return the graph of both versions with the edge that was recorded and the one that is taken instead.

    Args:
        found: The divergence.
        verdict: What it is.
        before: The version with which the runs were recorded.
        after: The version on which they were replayed.
        runs: How many runs diverge at each node, by its id; these nodes are marked, too.
    """
    moved = _moved(before, after)
    graph = Graph(joint_workflow(before, _renamed(after, moved)))
    nodes: JsonObject = {node: _state("unreached") for node in graph.nodes}
    edges: JsonObject = {}
    jumps: list[UnmappedEdge] = []
    for node, number in runs.items():
        if node in nodes:
            words = f"{number:,} {'run' if number == 1 else 'runs'}"
            is_failed = node == found.node_id and verdict == "failed"
            note = "" if is_failed else f"{words} diverge here"  # of a failed one it is drawn, too
            nodes[node] = _state("failed" if is_failed else "common", words, note)
    if verdict == "path":
        sides = (("only_a", found.before, before, "recorded"), ("only_b", found.after, after, "instead"))
        for share, words, workflow, note in sides:
            way = find_way(words, found.node_id, workflow)
            if way is None:
                continue
            edge = way.edge + (_MOVED if share == "only_b" and way.edge in moved else "")
            if not edge and found.node_id in nodes:
                edge = f"{share} {found.node_id} {way.node}"
                jumps.append(UnmappedEdge(edge, found.node_id, way.node, words, "without_edge"))
            if edge:
                edges[edge] = {"state": share, "order": ""}
            if way.node != found.node_id:
                order = nodes[way.node]["order"]
                is_both = nodes[way.node]["state"] == "only_a"  # two edges lead to one node
                nodes[way.node] = _state("common" if is_both else share, order, "both" if is_both else note)
    current = [found.node_id] if found.node_id in nodes else []
    marks = {"nodes": nodes, "edges": edges, "current": current, "lanes": [], "next_steps": []}
    return DrawnDivergence(graph, jumps, marks)


def _moved(before: Workflow, after: Workflow) -> set[str]:
    """Return the ids of the edges that have other ends in the other version."""
    ends = {
        edge.logical_id: (edge.source_node_logical_id, edge.destination_node_logical_id)
        for edge in before.edge_configs
    }
    return {
        edge.logical_id
        for edge in after.edge_configs
        if edge.logical_id in ends
        and ends[edge.logical_id] != (edge.source_node_logical_id, edge.destination_node_logical_id)
    }


def _renamed(workflow: Workflow, ids: set[str]) -> Workflow:
    if not ids:
        return workflow
    document = workflow.to_wire()
    edges = [
        {**edge, "logical_id": edge["logical_id"] + _MOVED} if edge["logical_id"] in ids else edge
        for edge in document["edge_configs"]
    ]
    return Workflow.from_wire({**document, "edge_configs": edges})


def _state(state: str, order: str = "", note: str = "") -> JsonObject:
    return {"state": state, "visits": 0, "order": order, "note": note}

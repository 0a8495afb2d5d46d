"""The paths of two runs on one graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from debugger.analysis.position import Position
from debugger.analysis.run_tables import UnmappedEdge, unmapped_edges
from debugger.analysis.transitions import path_id
from debugger.graph.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import EdgeConfig, NodeConfig, Workflow

Share = Literal["common", "only_a", "only_b"]


@dataclass(frozen=True)
class Visit:
    """Visits of a node or an edge by both runs."""

    a: int
    b: int

    @property
    def share(self) -> Share:
        """The runs that visited it."""
        if self.a and self.b:
            return "common"
        return "only_a" if self.a else "only_b"

    @property
    def label(self) -> str:
        """The visits in a few characters: ``A``, ``B ×2``, ``A ×2 B``."""
        sides = (("A", self.a), ("B", self.b))
        return " ".join(f"{name} ×{times}" if times > 1 else name for name, times in sides if times)


@dataclass(frozen=True)
class PathOverlay:
    """The paths of both runs."""

    nodes: dict[str, Visit]
    edges: dict[str, Visit]
    """Visits by `path_id`."""
    missing_nodes: dict[str, str]
    """Name by id of the nodes that a run has and neither workflow."""
    unmapped: list[UnmappedEdge]
    """The ways of both for which neither workflow has an edge."""

    def count(self, share: Share) -> tuple[int, int]:
        """Return how many nodes and how many edges have this share."""
        nodes = sum(passage.share == share for passage in self.nodes.values())
        return nodes, sum(passage.share == share for passage in self.edges.values())


def overlay_paths(a: Position, b: Position, joint: Graph) -> PathOverlay:
    """Return the paths of two runs on one graph, with how often each came to a node or took an edge.

    Args:
        a: The last position of run A, on its own version.
        b: That of run B.
        joint: The nodes and edges of both versions.
    """
    unmapped = {
        transition.id: transition for transition in (*unmapped_edges(a, joint), *unmapped_edges(b, joint))
    }
    return PathOverlay(
        nodes=_passages(a.entries, b.entries),
        edges=_passages(_taken(a, joint), _taken(b, joint)),
        missing_nodes={
            node: name
            for node, name in {**a.missing_nodes, **b.missing_nodes}.items()
            if node not in joint.nodes
        },
        unmapped=list(unmapped.values()),
    )


def joint_workflow(a: Workflow, b: Workflow) -> Workflow:
    """Return one workflow with the nodes and edges of both, A first; of equal ids and for settings A counts.

    It is A itself where both are the same.
    """
    if a.to_wire() == b.to_wire():
        return a
    document: JsonObject = {
        **a.to_wire(),
        "node_configs": _joined(a.node_configs, b.node_configs),
        "edge_configs": _joined(a.edge_configs, b.edge_configs),
    }
    return Workflow.from_wire(document)


def _taken(position: Position, joint: Graph) -> Counter[str]:
    taken = Counter[str]()
    for trail in position.path_counts.by_edge.values():
        taken[path_id(trail.first, joint)] += trail.count
    return taken


def _passages(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, Visit]:
    return {key: Visit(a.get(key, 0), b.get(key, 0)) for key in {**a, **b}}


def _joined(a: Sequence[NodeConfig | EdgeConfig], b: Sequence[NodeConfig | EdgeConfig]) -> list[JsonObject]:
    known = {config.logical_id for config in a}
    return [config.to_wire() for config in (*a, *(other for other in b if other.logical_id not in known))]

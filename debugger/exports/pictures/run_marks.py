"""Marks of a run on the nodes and edges of a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from debugger.analysis.metrics import NodeTime, percent
from debugger.analysis.position import Position
from debugger.analysis.run_tables import (
    GROUP_STATES,
    NodeState,
    UnmappedEdge,
    node_state,
    node_table,
    unmapped_edges,
)
from debugger.analysis.transitions import PathCount
from debugger.graph.graph import Graph
from debugger.graph.groups import Group
from debugger.protocol.events import COMPANION

EdgeState = Literal["", "taken", "next"]


@dataclass(frozen=True)
class NodeMark:
    """Mark of a run on one node."""

    state: NodeState = "idle"
    status: str = ""
    """Where threads are, or what went wrong: ``waiting here``, ``failed``."""
    visits: int = 0
    heat: float | None = None
    """The node's share of the run's time, from 0 to 1; ``None`` without one."""

    @property
    def share(self) -> str:
        """Return the share of the time as text; empty without one."""
        return "" if self.heat is None else percent(self.heat)


@dataclass(frozen=True)
class EdgeMark:
    """Mark of a run on one edge."""

    state: EdgeState = ""
    steps: str = ""
    """The places of the edge in the path: ``2, 5``; the earlier ones of many are left out: ``… 41, 45``."""
    is_companion: bool = False
    """Is true of an edge that companion threads alone have taken."""


@dataclass(frozen=True)
class RunMarks:
    """Marks of a run, by the ids of nodes, groups and edges; empty for a picture without a run."""

    nodes: Mapping[str, NodeMark] = field(default_factory=dict)
    edges: Mapping[str, EdgeMark] = field(default_factory=dict)
    missing_nodes: Mapping[str, str] = field(default_factory=dict)
    """Names by id of the nodes that the run names and the workflow does not have."""
    unmapped: Sequence[UnmappedEdge] = ()
    """Transitions of the run for which the workflow has no edge."""
    has_path: bool = False
    has_heat: bool = False

    @classmethod
    def of(
        cls,
        position: Position,
        graph: Graph,
        groups: Sequence[Group] = (),
        times: Mapping[str, NodeTime] | None = None,
        *,
        has_path: bool = True,
    ) -> RunMarks:
        """Return the marks of a run; without its path only the heat of nodes.

        A super node has the state of the node inside it that ranks first in `GROUP_STATES`.

        Args:
            position: Position of the run.
            graph: What is drawn.
            groups: Its opened super nodes and companion threads.
            times: The time spent at each node, for a picture with heat.
            has_path: Whether the path is drawn.
        """
        heat = {node: each.share for node, each in (times or {}).items()}
        if not has_path:
            nodes = {node: NodeMark(heat=share) for node, share in heat.items()}
            return cls(nodes=nodes, has_heat=times is not None)
        nodes = dict(_node_marks(position, graph, heat))
        for group in reversed(groups):  # one inside another comes after it
            if group.kind == "super_node":
                states = {nodes[member].state for member in group.members if member in nodes}
                nodes[group.id] = NodeMark(next((each for each in GROUP_STATES if each in states), "idle"))
        edges = {edge: _edge_mark(count) for edge, count in position.path_counts.by_edge.items()}
        for step in position.next_edges:
            if step.edge_id:
                edges.setdefault(step.edge_id, EdgeMark("next"))
        unmapped = unmapped_edges(position, graph)
        return cls(nodes, edges, position.missing_nodes, unmapped, True, times is not None)


def _node_marks(
    position: Position, graph: Graph, heat: Mapping[str, float]
) -> Iterator[tuple[str, NodeMark]]:
    """Yield the id of each row of the node table with its mark: state, visits and heat.

    Words on the status are on current, failed and skipped nodes alone.
    """
    here = {*position.companions.values(), *([position.current] if position.current else [])}
    for row in node_table(position, graph):
        state = node_state(row.id, position, here=here, is_reached=row.id in position.first_visit)
        is_told = state in ("current", "failed") or row.id in position.skipped
        yield row.id, NodeMark(state, row.status if is_told else "", row.visits, heat.get(row.id))


def _edge_mark(count: PathCount) -> EdgeMark:
    steps = ", ".join(map(str, count.latest))
    is_companion = all(COMPANION in thread for thread in count.threads)
    return EdgeMark("taken", f"… {steps}" if count.count > len(count.latest) else steps, is_companion)

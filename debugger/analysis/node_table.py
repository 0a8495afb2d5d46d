"""Where a run stands, as a table of its nodes and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from debugger.analysis.hops import Hop
from debugger.analysis.origins import origin_label
from debugger.analysis.position import Position
from debugger.graph.graph import Graph


@dataclass(frozen=True)
class NodeRow:
    """What happened at one node."""

    name: str
    id: str
    type: str
    """Empty for a ghost and for a node that names no type."""
    visits: int
    first_turn: int | None
    entered_by: str
    """The edge of the last hop to it: its name, else its id, else the kind of hop."""
    status: str
    """``"waiting here"`` and its like, ``"companion labpoll here"``, ``"failed"``, ``"passed over"``,
    ``"visited"``, ``"next"``, ``"not reached"`` or ``"not in this version"``."""


def node_table(position: Position, graph: Graph) -> list[NodeRow]:
    """The same facts as a table: the graph's nodes in its order, then the ghosts."""
    last_hops = {hop.destination: hop for hop in position.hops if hop.destination}
    following = {edge.destination for edge in position.next_edges if edge.way == "edge"}
    names = {node.logical_id: node.label for node in graph.nodes.values()} | position.ghosts
    return [
        NodeRow(
            name=name,
            id=node,
            type=(graph.nodes[node].type or "") if node in graph.nodes else "",
            visits=position.visits.get(node, 0),
            first_turn=position.first_visit.get(node),
            entered_by=_edge_words(last_hops.get(node)),
            status=_status_word(node, position, following),
        )
        for node, name in names.items()
    ]


def place_words(position: Position, node_id: str, names: Mapping[str, str]) -> str:
    """Where a thread stands: ``Greeting``, or inside of a super node ``Booking › Ask``.

    Args:
        position: Where the run stands.
        node_id: A current node out of it.
        names: The graph's node names by id.
    """
    name = names.get(node_id) or position.ghosts.get(node_id, node_id)
    return origin_label(position.inside[node_id], (node_id,), names) if node_id in position.inside else name


def _edge_words(hop: Hop | None) -> str:
    return "" if hop is None else hop.edge_name or hop.edge_id or hop.kind.replace("_", " ")


def _status_word(node: str, position: Position, following: set[str | None]) -> str:
    if node in position.ghosts:
        return "not in this version"
    here = [f"companion {name} here" for name, place in position.companions.items() if place == node]
    if node == position.current and position.state != "not_started":
        here = [f"{position.state} here", *here]
    if here:
        return ", ".join(here) + (f" (at {position.inside[node]})" if node in position.inside else "")
    if node in position.failed:
        return "failed"
    if node in position.passed:
        return "passed over"
    if node in position.first_visit:
        return "visited"
    return "next" if node in following else "not reached"

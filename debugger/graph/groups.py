"""Groups of nodes that are drawn in a box."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Literal

from debugger.graph.graph import Graph
from debugger.protocol.workflow import EdgeConfig


@dataclass(frozen=True)
class Group:
    """Nodes in a box of their own."""

    id: str
    """The id of the super node; of a companion thread one that no node has."""
    title: str
    """The name of the super node, or the configured id of the thread."""
    members: tuple[str, ...]
    """The ids of the nodes directly in it, the one by which it is entered first."""
    kind: Literal["super_node", "thread"]


def thread_groups(graph: Graph, entries: Iterable[str] = ()) -> tuple[Group, ...]:
    """Return the nodes of each companion thread that no other thread reaches.

    Args:
        graph: The workflow.
        entries: The nodes at which threads begin besides the start, as those inside opened super nodes.

    Source: ``platform.md#companion-threads``; a valid workflow has no node that two threads share.
    """
    forks = {edge.logical_id: edge for edge in graph.edges.values() if _is_fork(edge, graph)}
    if not forks:
        return ()
    begins = [node.logical_id for node in (*graph.start_nodes, *graph.global_nodes)]
    taken = set(_reached([*begins, *entries], graph, forks))
    ids = set(graph.nodes)
    for edge in graph.workflow.edge_configs:  # a missing node has a box, too
        ids |= {edge.source_node_logical_id or "", edge.destination_node_logical_id or ""}
    groups = []
    for edge in forks.values():
        reached = _reached([edge.destination_node_logical_id or ""], graph, forks)
        members = tuple(node for node in reached if node not in taken)
        taken.update(members)
        if members:
            settings = edge.companion_thread_config
            name = (settings.thread_id if settings else None) or edge.label or "companion"
            groups.append(Group(_thread_box_id(edge.logical_id, ids), name, members, "thread"))
    return tuple(groups)


def _thread_box_id(edge_id: str, taken: Container[str]) -> str:
    """Return an id for the box of a companion thread, by the edge that forks it; none of those taken."""
    box_id = f"thread of {edge_id}"
    while box_id in taken:  # by a node, whose id may be any text
        box_id = f"the {box_id}"
    return box_id


def _is_fork(edge: EdgeConfig, graph: Graph) -> bool:
    source = edge.source_node_logical_id or ""
    return edge.forks_companion and edge in graph.direct(source) and edge is not graph.main_direct(source)


def _reached(begins: Iterable[str], graph: Graph, without: Container[str]) -> list[str]:
    """Return the nodes reached from some, these included, without some edges, breadth first and each once."""
    found = list(dict.fromkeys(begins))
    known = set(found)
    for node_id in found:  # grows while it is walked
        for edge in graph.find_outgoing_edges(node_id):
            target = edge.destination_node_logical_id or ""
            if edge.logical_id not in without and target not in known:
                known.add(target)
                found.append(target)
    return found

"""Where companion threads can arrive, and where the main path goes (``platform/engine.md`` 3.5).

Every question is answered in one walk over the graph, however many edges fork a companion.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator

from debugger.graph.graph import Graph
from debugger.protocol.workflow import EdgeConfig


def forking_edges(graph: Graph) -> list[EdgeConfig]:
    """The edges that do fork a companion: on an only direct edge the flag counts for nothing."""
    forks: list[EdgeConfig] = []
    for node_id, node in graph.nodes.items():
        if not node.disabled:
            main = graph.main_direct(node_id)
            forks += [edge for edge in graph.direct(node_id) if edge.forks_companion and edge is not main]
    return forks


def main_path(graph: Graph) -> dict[str, None]:
    """The ids of the nodes that the main thread can arrive at along edges, in the order of arrival."""
    starts = graph.start_nodes
    return _walked(graph, starts[0].logical_id if starts else None, {}, through_forks=False)


def arrivals(
    graph: Graph, forks: Iterable[EdgeConfig], wanted: Container[str]
) -> Iterator[tuple[EdgeConfig, list[str]]]:
    """Each fork whose companion thread can arrive at a wanted node, with such nodes.

    Of forks that lead to the same nodes only the first is given all of them, and each other one the nearest:
    where thousands meet, nobody reads every pair.
    """
    seen: dict[str, None] = {}
    nearest = _nearest(graph, wanted)
    for fork in forks:
        first = fork.destination_node_logical_id
        found = [node_id for node_id in _walked(graph, first, seen, through_forks=True) if node_id in wanted]
        if not found and first in nearest:
            found = [nearest[first]]
        if found:
            yield fork, found


def _walked(
    graph: Graph, first: str | None, seen: dict[str, None], *, through_forks: bool
) -> dict[str, None]:
    """What one arrives at from a node and has not seen yet; now it has."""
    found = dict.fromkeys([first] if first is not None and first in graph.nodes and first not in seen else [])
    seen.update(found)
    waiting = list(found)
    while waiting:
        for edge in _ways_on(graph, waiting.pop(), through_forks=through_forks):
            next_id = edge.destination_node_logical_id
            if next_id is not None and next_id not in seen:
                seen[next_id] = found[next_id] = None
                waiting.append(next_id)
    return found


def _nearest(graph: Graph, wanted: Container[str]) -> dict[str, str]:
    """For each node from which a wanted one can be arrived at, the nearest."""
    before: defaultdict[str, list[str]] = defaultdict(list)
    for node_id in graph.nodes:
        for edge in _ways_on(graph, node_id, through_forks=True):
            before[edge.destination_node_logical_id or ""].append(node_id)
    nearest = {node_id: node_id for node_id in graph.nodes if node_id in wanted}
    order = list(nearest)
    for node_id in order:  # grows while it is walked
        for earlier in before[node_id]:
            if earlier not in nearest:
                nearest[earlier] = nearest[node_id]
                order.append(earlier)
    return nearest


def _ways_on(graph: Graph, node_id: str, *, through_forks: bool) -> list[EdgeConfig]:
    main = graph.main_direct(node_id)
    if graph.nodes[node_id].disabled:
        return [main] if main else []
    return [
        edge
        for edge in graph.leaving(node_id)
        if through_forks or edge.type != "direct" or not edge.forks_companion or edge is main
    ]

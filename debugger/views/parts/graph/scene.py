"""What the graph component draws: the geometry of a version, and what a run has made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from debugger.analysis.position import Position
from debugger.graph.graph import Graph
from debugger.graph.layout import Layout
from debugger.protocol.base import JsonObject

_GAP, _GHOST_WIDTH, _GHOST_HEIGHT = 24.0, 150.0, 42.0
_MOST_NUMBERS = 3
_NOTES = {
    "running": "running",
    "waiting": "your turn",
    "paused": "paused",
    "ended": "ended here",
    "failed": "failed here",
    "cancelled": "stopped here",
    "looping": "looping",
}


def geometry(layout: Layout, graph: Graph, ghosts: Mapping[str, str]) -> JsonObject:
    """Where everything is drawn; changes only with the version, or with the ghosts.

    Args:
        layout: The placed drawing.
        graph: The workflow.
        ghosts: Nodes that the run tells of and the workflow does not have: names by id.
    """
    shape = layout.to_json()
    for node in shape["nodes"]:
        node["title"] = _node_title(node["id"], graph)
    for edge in shape["edges"]:
        edge["title"] = _edge_title(edge["id"], graph)
    known = {node.id for node in layout.nodes}
    extra = [(node, name) for node, name in ghosts.items() if node not in known]
    if extra:
        shape["nodes"] = [*shape["nodes"], *_ghost_row(extra, layout.height)]
        shape["height"] += _GAP + _GHOST_HEIGHT
        shape["width"] = max(layout.width, len(extra) * (_GHOST_WIDTH + _GAP))
    return shape


def marks(position: Position, graph: Graph) -> JsonObject:
    """What a run has made of the graph: a state and numbers for each node and each edge."""
    own = [position.current] if position.current else []
    current = list(dict.fromkeys([*own, *position.companions.values()]))
    arrivals = _arrivals(position, graph)
    following = {edge.destination for edge in position.next_edges if edge.way == "edge"}
    nodes = {
        node: {
            "state": _node_state(node, position, current, following),
            "visits": position.visits.get(node, 0),
            "order": _numbers(arrivals.get(node, [])),
            "note": _note(node, position),
        }
        for node in [*graph.nodes, *position.ghosts]
    }
    edges: JsonObject = {
        edge: {"state": "taken", "order": _numbers(numbers)} for edge, numbers in position.taken.items()
    }
    for step in position.next_edges:
        if step.edge_id and step.edge_id not in edges:
            edges[step.edge_id] = {"state": "next", "order": ""}
    return {"nodes": nodes, "edges": edges, "current": current}


def _node_state(node: str, position: Position, current: list[str], following: set[str | None]) -> str:
    if position.state == "not_started":
        return "idle"
    if node in position.failed:
        return "failed"
    if node in current:
        return "current"
    if node in position.ghosts:
        return "ghost"
    if node in position.first_visit:
        return "visited"
    return "next" if node in following else "unreached"


def _note(node: str, position: Position) -> str:
    told = [_NOTES.get(position.state, "")] if node == position.current else []
    told += [f"companion {name}" for name, place in position.companions.items() if place == node]
    if not told and node in position.failed:
        told = ["failed"]
    if not told and node in position.passed:
        told = ["passed over"]
    if told and node in position.inside:
        told.append(f"at {position.inside[node]}")
    return ", ".join(words for words in told if words)


def _arrivals(position: Position, graph: Graph) -> dict[str, list[int]]:
    """The steps at which each node was come to: the first is 1, and hop *n* makes step *n* + 1."""
    first = next(iter(position.first_visit), None)
    found: dict[str, list[int]] = {first: [1]} if first else {}
    for hop in position.hops:
        if hop.destination:
            found.setdefault(hop.destination, []).append(hop.number + 1)
    return found


def _numbers(numbers: list[int]) -> str:
    """Numbers as they fit on a mark; the last ones where there are many."""
    if len(numbers) <= _MOST_NUMBERS:
        return ",".join(map(str, numbers))
    return "…" + ",".join(map(str, numbers[1 - _MOST_NUMBERS :]))


def _ghost_row(ghosts: list[tuple[str, str]], below: float) -> Iterator[JsonObject]:
    for place, (node, name) in enumerate(ghosts):
        yield {
            "id": node,
            "lines": [name if len(name) <= 20 else name[:19] + "…"],
            "caption": "not in this version",
            "title": f"{name} ({node})",
            "x": (place + 0.5) * (_GHOST_WIDTH + _GAP),
            "y": below + _GAP + _GHOST_HEIGHT / 2,
            "width": _GHOST_WIDTH,
            "height": _GHOST_HEIGHT,
            "is_global": False,
            "disabled": False,
            "ghost": True,
        }


def _node_title(node_id: str, graph: Graph) -> str:
    config = graph.nodes.get(node_id)
    if config is None:
        return f"There is no node {node_id}; an edge names it."
    told = [config.label, config.type or "no type", node_id, config.description or ""]
    return "\n".join(line for line in told if line)


def _edge_title(edge_id: str, graph: Graph) -> str:
    config = graph.edges.get(edge_id)
    if config is None:
        return edge_id
    told = [config.name or "", config.condition.text if config.condition else "", f"{config.type} edge"]
    return "\n".join(line for line in told if line)

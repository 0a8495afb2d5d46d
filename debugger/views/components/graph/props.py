"""Geometry of the graph component: a version, and what a run adds."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence

from debugger.analysis.run_tables import UnmappedEdge
from debugger.graph.diagram import Direction
from debugger.graph.graph import Graph
from debugger.graph.layout import Layout, layout
from debugger.graph.node_types import NODE_FACTS, UNKNOWN_TYPE, Icon
from debugger.graph.placement import Point, shift_path
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow

GAP = 24.0


def geometry(
    layout: Layout, graph: Graph, missing_nodes: Mapping[str, str], unmapped: Sequence[UnmappedEdge] = ()
) -> JsonObject:
    """Return the geometry of a version with the run's additions.

    It changes only with the version, or with what the run adds. Without a layout it has a note and no nodes.

    Args:
        layout: The placed drawing.
        graph: The workflow.
        missing_nodes: Nodes that the run names and the workflow does not have: names by id.
        unmapped: Transitions of the run for which the workflow has no edge.
    """
    shape = layout.to_json()
    for node in shape["nodes"]:
        node["icon"] = _icon(node)
        node["title"] = _node_title(node["id"], graph, missing_nodes)
    for edge in shape["edges"]:
        edge["title"] = _edge_title(edge["id"], graph)
    nodes, edges = list(shape["nodes"]), list(shape["edges"])
    known = {node.id for node in layout.nodes}
    extra = {node: name for node, name in missing_nodes.items() if node not in known}
    if extra and not layout.note:
        below = layout.height + GAP if layout.nodes else 0.0
        part = added_part(extra, unmapped, below=below, direction=layout.direction)
        nodes, edges = nodes + part["nodes"], edges + part["edges"]
        shape |= {"width": max(layout.width, part["width"]), "height": part["height"]}
    drawn = {edge["id"] for edge in edges}
    edges += added_edges([transition for transition in unmapped if transition.id not in drawn], nodes)
    shape |= {"nodes": nodes, "edges": edges, "ground": layout.version}
    shape["subject"] = graph.workflow.config.logical_id
    shape["version"] = version_of(shape)
    return shape


def version_of(shape: JsonObject) -> str:
    """Return a short text that is equal for equal geometries.

    A change of the geometry needs a new one.
    """
    written = json.dumps(shape, sort_keys=True, allow_nan=False)
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _icon(node: JsonObject) -> Icon:
    if node["missing"] or not node["type"]:
        return "none"
    return NODE_FACTS.get(node["type"], UNKNOWN_TYPE).icon


def _node_title(node_id: str, graph: Graph, missing_nodes: Mapping[str, str]) -> str:
    """Return the tooltip of a node: label, type, id and description, a line each.

    One that the workflow does not have gets a sentence with its name in the run, or its id.
    """
    config = graph.nodes.get(node_id)
    if config is None:
        return f"There is no node {missing_nodes.get(node_id, node_id)} ({node_id}); an edge names it."
    lines = [config.label, config.type or "no type", node_id, config.description or ""]
    return "\n".join(line for line in lines if line)


def _edge_title(edge_id: str, graph: Graph) -> str:
    """Return the tooltip of an edge: its name and condition, if any, and its kind, a line each.

    One that the workflow does not have has its id.
    """
    config = graph.edges.get(edge_id)
    if config is None:
        return edge_id
    kind = f"{config.type} edge" + (", forks a companion thread" if config.forks_companion else "")
    lines = [config.name or "", config.condition.text if config.condition else "", kind]
    return "\n".join(line for line in lines if line)


CAPTION = "not in this version"

_BOW, _LEAST_BOW = 0.18, 22.0
"""How far an added edge swings out at least, as a share of its length, and in pixels."""
_STEPS = 16
_CLEARANCE = 5.0

Curve = tuple[Point, Point, Point]
"""Where it begins, what it bends towards, and where it ends."""


def added_part(
    missing_nodes: Mapping[str, str],
    unmapped: Sequence[UnmappedEdge],
    below: float,
    direction: Direction = "down",
) -> JsonObject:
    """Lay out missing nodes and their edges; the height is that of the whole picture.

    Where there is no layout of the edges they are left out.

    Args:
        missing_nodes: Their names by id.
        unmapped: The transitions of the run without an edge.
        below: Where there is room for them.
        direction: Where the rest of the graph runs.
    """
    between = [
        transition
        for transition in unmapped
        if transition.source in missing_nodes and transition.destination in missing_nodes
    ]
    made = layout(_workflow(missing_nodes, between), direction)
    if made.note:  # boxes without edges need no program; the edges are added to them
        made = layout(_workflow(missing_nodes, []), direction)
    placed = made.to_json()
    nodes = [
        {
            **node,
            "y": node["y"] + below,
            "missing": True,
            "icon": "none",
            "title": f"{missing_nodes[node['id']]} ({node['id']})",
        }
        for node in placed["nodes"]
    ]
    by_id = {transition.id: transition for transition in between}
    edges = [_edge(by_id[edge["id"]], shift_path(edge["path"], 0.0, below)) for edge in placed["edges"]]
    return placed | {"nodes": nodes, "edges": edges, "height": below + placed["height"]}


def added_edges(unmapped: Sequence[UnmappedEdge], nodes: Sequence[JsonObject]) -> list[JsonObject]:
    """Return edges between drawn nodes that the version lacks.

    One whose end is not drawn is left out.
    """
    ends = {node["id"]: node for node in nodes}
    return [
        _edge(transition, _path(ends[transition.source], ends[transition.destination], nodes))
        for transition in unmapped
        if transition.source in ends and transition.destination in ends
    ]


def _workflow(missing_nodes: Mapping[str, str], unmapped: Sequence[UnmappedEdge]) -> Workflow:
    """Return a workflow of missing nodes and the transitions between them, to be laid out."""
    nodes = [{"logical_id": node, "name": name, "type": CAPTION} for node, name in missing_nodes.items()]
    edges = [
        {
            "logical_id": transition.id,
            "type": "direct",
            "source_node_logical_id": transition.source,
            "destination_node_logical_id": transition.destination,
        }
        for transition in unmapped
    ]
    return Workflow.from_document({"node_configs": nodes, "edge_configs": edges})


def _edge(transition: UnmappedEdge, path: str) -> JsonObject:
    """Return what is drawn of a transition without an edge, along a path."""
    why = CAPTION if transition.kind == "removed" else "a transition without an edge"
    return {
        "id": transition.id,
        "source": transition.source,
        "target": transition.destination,
        "type": "direct",
        "disabled": False,
        "forks": False,
        "path": path,
        "label": "",
        "label_at": None,
        "unmapped": transition.kind,
        "title": f"{transition.label}\n{why}",
    }


def _path(source: JsonObject, target: JsonObject, boxes: Sequence[JsonObject]) -> str:
    """Return the path between two boxes, of several curves the one that meets the fewest others.

    From a box to itself it is a loop at its right side.
    """
    if source["id"] == target["id"]:
        right, y = source["x"] + source["width"] / 2, source["y"]
        bends = f"{_text((right + 34, y - 16))} {_text((right + 34, y + 16))}"
        return f"M{_text((right, y - 8))}C{bends} {_text((right, y + 8))}"
    others = [box for box in boxes if box["id"] not in (source["id"], target["id"])]
    curves = [_curve(source, target, bow) for bow in _bows(source, target)]
    start, bend, end = min(curves, key=lambda curve: _meetings(curve, others))
    return f"M{_text(start)}Q{_text(bend)} {_text(end)}"


def _bows(source: JsonObject, target: JsonObject) -> Iterator[float]:
    """Yield how far curves between two boxes swing out, to both sides, the least first."""
    length = math.hypot(target["x"] - source["x"], target["y"] - source["y"])
    least = max(_LEAST_BOW, _BOW * length)
    for times in (1, 2, 3, 5):
        yield least * times
        yield -least * times


def _curve(source: JsonObject, target: JsonObject, bow: float) -> Curve:
    (x1, y1), (x2, y2) = (source["x"], source["y"]), (target["x"], target["y"])
    length = math.hypot(x2 - x1, y2 - y1) or 1.0
    bend = (x1 + x2) / 2 + bow * (y2 - y1) / length, (y1 + y2) / 2 - bow * (x2 - x1) / length
    return _border(source, bend), bend, _border(target, bend)


def _meetings(curve: Curve, boxes: Sequence[JsonObject]) -> int:
    points = [_along(curve, step / _STEPS) for step in range(_STEPS + 1)]
    outside = sum(x < 0 or y < 0 for x, y in points)
    return outside + sum(_is_near(box, point) for point in points for box in boxes)


def _is_near(box: JsonObject, point: Point) -> bool:
    across, along = abs(point[0] - box["x"]), abs(point[1] - box["y"])
    return bool(across < box["width"] / 2 + _CLEARANCE and along < box["height"] / 2 + _CLEARANCE)


def _along(curve: Curve, share: float) -> Point:
    (x1, y1), (x2, y2), (x3, y3) = curve
    first, second, third = (1 - share) ** 2, 2 * share * (1 - share), share**2
    return first * x1 + second * x2 + third * x3, first * y1 + second * y2 + third * y3


def _border(box: JsonObject, towards: Point) -> Point:
    dx, dy = towards[0] - box["x"], towards[1] - box["y"]
    shares = [size / 2 / abs(way) for size, way in ((box["width"], dx), (box["height"], dy)) if way]
    share = min(shares, default=0.0)
    return box["x"] + share * dx, box["y"] + share * dy


def _text(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"

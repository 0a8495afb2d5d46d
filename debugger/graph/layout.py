"""The cached layout of a workflow's diagram."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from debugger.graph import layered
from debugger.graph.diagram import HEADER_HEIGHT, Diagram, Direction, EdgeLine, NodeBox
from debugger.graph.edge_paths import EdgePath, Point, shift_path
from debugger.graph.graph import Graph
from debugger.graph.groups import Group
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow

_MOST_KEPT = 64
_MOST_ARROWS = 5_000
"""A browser shows no more of them at a bearable speed."""
_MOST_LANES = 120_000
"""As many as are placed in some five seconds."""

_layouts: dict[str, Layout] = {}
_lock = threading.Lock()
"""Held while a picture is laid out, so that several callers of one workflow share the work."""


@dataclass(frozen=True, kw_only=True)
class PlacedNode(NodeBox):
    """A node in the picture. ``x`` and ``y`` are its centre."""

    x: float
    y: float


@dataclass(frozen=True)
class PlacedEdge:
    """An edge in the picture."""

    id: str
    source: str
    """The id of the node it leaves, which may be missing or inside the box that it leaves."""
    target: str
    type: str
    """``direct``, ``conditional`` or ``companion``."""
    disabled: bool
    forks: bool
    """Whether it forks a companion thread."""
    path: str
    """``d`` of an SVG path that ends at the tip of the arrow, on the border of the target."""
    label: str
    """The name or the condition, cut to fit, 10 px high; may be empty."""
    label_at: Point
    """The centre of the place for the label and the numbers before it."""
    label_room: float
    """The width of that place."""
    label_width: float
    """The width of the label itself, estimated; 0 without one."""
    mark_at: Point
    """The place of a breakpoint."""


@dataclass(frozen=True)
class Layout:
    """A whole picture in pixels, from the upper left corner."""

    version: str
    """Equal for equal structures and directions, so that a browser can keep the picture."""
    direction: Direction
    width: float
    height: float
    nodes: tuple[PlacedNode, ...]
    """A group comes before those in it."""
    edges: tuple[PlacedEdge, ...]
    note: str = ""
    """Why there is no picture, for people; empty where there is one."""

    def to_json(self) -> JsonObject:
        """Return plain dicts, lists, texts and finite numbers."""
        return asdict(self)


def layout(workflow: Workflow | Graph, direction: Direction = "down", groups: Sequence[Group] = ()) -> Layout:
    """Lay out the picture of a workflow.

    It depends on ids, names, types, edges, groups and the direction only, and is cached by these. It takes
    some five seconds at the most: a larger workflow has an empty picture with a note.
    """
    drawing = Diagram.of(workflow if isinstance(workflow, Graph) else Graph(workflow), direction, groups)
    with _lock:
        made = _layouts.pop(drawing.version, None) or _laid_out(drawing)
        _layouts[drawing.version] = made  # last in the dict is latest in use
        if len(_layouts) > _MOST_KEPT:
            del _layouts[next(iter(_layouts))]
    return made


def _laid_out(drawing: Diagram) -> Layout:
    parts = list(drawing.parts())
    arrows = sum(len(part.arrows) for part in parts)
    if arrows > _MOST_ARROWS or sum(map(layered.lanes, parts)) > _MOST_LANES:
        counts = f"{sum(len(part.boxes) for part in parts):,} nodes and {arrows:,} edges"
        note = f"The workflow is too large to be drawn: {counts}. The table shows the same."
        return Layout(drawing.version, drawing.direction, 0.0, 0.0, (), (), note)
    part = _part(drawing)
    return Layout(
        version=drawing.version,
        direction=drawing.direction,
        width=round(part.width, 1),
        height=round(part.height, 1),
        nodes=tuple(part.nodes),
        edges=tuple(part.edges),
    )


class _Part(NamedTuple):
    """A group as it is placed, or the whole."""

    width: float
    height: float
    nodes: list[PlacedNode]
    edges: list[PlacedEdge]


def _part(drawing: Diagram) -> _Part:
    """Place a diagram, those in it first: they determine its size."""
    inner = {index: _part(part) for index, part in drawing.inner.items()}
    boxes = list(drawing.boxes)
    for index, part in inner.items():
        width, height = max(boxes[index].width, part.width), part.height + HEADER_HEIGHT
        boxes[index] = replace(boxes[index], width=width, height=height)
    drawing = replace(drawing, boxes=tuple(boxes))
    placement = layered.place(drawing)
    centres = map(_rounded, placement.centres)
    nodes = [PlacedNode(**vars(box), x=x, y=y) for box, (x, y) in zip(boxes, centres, strict=True)]
    edges = [_edge(*pair) for pair in zip(drawing.arrows, placement.routes, strict=True)]
    for index, part in inner.items():
        around = nodes[index]
        left, top = around.x - part.width / 2, around.y - around.height / 2 + HEADER_HEIGHT
        nodes += [replace(node, x=round(node.x + left, 1), y=round(node.y + top, 1)) for node in part.nodes]
        edges += [_moved(edge, left, top) for edge in part.edges]
    return _Part(placement.width, placement.height, nodes, edges)


def _moved(edge: PlacedEdge, right: float, down: float) -> PlacedEdge:
    (label_x, label_y), (mark_x, mark_y) = edge.label_at, edge.mark_at
    return replace(
        edge,
        path=shift_path(edge.path, right, down),
        label_at=_rounded((label_x + right, label_y + down)),
        mark_at=_rounded((mark_x + right, mark_y + down)),
    )


def _edge(arrow: EdgeLine, route: EdgePath) -> PlacedEdge:
    source, target = arrow.ends
    return PlacedEdge(
        id=arrow.id,
        source=source,
        target=target,
        type=arrow.type,
        disabled=arrow.disabled,
        forks=arrow.forks,
        path=route.path,
        label=arrow.label,
        label_at=_rounded(route.label_at),
        label_room=round(route.label_room, 1),
        label_width=arrow.label_width,
        mark_at=_rounded(route.mark_at),
    )


def _rounded(point: Point) -> Point:
    return round(point[0], 1), round(point[1], 1)

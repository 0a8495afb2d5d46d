"""The cached layout of a workflow's diagram."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass

from debugger.graph import layered
from debugger.graph.diagram import Diagram, Direction, EdgeLine, NodeBox
from debugger.graph.edge_paths import EdgePath, Point
from debugger.graph.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow

_MOST_KEPT = 64
_MOST_ARROWS = 5_000
"""A browser shows no more of them at a bearable speed, and nobody could tell them apart."""
_MOST_LANES = 120_000
"""As many as are placed in some five seconds."""

_layouts: dict[str, Layout] = {}
_lock = threading.Lock()
"""Held while a picture is laid out, so that several callers of one workflow share the work."""


@dataclass(frozen=True)
class PlacedNode:
    """A node in the picture. ``x`` and ``y`` are its centre."""

    id: str
    """The node's logical id; of a ghost the id that is missing."""
    lines: tuple[str, ...]
    """The name, cut to lines that fit the box: 12 px high, 15 px apart, the caption below them 10 px high."""
    caption: str
    """The type, and what is special about the node."""
    type: str | None
    start: bool
    is_global: bool
    """Whether every node can hop here; those hops are not drawn."""
    disabled: bool
    ghost: bool
    """Whether there is no such node, only an edge that names it."""
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class PlacedEdge:
    """An edge in the picture."""

    id: str
    source: str
    """The id of the node it leaves, which may be a ghost."""
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
    edges: tuple[PlacedEdge, ...]
    note: str = ""
    """Why there is no picture, for people; empty where there is one."""

    def to_json(self) -> JsonObject:
        """Return plain dicts, lists, texts and finite numbers."""
        return asdict(self)


def layout(workflow: Workflow | Graph, direction: Direction = "down") -> Layout:
    """Lay out the picture of a workflow.

    It depends on ids, names, types, edges and the direction only, and is cached by these. It takes some five
    seconds at the most: a larger workflow has an empty picture with a note.
    """
    drawing = Diagram.of(workflow if isinstance(workflow, Graph) else Graph(workflow), direction)
    with _lock:
        made = _layouts.pop(drawing.version, None) or _laid_out(drawing)
        _layouts[drawing.version] = made  # last in the dict is latest in use
        if len(_layouts) > _MOST_KEPT:
            del _layouts[next(iter(_layouts))]
    return made


def clear_layouts() -> None:
    """Lay every picture out again at the next call."""
    _layouts.clear()


def _laid_out(drawing: Diagram) -> Layout:
    if len(drawing.arrows) > _MOST_ARROWS or layered.lanes(drawing) > _MOST_LANES:
        return Layout(drawing.version, drawing.direction, 0.0, 0.0, (), (), _too_large(drawing))
    placement = layered.place(drawing)
    return Layout(
        version=drawing.version,
        direction=drawing.direction,
        width=round(placement.width, 1),
        height=round(placement.height, 1),
        nodes=tuple(map(_node, drawing.boxes, placement.centres)),
        edges=tuple(_edge(drawing, *pair) for pair in zip(drawing.arrows, placement.routes, strict=True)),
    )


def _too_large(drawing: Diagram) -> str:
    return (
        f"The workflow is too large to be drawn: {len(drawing.boxes):,} nodes and {len(drawing.arrows):,} "
        "edges. The table shows the same."
    )


def _node(box: NodeBox, centre: Point) -> PlacedNode:
    x, y = _rounded(centre)
    return PlacedNode(**box._asdict(), x=x, y=y)


def _edge(drawing: Diagram, arrow: EdgeLine, route: EdgePath) -> PlacedEdge:
    return PlacedEdge(
        id=arrow.id,
        source=drawing.boxes[arrow.source].id,
        target=drawing.boxes[arrow.target].id,
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

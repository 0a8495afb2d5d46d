"""The cached layout of a workflow's diagram."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace

from debugger.errors import DebuggerError, InputError
from debugger.graph import graphviz_layout
from debugger.graph.diagram import DIRECTIONS, Diagram, Direction, EdgeLine, NodeBox
from debugger.graph.graph import Graph
from debugger.graph.graphviz_program import LAYOUT, identify_program
from debugger.graph.groups import Group
from debugger.graph.placement import EdgePath, Placement, Point
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow

_MOST_KEPT = 64
_MOST_ARROWS = 5_000
"""A browser shows no more of them at a bearable speed."""

_FAILURE_KEPT, _FAILURE_KEPT_SECONDS = 30, 120.0
"""So many times as long as it took a failure is kept, and so many seconds at the most."""


@dataclass
class _Work:
    """A layout that is made or being made."""

    future: Future[Layout] = field(default_factory=Future)
    until: float = math.inf
    """When it is made again, by the clock that never goes back."""


_layouts: dict[str, _Work] = {}
"""By version and program; callers of one workflow share the work, those of another do not wait for it."""
_lock = threading.Lock()


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
    """The name or the condition, cut to fit, 11 px high; may be empty."""
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
    sizes: Mapping[Direction, Point] = field(default_factory=dict)
    """Width and height by direction, where it was laid out in both: of those that can be."""
    note: str = ""
    """Why there is no picture, for people; empty where there is one."""

    def to_json(self) -> JsonObject:
        """Return plain dicts, lists, texts and finite numbers."""
        return asdict(self)


def layout_both_ways(graph: Graph, direction: Direction, groups: Sequence[Group] = ()) -> Layout:
    """Lay out the picture of a workflow in both directions, and return one, with the sizes of both.

    It is the other one where that direction alone can be laid out.
    """
    with ThreadPoolExecutor(len(DIRECTIONS)) as pool:
        works = [pool.submit(layout, graph, each, groups) for each in DIRECTIONS]
    made = {each: work.result() for each, work in zip(DIRECTIONS, works, strict=True)}
    sizes = {each: (one.width, one.height) for each, one in made.items() if not one.note}
    return replace(made[direction if direction in sizes else next(iter(sizes), direction)], sizes=sizes)


def layout(workflow: Workflow | Graph, direction: Direction = "down", groups: Sequence[Group] = ()) -> Layout:
    """Lay out the picture of a workflow.

    It depends on ids, names, types, edges, groups and the direction only, and is cached by these and by
    Graphviz's program. It takes two seconds of CPU at the most: where it would take more, or there is no
    program, the picture is empty and has a note; what may succeed later is tried again.
    """
    drawing = Diagram.of(workflow if isinstance(workflow, Graph) else Graph(workflow), direction, groups)
    key = f"{drawing.version} {identify_program(LAYOUT)}"
    with _lock:
        work = _layouts.pop(key, None)
        is_first = work is None or work.until < time.monotonic()
        work = _Work() if work is None or is_first else work
        _layouts[key] = work  # last in the dict is latest in use
        if len(_layouts) > _MOST_KEPT:
            del _layouts[next(iter(_layouts))]
    if is_first:
        begun = time.monotonic()
        try:
            try:
                made = _laid_out(drawing)
            except DebuggerError as error:
                made = _empty(drawing, str(error))
                work.until = _kept_until(error, begun)
        except BaseException as error:
            with _lock:
                _layouts.pop(key, None)
            work.future.set_exception(error)
        else:
            work.future.set_result(made)
    return work.future.result()


def _kept_until(error: DebuggerError, begun: float) -> float:
    """Return when a layout that failed is made again.

    The limits of computing and memory are met again; a busy machine, or a mended program, may do better.
    """
    now = time.monotonic()
    if isinstance(error, InputError) and now - begun < graphviz_layout.SECONDS:
        return math.inf
    return now + min(_FAILURE_KEPT * (now - begun), _FAILURE_KEPT_SECONDS)


def _laid_out(drawing: Diagram) -> Layout:
    """Return the layout of a diagram; of one with more than 5,000 edges an empty one with a note.

    The errors of `graphviz_layout.place` leave it.
    """
    parts = list(drawing.parts())
    arrows = sum(len(part.arrows) for part in parts)
    if arrows > _MOST_ARROWS:
        counts = f"{sum(len(part.boxes) for part in parts):,} nodes and {arrows:,} edges"
        return _empty(drawing, f"The workflow is too large to be drawn: {counts}. The table shows the same.")
    placement = graphviz_layout.place(drawing)
    return Layout(
        version=_version(drawing),
        direction=drawing.direction,
        width=round(placement.width, 1),
        height=round(placement.height, 1),
        nodes=tuple(_nodes(drawing, placement)),
        edges=tuple(_edges(drawing, placement)),
    )


def _empty(drawing: Diagram, note: str) -> Layout:
    return Layout(_version(drawing), drawing.direction, 0.0, 0.0, (), (), note=note)


def _version(drawing: Diagram) -> str:
    """Return a version that differs by program, too: each places differently."""
    return hashlib.sha256(f"{drawing.version} {identify_program(LAYOUT)}".encode()).hexdigest()[:16]


def _nodes(drawing: Diagram, placement: Placement) -> Iterator[PlacedNode]:
    """Yield the placed boxes of a diagram, then those in its groups, in pixels rounded to a tenth."""
    for box, centre, size in zip(drawing.boxes, placement.centres, placement.sizes, strict=True):
        x, y = _rounded(centre)
        width, height = _rounded(size)
        yield PlacedNode(**{**vars(box), "width": width, "height": height}, x=x, y=y)
    for index, part in placement.inner.items():
        yield from _nodes(drawing.inner[index], part)


def _edges(drawing: Diagram, placement: Placement) -> Iterator[PlacedEdge]:
    yield from map(_edge, drawing.arrows, placement.routes)
    for index, part in placement.inner.items():
        yield from _edges(drawing.inner[index], part)


def _edge(arrow: EdgeLine, route: EdgePath) -> PlacedEdge:
    """Return an edge in its place, with the ids of the nodes at its ends; numbers are rounded to a tenth."""
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

"""The geometry of a workflow's picture, worked out once for each structure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path

from debugger.graph import graphviz_command, layered
from debugger.graph.drawing import Arrow, Box, Drawing
from debugger.graph.geometry import Placement, Point, Route
from debugger.graph.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow

BUILT_IN = "built-in"

NO_ENGINE = "none"
"""Stands for the engine where a workflow is too large to be drawn."""

_MOST_KEPT = 64
_MOST_ARROWS = 5_000
"""A browser shows no more of them at a bearable speed, and nobody could tell them apart."""
_GRAPHVIZ_LANES = 2_500
"""From so many on Graphviz takes seconds, by a multiple of what the built-in engine takes."""
_MOST_LANES = 120_000
"""As many as the built-in engine places in some five seconds."""


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
    label_at: Point | None
    """The centre of the label; ``None`` without one."""


@dataclass(frozen=True)
class Layout:
    """A whole picture: pixels, x to the right, y downwards, from 0 to ``width`` and ``height``."""

    engine: str
    """What made it: the name of a Graphviz command, ``built-in``, or ``none``."""
    version: str
    """Equal for equal structures, so that a browser can keep the picture."""
    width: float
    height: float
    nodes: tuple[PlacedNode, ...]
    edges: tuple[PlacedEdge, ...]
    note: str = ""
    """Why there is no picture, for people; empty where there is one."""

    def to_json(self) -> JsonObject:
        """The same as plain dicts, lists, texts and finite numbers."""
        return asdict(self)


def layout(workflow: Workflow | Graph) -> Layout:
    """The picture of a workflow, from the best engine at hand.

    It depends on ids, names, types and edges only, is kept for the next call with the same ones, and is
    worked out once even when several threads ask for it at the same moment. It takes some ten seconds at the
    most: a workflow for which that is too little has an empty picture with a note.
    """
    graph = workflow if isinstance(workflow, Graph) else Graph(workflow)
    drawing = Drawing.of(graph)
    return _KEPT.get(drawing.version, lambda: _laid_out(drawing))


def forget_layouts() -> None:
    """Work every picture out anew, as after an engine was installed."""
    _KEPT.clear()


def _laid_out(drawing: Drawing) -> Layout:
    placed = _placed(drawing)
    if placed is None:
        return Layout(NO_ENGINE, drawing.version, 0.0, 0.0, (), (), _too_large(drawing))
    engine, placement = placed
    nodes = tuple(map(_node, drawing.boxes, placement.centres))
    edges = tuple(_edge(drawing, *pair) for pair in zip(drawing.arrows, placement.routes, strict=True))
    size = round(placement.width, 1), round(placement.height, 1)
    return Layout(engine, drawing.version, *size, nodes, edges)


def _too_large(drawing: Drawing) -> str:
    return (
        f"The workflow is too large to be drawn: {len(drawing.boxes):,} nodes and {len(drawing.arrows):,} "
        "edges. The table shows the same."
    )


def _placed(drawing: Drawing) -> tuple[str, Placement] | None:
    """The name of the first engine that manages, with what it made; ``None`` where it is too much for all."""
    if len(drawing.arrows) > _MOST_ARROWS:
        return None
    lanes = layered.lanes(drawing)
    give_up = time.monotonic() + graphviz_command.TIMEOUT
    for command in graphviz_command.find_commands() if lanes <= _GRAPHVIZ_LANES else ():
        try:
            left = give_up - time.monotonic()
            return Path(command).stem, graphviz_command.place(drawing, command, timeout=max(0.1, left))
        except graphviz_command.EngineFailure:
            continue
    if lanes > _MOST_LANES:
        return None
    return BUILT_IN, layered.place(drawing)


def _node(box: Box, centre: Point) -> PlacedNode:
    x, y = centre
    return PlacedNode(**box._asdict(), x=round(x, 1), y=round(y, 1))


def _edge(drawing: Drawing, arrow: Arrow, route: Route) -> PlacedEdge:
    return PlacedEdge(
        id=arrow.id,
        source=drawing.boxes[arrow.source].id,
        target=drawing.boxes[arrow.target].id,
        type=arrow.type,
        disabled=arrow.disabled,
        forks=arrow.forks,
        path=route.path,
        label=arrow.label,
        label_at=route.label_at and (round(route.label_at[0], 1), round(route.label_at[1], 1)),
    )


class _Kept:
    """The latest layouts, each made once: who asks while one is being made waits for it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._futures: dict[str, Future[Layout]] = {}

    def get(self, version: str, make: Callable[[], Layout]) -> Layout:
        with self._lock:
            future = self._futures.pop(version, None)
            is_new = future is None
            self._futures[version] = future = future or Future()  # last in the dict is latest in use
            while len(self._futures) > self._most:
                del self._futures[next(iter(self._futures))]
        if is_new:
            self._make(version, future, make)
        return future.result()

    def clear(self) -> None:
        with self._lock:
            self._futures.clear()

    def _make(self, version: str, future: Future[Layout], make: Callable[[], Layout]) -> None:
        try:
            future.set_result(make())
        except BaseException as error:
            with self._lock:
                self._futures.pop(version, None)
            future.set_exception(error)


_KEPT = _Kept(_MOST_KEPT)

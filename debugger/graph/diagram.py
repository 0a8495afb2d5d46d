"""Nodes and edges as they are drawn, with their sizes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from debugger.graph.graph import Graph
from debugger.graph.labels import clean, cut, text_width, wrap
from debugger.protocol.workflow import EdgeConfig, NodeConfig

NAME_SIZE = 12
CAPTION_SIZE = 10
EDGE_LABEL_SIZE = 10
LINE_HEIGHT = 15
CAPTION_HEIGHT = 13

Direction = Literal["down", "right"]
"""Where most edges of a drawing point."""


class _Sizes(NamedTuple):
    """Sizes in pixels that depend on the direction."""

    line: int
    """Of the lines of a name: 132 hold some 20 characters, 86 some 13."""
    caption: int
    edge_label: int
    """150 hold some 28 characters of a condition."""
    numbers: int
    """Beside each label for the numbers of a run's path: as many as fit are shown."""
    least_numbers: int
    """The same without a label."""
    side: int
    """Between a name and the side of its box."""
    least_width: int


_SIZES: dict[Direction, _Sizes] = {
    "down": _Sizes(
        line=132, caption=172, edge_label=150, numbers=28, least_numbers=28, side=12, least_width=84
    ),
    "right": _Sizes(
        line=86, caption=86, edge_label=110, numbers=20, least_numbers=28, side=9, least_width=78
    ),
}
_MOST_LINES = 3
_TOP = 7


class NodeBox(NamedTuple):
    """A node as it is drawn. Width and height are in pixels."""

    id: str
    """The node's logical id; of a ghost the id that is missing, or a text that says what has none."""
    lines: tuple[str, ...]
    """The name, at `NAME_SIZE` pixels and `LINE_HEIGHT` apart."""
    caption: str
    """Below the name, at `CAPTION_SIZE`: the type, and what is special about the node."""
    type: str | None
    start: bool
    is_global: bool
    disabled: bool
    ghost: bool
    """Whether there is no such node, only an edge that names it."""
    width: float
    height: float


class EdgeLine(NamedTuple):
    """An edge as it is drawn."""

    id: str
    source: int
    """Index of the box it leaves."""
    target: int
    """Index of the box it enters."""
    type: str
    label: str
    label_width: float
    """Pixels, 0 without a label."""
    label_room: float
    """The width of the label with the numbers before it."""
    disabled: bool
    forks: bool
    """Whether it forks a companion thread."""


@dataclass(frozen=True)
class Diagram:
    """Everything that determines the layout of a workflow, and nothing else."""

    boxes: tuple[NodeBox, ...]
    arrows: tuple[EdgeLine, ...]
    direction: Direction = "down"

    @classmethod
    def of(cls, graph: Graph, direction: Direction = "down") -> Diagram:
        """Draw every node and every edge.

        Transitions to global nodes are marked by the node's caption instead.

        The start comes first, because engines put what comes first on top.
        """
        start = next(iter(graph.start_nodes), None)
        nodes = sorted(graph.nodes.values(), key=lambda node: node is not start)
        edges = graph.workflow.edge_configs
        sizes = _SIZES[direction]
        boxes = (
            *(_box(node, sizes) for node in nodes),
            *(_ghost(missing, sizes) for missing in _missing_ends(graph, edges)),
        )
        places = {box.id: place for place, box in enumerate(boxes)}
        return cls(boxes, tuple(_arrow(edge, places, sizes) for edge in edges), direction)

    @cached_property
    def version(self) -> str:
        """Return a text that is equal for equal diagrams, in every process."""
        written = repr((self.boxes, self.arrows, self.direction)).encode("utf-8", "surrogatepass")
        return hashlib.sha256(written).hexdigest()[:16]


def _box(node: NodeConfig, sizes: _Sizes) -> NodeBox:
    captions = (
        node.type or "no type",
        "start" if node.is_start else "",
        "global" if node.is_global else "",
        "disabled" if node.disabled else "",
    )
    return _sized(
        NodeBox(
            id=node.logical_id,
            lines=_lines(node.label, sizes),
            caption=cut(clean(" · ".join(filter(None, captions))), CAPTION_SIZE, sizes.caption),
            type=node.type,
            start=node.is_start,
            is_global=node.is_global,
            disabled=node.disabled,
            ghost=False,
            width=0,
            height=0,
        ),
        sizes,
    )


def _ghost(missing_id: str, sizes: _Sizes) -> NodeBox:
    lines = _lines(missing_id, sizes)
    return _sized(NodeBox(missing_id, lines, "missing", None, False, False, False, True, 0, 0), sizes)


def _lines(name: str, sizes: _Sizes) -> tuple[str, ...]:
    return wrap(clean(name), NAME_SIZE, sizes.line, _MOST_LINES) or ("(no name)",)


def _sized(box: NodeBox, sizes: _Sizes) -> NodeBox:
    widths = [text_width(line, NAME_SIZE) for line in box.lines]
    widths.append(text_width(box.caption, CAPTION_SIZE))
    return box._replace(
        width=round(max(sizes.least_width, max(widths) + 2 * sizes.side), 1),
        height=len(box.lines) * LINE_HEIGHT + CAPTION_HEIGHT + 2 * _TOP,
    )


def _arrow(edge: EdgeConfig, places: dict[str, int], sizes: _Sizes) -> EdgeLine:
    source, target = _ends(edge)
    label = cut(clean(edge.label), EDGE_LABEL_SIZE, sizes.edge_label)
    width = round(text_width(label, EDGE_LABEL_SIZE), 1)
    return EdgeLine(
        id=edge.logical_id,
        source=places[source],
        target=places[target],
        type=edge.type,
        label=label,
        label_width=width,
        label_room=max(sizes.least_numbers, width + sizes.numbers if label else 0),
        disabled=edge.disabled,
        forks=edge.forks_companion,
    )


def _ends(edge: EdgeConfig) -> tuple[str, str]:
    source, target = edge.source_node_logical_id, edge.destination_node_logical_id
    return (
        f"(no source of {edge.logical_id})" if source is None else source,
        f"(no destination of {edge.logical_id})" if target is None else target,
    )


def _missing_ends(graph: Graph, edges: Iterable[EdgeConfig]) -> Iterator[str]:
    seen: set[str] = set()
    for edge in edges:
        for end in _ends(edge):
            if end not in graph.nodes and end not in seen:
                seen.add(end)
                yield end

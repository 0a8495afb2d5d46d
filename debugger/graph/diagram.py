"""Nodes and edges as they are drawn, with their sizes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from debugger.graph.graph import Graph
from debugger.graph.labels import clean, cut, text_width, wrap
from debugger.protocol.workflow import EdgeConfig, NodeConfig

NAME_SIZE = 12
CAPTION_SIZE = 10
EDGE_LABEL_SIZE = 10
LINE_HEIGHT = 15
CAPTION_HEIGHT = 13

_MOST_LINES = 3
_LINE_WIDTH = 132
"""Pixels that hold some 20 characters of a name."""
_EDGE_LABEL_WIDTH = 150
"""Pixels that hold some 28 characters of a condition."""
_SIDE, _TOP = 12, 7
_LEAST_WIDTH = 84


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
    disabled: bool
    forks: bool
    """Whether it forks a companion thread."""


@dataclass(frozen=True)
class Diagram:
    """Everything that determines the layout of a workflow, and nothing else."""

    boxes: tuple[NodeBox, ...]
    arrows: tuple[EdgeLine, ...]

    @classmethod
    def of(cls, graph: Graph) -> Diagram:
        """Draw every node and every edge.

        Transitions to global nodes are marked by the node's caption instead.

        The start comes first, because engines put what comes first on top.
        """
        start = next(iter(graph.start_nodes), None)
        nodes = sorted(graph.nodes.values(), key=lambda node: node is not start)
        edges = graph.workflow.edge_configs
        boxes = (*map(_box, nodes), *map(_ghost, _missing_ends(graph, edges)))
        places = {box.id: place for place, box in enumerate(boxes)}
        return cls(boxes, tuple(_arrow(edge, places) for edge in edges))

    @cached_property
    def version(self) -> str:
        """Return a text that is equal for equal diagrams, in every process."""
        written = repr((self.boxes, self.arrows)).encode("utf-8", "surrogatepass")
        return hashlib.sha256(written).hexdigest()[:16]


def _box(node: NodeConfig) -> NodeBox:
    captions = (
        node.type or "no type",
        "start" if node.is_start else "",
        "global" if node.is_global else "",
        "disabled" if node.disabled else "",
    )
    return _sized(
        NodeBox(
            id=node.logical_id,
            lines=_lines(node.label),
            caption=_caption(" · ".join(filter(None, captions))),
            type=node.type,
            start=node.is_start,
            is_global=node.is_global,
            disabled=node.disabled,
            ghost=False,
            width=0,
            height=0,
        )
    )


def _ghost(missing_id: str) -> NodeBox:
    return _sized(NodeBox(missing_id, _lines(missing_id), "missing", None, False, False, False, True, 0, 0))


def _lines(name: str) -> tuple[str, ...]:
    return wrap(clean(name), NAME_SIZE, _LINE_WIDTH, _MOST_LINES) or ("(no name)",)


def _caption(text: str) -> str:
    return cut(clean(text), CAPTION_SIZE, _LINE_WIDTH + 40)


def _sized(box: NodeBox) -> NodeBox:
    widths = [text_width(line, NAME_SIZE) for line in box.lines]
    widths.append(text_width(box.caption, CAPTION_SIZE))
    return box._replace(
        width=round(max(_LEAST_WIDTH, max(widths) + 2 * _SIDE), 1),
        height=len(box.lines) * LINE_HEIGHT + CAPTION_HEIGHT + 2 * _TOP,
    )


def _arrow(edge: EdgeConfig, places: dict[str, int]) -> EdgeLine:
    source, target = _ends(edge)
    label = cut(clean(edge.label), EDGE_LABEL_SIZE, _EDGE_LABEL_WIDTH)
    return EdgeLine(
        id=edge.logical_id,
        source=places[source],
        target=places[target],
        type=edge.type,
        label=label,
        label_width=round(text_width(label, EDGE_LABEL_SIZE), 1),
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

"""The way of a run on its graph, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from debugger.analysis.node_origins import author_node_id
from debugger.analysis.paths import END, PathStep
from debugger.graph import Graph
from debugger.graph.layout import Layout, layout
from debugger.protocol.workflow import Workflow

_LINE = 15.0
"""From one line of a name to the next."""


@dataclass(frozen=True)
class DrawnNode:
    """A node of the picture."""

    lines: tuple[str, ...]
    x: float
    """Of its centre."""
    y: float
    width: float
    height: float
    visits: int
    """How often the run came to it, or began there."""

    @property
    def left(self) -> float:
        """Return its left side."""
        return self.x - self.width / 2

    @property
    def top(self) -> float:
        """Return its upper side."""
        return self.y - self.height / 2

    @property
    def placed_lines(self) -> list[tuple[str, float]]:
        """Return the lines of its name with their base lines."""
        last = len(self.lines) - 1
        lines = [
            f"{line} ×{self.visits}" if self.visits > 1 and at == last else line
            for at, line in enumerate(self.lines)
        ]
        return [(line, self.y + 4 + _LINE * (at - last / 2)) for at, line in enumerate(lines)]


@dataclass(frozen=True)
class DrawnEdge:
    """An edge of the picture."""

    path: str
    """``d`` of an SVG path."""
    label: str
    label_x: float
    label_y: float
    numbers: str
    """The places in the run's path at which it was taken: ``2, 5``; empty if never."""


@dataclass(frozen=True)
class PathPicture:
    """A graph with the way of a run."""

    width: float
    height: float
    nodes: tuple[DrawnNode, ...]
    edges: tuple[DrawnEdge, ...]
    note: str = ""
    """Why there is no picture; empty where there is one."""


def path_picture(workflow: Workflow, steps: Sequence[PathStep]) -> PathPicture:
    """Return the picture of a run's transitions.

    Those inside a super node count for it.

    Args:
        workflow: The version that ran.
        steps: The transitions of the run in order.
    """
    graph = Graph(workflow)
    placed: Layout = layout(graph)
    numbers, visits = _counted(steps, graph)
    nodes = tuple(
        DrawnNode(node.lines, node.x, node.y, node.width, node.height, visits.get(node.id, 0))
        for node in placed.nodes
    )
    edges = tuple(
        DrawnEdge(
            edge.path,
            edge.label,
            *edge.label_at,
            ", ".join(map(str, numbers.get(edge.id, ()))),
        )
        for edge in placed.edges
    )
    return PathPicture(placed.width, placed.height, nodes, edges, placed.note)


def _counted(steps: Sequence[PathStep], graph: Graph) -> tuple[dict[str, list[int]], dict[str, int]]:
    numbers: dict[str, list[int]] = {}
    visits: dict[str, int] = {}
    if steps:
        visits[author_node_id(steps[0].source_id, graph.nodes)] = 1
    for number, step in enumerate(steps, start=1):
        if step.edge_id:
            numbers.setdefault(step.edge_id, []).append(number)
        source, target = (author_node_id(each, graph.nodes) for each in (step.source_id, step.destination_id))
        if step.destination != END and source != target:
            visits[target] = visits.get(target, 0) + 1
    return numbers, visits

"""Workflows to lay out, and the places of what is drawn on them."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import NamedTuple

import debugger.samples
from debugger.graph import Graph
from debugger.graph.diagram import Diagram, Direction
from debugger.graph.placement import Placement
from debugger.protocol.workflow import Workflow

SAMPLES = Path(debugger.samples.__file__).parent


def sample(name: str, direction: Direction = "down") -> Diagram:
    document = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return Diagram.of(Graph(Workflow.from_document(document)), direction)


class Rectangle(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, centre: tuple[float, float], width: float, height: float) -> Rectangle:
        x, y = centre
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    def overlaps(self, other: Rectangle) -> bool:
        beside = self.right <= other.left or other.right <= self.left
        return not beside and self.top < other.bottom and other.top < self.bottom

    def holds(self, x: float, y: float) -> bool:
        return self.left + 0.3 < x < self.right - 0.3 and self.top + 0.3 < y < self.bottom - 0.3


def drawing(count: int, pairs: list[tuple[int, int, str]], direction: Direction = "down") -> Diagram:
    nodes = [
        {"logical_id": f"n{place}", "name": f"Node number {place}", "is_start": place == 0}
        for place in range(count)
    ]
    edges = [
        {
            "logical_id": f"e{place}",
            "type": "conditional",
            "name": label,
            "source_node_logical_id": f"n{source}",
            "destination_node_logical_id": f"n{target}",
        }
        for place, (source, target, label) in enumerate(pairs)
    ]
    document = {"node_configs": nodes, "edge_configs": edges}
    return Diagram.of(Graph(Workflow.from_document(document)), direction)


def workflow_like(count: int) -> list[tuple[int, int, str]]:
    """A tree with short cuts, ways back and loops, as conversations have them."""
    dice = random.Random(7)
    pairs = [
        (max(0, node - dice.randint(1, 6)), node, dice.choice(["", "yes", "no"])) for node in range(1, count)
    ]
    for _ in range(count // 2):
        node = dice.randrange(count)
        target = max(0, min(count - 1, node + dice.choice([-9, -3, 0, 0, 2, 5, 12])))
        pairs.append((node, target, dice.choice(["", "the guest wants another thing", "no"])))
    return pairs


def boxes_of(drawn: Diagram, placed: Placement) -> list[Rectangle]:
    pairs = zip(drawn.boxes, placed.centres, strict=True)
    return [Rectangle.around(centre, box.width, box.height) for box, centre in pairs]


def badges_of(box: Rectangle) -> list[Rectangle]:
    """The places of a box's badges: numbers, chips and pin on its top, a breakpoint below."""
    return [
        Rectangle(box.left - 4, box.top - 9.5, box.right + 4, box.top + 3.5),
        Rectangle(box.left - 4, box.bottom - 8.5, box.left + 8, box.bottom + 3.5),
    ]


def labels_of(placed: Placement) -> list[Rectangle]:
    """The places of the labels with their ground and the numbers before them."""
    return [Rectangle.around(route.label_at, route.label_room, 13) for route in placed.routes]


def numbers(path: str) -> list[tuple[float, float]]:
    found = [float(number) for number in re.findall(r"-?[\d.]+", path)]
    return list(zip(found[::2], found[1::2], strict=True))


def points_along(path: str) -> list[tuple[float, float]]:
    """Places on a path of cubic curves, twenty for each."""
    first, *rest = numbers(path)
    along = []
    for begin in range(0, len(rest), 3):
        corners = (first, *rest[begin : begin + 3])
        for step in range(21):
            t = step / 20
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            along.append(
                tuple(sum(w * c[axis] for w, c in zip(weights, corners, strict=True)) for axis in (0, 1))
            )
        first = rest[begin + 2]
    return along


def around_both(ends: tuple[tuple[float, float], tuple[float, float]]) -> Rectangle:
    """The smallest rectangle with two points."""
    (x1, y1), (x2, y2) = ends
    return Rectangle(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))

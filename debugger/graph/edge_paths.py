"""Paths of edges between nodes in rows.

Pixels, x to the right, y downwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from debugger.graph.diagram import EdgeLine
from debugger.graph.rows import Item

LABEL_HEIGHT = 16.0
LABEL_GAP = 5.0
"""Between an arrow and its label, which stands to its right."""
LOOP_WIDTH = 26.0

_PORT_STEP = 16.0
_CORNER = 10.0
"""So far from a corner of its box an arrow keeps."""


@dataclass(eq=False)
class Chain:
    """An edge and the items that it passes, from top to bottom."""

    items: list[Item]
    upward: bool
    """Whether the arrow points from the lower box to the upper one."""
    label: Item | None
    """The one of the items that the label stands at."""
    label_width: float


def chain_routes(chains: Mapping[int, Chain]) -> dict[int, EdgePath]:
    """Return the paths of edges between different nodes, by edge index."""
    leaving = _ports(chains, lambda chain: (chain.items[0], chain.items[1]))
    arriving = _ports(chains, lambda chain: (chain.items[-1], chain.items[-2]))
    return {index: _route(chain, leaving[index], arriving[index]) for index, chain in chains.items()}


def loop_routes(box: Item, loops: Mapping[int, EdgeLine]) -> dict[int, EdgePath]:
    """Return the paths of a node's edges to itself.

    They are one below the other at its right side.
    """
    right, far = box.x + box.left, box.x + box.left + LOOP_WIDTH * 4 / 3  # a curve goes 3/4 of the way
    slot = min(LABEL_HEIGHT, box.height / (len(loops) + 1))
    routes = {}
    for place, (index, loop) in enumerate(loops.items()):
        from_middle = place - (len(loops) - 1) / 2
        y, label_y = box.middle + from_middle * slot, box.middle + from_middle * LABEL_HEIGHT
        reach = slot * 0.45
        path = bezier(
            [(right, y - reach), (far, label_y - 2 * reach), (far, label_y + 2 * reach), (right, y + reach)]
        )
        label_x = right + LOOP_WIDTH + LABEL_GAP + loop.label_width / 2
        routes[index] = EdgePath(path, (label_x, label_y) if loop.label else None)
    return routes


def _ports(chains: Mapping[int, Chain], ends: Callable[[Chain], tuple[Item, Item]]) -> dict[int, float]:
    """Return the x at which each edge touches its node.

    Arrows at one side of a box are spread along it in the order in which they come.
    """
    sides: defaultdict[Item, list[tuple[float, int]]] = defaultdict(list)
    for index, chain in chains.items():
        box, following = ends(chain)
        sides[box].append((following.x, index))
    ports: dict[int, float] = {}
    for box, arrows in sides.items():
        step = min(_PORT_STEP, 2 * (box.left - _CORNER) / len(arrows))
        for place, (_, index) in enumerate(sorted(arrows)):
            ports[index] = box.x + (place - (len(arrows) - 1) / 2) * step
    return ports


def _route(chain: Chain, leaving_x: float, arriving_x: float) -> EdgePath:
    points = list(_apart(_passed(chain, leaving_x, arriving_x)))
    if chain.upward:
        points.reverse()
    return EdgePath(smooth(points), _label_at(chain))


def _label_at(chain: Chain) -> Point | None:
    if chain.label is None:
        return None
    return chain.label.x + LABEL_GAP + chain.label_width / 2, chain.label.middle


def _passed(chain: Chain, leaving_x: float, arriving_x: float) -> Iterator[Point]:
    """Yield the points from the upper node to the lower one."""
    top, *lanes, bottom = chain.items
    yield leaving_x, top.middle + top.height / 2
    yield leaving_x, top.bottom
    for lane in lanes:
        yield lane.x, lane.top
        yield lane.x, lane.bottom
    yield arriving_x, bottom.top
    yield arriving_x, bottom.middle - bottom.height / 2


def _apart(points: Iterable[Point]) -> Iterator[Point]:
    """Leave out points that lie no lower than the one before."""
    lowest = float("-inf")
    for x, y in points:
        if y > lowest + 0.05:
            lowest = y
            yield x, y


Point = tuple[float, float]


@dataclass(frozen=True)
class EdgePath:
    """The path of one edge."""

    path: str
    """Data of an SVG path; it ends at the tip of the arrow, on the border of the box it enters."""
    label_at: Point | None
    """The centre of the label; ``None`` without a label."""


@dataclass(frozen=True)
class Placement:
    """The result of a layout: node centres and edge paths.

    Both are in the diagram's order.
    """

    width: float
    height: float
    centres: tuple[Point, ...]
    routes: tuple[EdgePath, ...]


def bezier(points: Sequence[Point]) -> str:
    """Return a path of cubic curves.

    The points are its start and, for each curve, two control points and an end.
    """
    first, *rest = (f"{x:.1f},{y:.1f}" for x, y in points)
    return f"M{first}C{' '.join(rest)}" if rest else f"M{first}"


def smooth(points: Sequence[Point]) -> str:
    """Return a curve through points from top to bottom, or upwards.

    It starts and ends vertically.

    Between two points it never swings wider than they lie apart: it bends by the harmonic mean of the
    neighbouring slopes, as in monotone cubic interpolation (Fritsch and Carlson).
    """
    slopes = [(x2 - x1) / (y2 - y1) for (x1, y1), (x2, y2) in pairwise(points)]
    bends = [0.0, *map(_harmonic_mean, slopes, slopes[1:]), 0.0]
    path = [points[0]]
    for place, ((x1, y1), (x2, y2)) in enumerate(pairwise(points)):
        third = (y2 - y1) / 3
        path += [
            (x1 + bends[place] * third, y1 + third),
            (x2 - bends[place + 1] * third, y2 - third),
            (x2, y2),
        ]
    return bezier(path)


def _harmonic_mean(first: float, second: float) -> float:
    return 2 * first * second / (first + second) if first * second > 0 else 0.0

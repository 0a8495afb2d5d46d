"""Paths of edges between nodes in rows.

Rows follow each other along the flow: in here x is across the flow and y along it. What leaves this module
is in pixels of the picture, x to the right and y downwards.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from debugger.graph.diagram import Direction, EdgeLine
from debugger.graph.rows import Item

LABEL_HEIGHT = 16.0
LABEL_GAP = 5.0
"""Between an arrow and its label: to its right in a picture that flows down."""
LINE_GAP = 3.0
"""The same in a picture that flows right, where labels are above their arrows."""
LOOP_WIDTH = 26.0

_MARK_INSIDE = 3.0
"""So far from the end of its row a breakpoint is where boxes have badges on that side."""
_POINT = re.compile(r"(-?[\d.]+),(-?[\d.]+)")
_PORT_STEP = 16.0
_CORNER = 10.0
"""So far from a corner of its box an arrow keeps."""


@dataclass(eq=False)
class Chain:
    """An edge and the items that it passes, from top to bottom."""

    items: list[Item]
    upward: bool
    """Whether the arrow points from the lower box to the upper one."""
    label: Item
    """The one of the items that the label is beside."""
    label_room: float
    """The width of the label with the numbers before it."""


def chain_routes(chains: Mapping[int, Chain], direction: Direction) -> dict[int, EdgePath]:
    """Return the paths of edges between different nodes, by edge index."""
    leaving = _ports(chains, lambda chain: (chain.items[0], chain.items[1]))
    arriving = _ports(chains, lambda chain: (chain.items[-1], chain.items[-2]))
    return {
        index: _route(chain, leaving[index], arriving[index], direction) for index, chain in chains.items()
    }


def loop_routes(box: Item, loops: Mapping[int, EdgeLine], direction: Direction) -> dict[int, EdgePath]:
    """Return the paths of a node's edges to itself.

    They are one after the other at its far side across the flow; their labels are below each other.
    """
    side, far = box.x + box.left, box.x + box.left + LOOP_WIDTH * 4 / 3  # a curve goes 3/4 of the way
    slot = min(LABEL_HEIGHT, box.height / (len(loops) + 1))
    reach = slot * 0.45
    routes = {}
    for place, (index, loop) in enumerate(loops.items()):
        from_middle = place - (len(loops) - 1) / 2
        y = bend = box.middle + from_middle * slot
        label_x = side + LOOP_WIDTH + LABEL_GAP
        if direction == "down":
            bend = label_y = box.middle + from_middle * LABEL_HEIGHT
            label_x += loop.label_room / 2
        else:
            label_y = box.middle
            label_x += (place + 0.5) * LABEL_HEIGHT
        points = [(side, y - reach), (far, bend - 2 * reach), (far, bend + 2 * reach), (side, y + reach)]
        routes[index] = EdgePath(
            bezier([to_picture_point(point, direction) for point in points]),
            to_picture_point((label_x, label_y), direction),
            loop.label_room,
            to_picture_point((side + LOOP_WIDTH, bend), direction),
        )
    return routes


def to_picture_point(point: Point, direction: Direction) -> Point:
    """Return the picture's point for one across and along the flow."""
    return point if direction == "down" else (point[1], point[0])


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


def _route(chain: Chain, leaving_x: float, arriving_x: float, direction: Direction) -> EdgePath:
    points = list(_apart(_passed(chain, leaving_x, arriving_x)))
    if chain.upward:
        points.reverse()
    return EdgePath(
        bezier([to_picture_point(point, direction) for point in smooth(points)]),
        to_picture_point(_label_at(chain, direction), direction),
        max(chain.label_room, chain.label.bottom - chain.label.top)
        if direction == "right"
        else chain.label_room,
        to_picture_point(_mark_at(chain, direction), direction),
    )


def _mark_at(chain: Chain, direction: Direction) -> Point:
    """Return the end of the last lane that is further from the arrow's middle."""
    lane = chain.items[1] if chain.upward else chain.items[-2]
    inside = min(_MARK_INSIDE, (lane.bottom - lane.top) / 2)
    ends = lane.top + inside, lane.bottom - (0.0 if direction == "down" else inside)
    middle = (chain.items[0].bottom + chain.items[-1].top) / 2
    return lane.x, max(ends, key=lambda end: abs(end - middle))


def _label_at(chain: Chain, direction: Direction) -> Point:
    if direction == "down":
        return chain.label.x + LABEL_GAP + chain.label_room / 2, chain.label.middle
    return chain.label.x - LINE_GAP - LABEL_HEIGHT / 2, chain.label.middle


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
    label_at: Point
    """The centre of the place for the label and the numbers before it."""
    label_room: float
    """The width of that place."""
    mark_at: Point
    """The place of a breakpoint, on the path and near its end."""

    def moved(self, right: float, down: float) -> EdgePath:
        """Return the edge moved to the right and down."""
        (label_x, label_y), (mark_x, mark_y) = self.label_at, self.mark_at
        return replace(
            self,
            path=shift_path(self.path, right, down),
            label_at=(label_x + right, label_y + down),
            mark_at=(mark_x + right, mark_y + down),
        )


@dataclass(frozen=True)
class Placement:
    """The result of a layout: boxes and edge paths, in the diagram's order and in pixels of the picture."""

    width: float
    height: float
    centres: tuple[Point, ...]
    sizes: tuple[Point, ...]
    """Width and height of each box: a group is larger than its header."""
    routes: tuple[EdgePath, ...]
    inner: Mapping[int, Placement]
    """What is in each group, by the index of its box."""

    def moved(self, right: float, down: float) -> Placement:
        """Return everything moved to the right and down."""
        return replace(
            self,
            centres=tuple((x + right, y + down) for x, y in self.centres),
            routes=tuple(route.moved(right, down) for route in self.routes),
            inner={index: part.moved(right, down) for index, part in self.inner.items()},
        )

    def grown(self, width: float, height: float) -> Placement:
        """Return a picture with more room at the right and below."""
        return replace(self, width=self.width + width, height=self.height + height)


def bezier(points: Sequence[Point]) -> str:
    """Return a path of cubic curves.

    The points are its start and, for each curve, two control points and an end.
    """
    first, *rest = (f"{x:.1f},{y:.1f}" for x, y in points)
    return f"M{first}C{' '.join(rest)}" if rest else f"M{first}"


def shift_path(path: str, right: float, down: float) -> str:
    """Return a path moved to the right and down."""
    return _POINT.sub(lambda at: f"{float(at[1]) + right:.1f},{float(at[2]) + down:.1f}", path)


def smooth(points: Sequence[Point]) -> list[Point]:
    """Return a curve through points from top to bottom, or upwards.

    It starts and ends vertically, and is written as `bezier` takes it.

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
    return path


def _harmonic_mean(first: float, second: float) -> float:
    return 2 * first * second / (first + second) if first * second > 0 else 0.0

"""The result of a layout, in pixels of the picture: x to the right and y downwards."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

_POINT = re.compile(r"(-?[\d.]+),(-?[\d.]+)")

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
        """Return a copy of the edge, moved to the right and down by so many pixels."""
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
        """Return a copy with boxes, edges and groups moved to the right and down.

        Width and height of the picture stay.
        """
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

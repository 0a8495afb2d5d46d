"""Where a layout engine puts the boxes and arrows of a drawing. Pixels, x to the right, y downwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]


@dataclass(frozen=True)
class Route:
    """The way of one arrow."""

    path: str
    """Data of an SVG path; it ends at the tip of the arrow, on the border of the box it enters."""
    label_at: Point | None
    """The centre of the label; ``None`` without a label."""


@dataclass(frozen=True)
class Placement:
    """What an engine gives back: a centre for each box and a route for each arrow, in the drawing's order."""

    width: float
    height: float
    centres: tuple[Point, ...]
    routes: tuple[Route, ...]


def bezier(points: Sequence[Point]) -> str:
    """A path through a first point and, for each curve, two control points and an end."""
    first, *rest = (f"{x:.1f},{y:.1f}" for x, y in points)
    return f"M{first}C{' '.join(rest)}" if rest else f"M{first}"


def smooth(points: Sequence[Point]) -> str:
    """A curve through points that lie below (or above) each other, which leaves and arrives vertically.

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

"""Order and x positions of items in rows."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, pairwise
from typing import NamedTuple

_ORDER_SWEEPS = 12
_PLACE_SWEEPS = 10
_STRAIGHTEN_SWEEPS = 10
_MANY_ITEMS = 8_000
"""From so many on half the sweeps have to do: a person waits for the picture."""
GAP = 22.0
"""Between two boxes of a row."""
_LANE_GAP = 8.0
"""Between an arrow and what is beside it."""


class RowGaps(NamedTuple):
    """Room between two rows; more where links go far sideways."""

    least: float
    most: float
    per_pixel: float


WIDE_GAPS = RowGaps(15.0, 45.0, 0.06)
NARROW_GAPS = RowGaps(11.0, 34.0, 0.05)


@dataclass(eq=False, slots=True)
class Line:
    """The places of one arrow, which should have the same ``x``."""

    size: int
    total: float = 0.0
    """The sum of their ``x``, updated as they move."""


@dataclass(eq=False, slots=True)
class Item:
    """A box, or the place where an arrow passes through a row."""

    row: int
    left: float
    """How far it reaches to the left of ``x``."""
    right: float
    height: float = 0.0
    """Of the box itself; it is in the middle of its row."""
    room: float = 0.0
    """The least height of its row."""
    weight: float = 1.0
    """How strongly it keeps in line with its neighbours."""
    up: list[Item] = field(default_factory=list)
    down: list[Item] = field(default_factory=list)
    line: Line | None = None
    """The arrow that passes through; ``None`` of a box."""
    order: int = 0
    x: float = 0.0
    top: float = 0.0
    """Where its row begins, which is the same for all items of the row."""
    bottom: float = 0.0

    @property
    def middle(self) -> float:
        """Return the y of its centre."""
        return (self.top + self.bottom) / 2


Row = list[Item]


def arrange(rows: list[Row], gaps: RowGaps = WIDE_GAPS) -> None:
    """Sort the rows and place every item.

    Arrows cross as little as a few sweeps of the barycentre method achieve; then the items move towards their
    neighbours above and below as far as the room beside them allows.
    """
    share = 2 if sum(map(len, rows)) > _MANY_ITEMS else 1
    _number(rows)
    _untangle(rows, _ORDER_SWEEPS // share)
    for row in rows:
        offsets = _offsets(row)
        for item, offset in zip(row, offsets, strict=True):
            _move(item, offset - offsets[-1] / 2)
    for sweep in range(_PLACE_SWEEPS // share):
        downwards = sweep % 2 == 0
        for row in rows if downwards else reversed(rows):
            _settle(row, [_wanted(item, item.up if downwards else item.down) for item in row])
    for sweep in range(_STRAIGHTEN_SWEEPS // share):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            _settle(row, [_wanted(item, [*item.up, *item.down], is_straight=True) for item in row])
    _stack(rows, gaps)


def _untangle(rows: list[Row], sweeps: int) -> None:
    best, fewest = [list(row) for row in rows], _crossings(rows)
    for sweep in range(sweeps):
        if fewest == 0:
            break
        downwards = sweep % 2 == 0
        for row in rows if downwards else reversed(rows):
            row.sort(key=partial(_barycentre, downwards=downwards))
            _number([row])
        crossings = _crossings(rows)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    rows[:] = best
    _number(rows)


def _number(rows: Sequence[Row]) -> None:
    for row in rows:
        for order, item in enumerate(row):
            item.order = order


def _barycentre(item: Item, *, downwards: bool) -> float:
    neighbours = item.up if downwards else item.down
    if not neighbours:
        return item.order
    return sum(neighbour.order for neighbour in neighbours) / len(neighbours)


def _crossings(rows: Sequence[Row]) -> int:
    """Count the crossings between neighbouring rows."""
    total = 0
    for row in rows:
        passed: list[int] = []
        for item in row:
            ends = sorted(neighbour.order for neighbour in item.down)
            total += sum(len(passed) - bisect_left(passed, end + 1) for end in ends)
            for end in ends:
                insort(passed, end)
    return total


def _wanted(item: Item, neighbours: Sequence[Item], *, is_straight: bool = False) -> float:
    """Return the x that the neighbours want, and the arrow's other places."""
    weight = sum(neighbour.weight for neighbour in neighbours)
    total = sum(neighbour.x * neighbour.weight for neighbour in neighbours)
    if item.line is not None and is_straight:
        weight += item.line.size * item.weight
        total += item.line.total * item.weight
    return total / weight if weight else item.x


def _move(item: Item, x: float) -> None:
    if item.line is not None:
        item.line.total += x - item.x
    item.x = x


def _settle(row: Row, wanted: Sequence[float]) -> None:
    """Move a row's items as close to the wanted places as possible.

    This is least squares under "each at least so far right of the one before": items that push each other
    form a block, and a block is placed where its members want to be on average.
    """
    offsets = _offsets(row)
    blocks: list[tuple[float, float, int]] = []  # position, weight, number of items
    for item, goal, offset in zip(row, wanted, offsets, strict=True):
        position, weight, size = goal - offset, item.weight, 1
        while blocks and blocks[-1][0] > position:
            other, other_weight, other_size = blocks.pop()
            position = (position * weight + other * other_weight) / (weight + other_weight)
            weight, size = weight + other_weight, size + other_size
        blocks.append((position, weight, size))
    positions = [position for position, _, size in blocks for _ in range(size)]
    for item, position, offset in zip(row, positions, offsets, strict=True):
        _move(item, position + offset)


def _offsets(row: Row) -> list[float]:
    steps = (
        item.right + (GAP if item.line is None and following.line is None else _LANE_GAP) + following.left
        for item, following in pairwise(row)
    )
    return list(accumulate(steps, initial=0.0))


def _stack(rows: list[Row], gaps: RowGaps) -> None:
    top = 0.0
    for row in rows:
        bottom = top + max(item.room for item in row)
        for item in row:
            item.top, item.bottom = top, bottom
        sideways = max((abs(item.x - below.x) for item in row for below in item.down), default=0.0)
        top = bottom + min(gaps.most, gaps.least + gaps.per_pixel * sideways)

"""The layout engine: boxes in layers, arrows in lanes between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from debugger.graph.back_edges import Pair, find_back_edges
from debugger.graph.diagram import HEADER_HEIGHT, Diagram, Direction, EdgeLine, NodeBox
from debugger.graph.edge_paths import (
    LABEL_GAP,
    LABEL_HEIGHT,
    LINE_GAP,
    LOOP_WIDTH,
    Chain,
    Placement,
    chain_routes,
    loop_routes,
    to_picture_point,
)
from debugger.graph.rows import GAP, NARROW_GAPS, WIDE_GAPS, Item, Line, Row, arrange

_LANE = 5.0
"""The room on either side of an arrow that passes through a row."""
_LANE_WEIGHT = 8.0
"""Arrows keep straight sooner than boxes keep in line."""
_LINE_WIDTH = 700.0
"""Of a line of boxes without arrows to others, where the rest is no wider."""
_MARGIN = 14.0
"""Around the picture; badges are on the borders of the boxes."""
_BADGES = 4.0
"""More room above a label, as the badges below a box need it."""

Size = tuple[float, float]
"""Width and height of the picture."""

Loops = Mapping[int, Mapping[int, EdgeLine]]
"""For each box, its arrows to itself by their index."""


def place(drawing: Diagram) -> Placement:
    """Lay a diagram out in its direction.

    Boxes are in layers, with a row for labels between each two. An arrow that spans several layers has a
    lane of its own in each, so no arrow runs through a box and no label covers anything. Arrows that close a
    cycle point back. Boxes without arrows to others are below the rest. What is in a group is placed first:
    it determines the size of the group's box.
    """
    inner = {index: place(part) for index, part in drawing.inner.items()}
    boxes = list(drawing.boxes)
    for index, part in inner.items():
        width, height = max(boxes[index].width, part.width), part.height + HEADER_HEIGHT
        boxes[index] = replace(boxes[index], width=width, height=height)
    placement = _place_level(replace(drawing, boxes=tuple(boxes)))
    for index, part in inner.items():
        x, y = placement.centres[index]
        corner = x - part.width / 2, y - placement.sizes[index][1] / 2 + HEADER_HEIGHT
        inner[index] = part.moved(*corner)
    return replace(placement, inner=inner)


def _place_level(drawing: Diagram) -> Placement:
    """Lay out boxes whose sizes are known."""
    direction = drawing.direction
    loops = _loops(drawing.arrows)
    levels, upward = _levels(drawing)
    items = [
        _box_item(box, 2 * level, list(loops.get(index, {}).values()), direction)
        for index, (box, level) in enumerate(zip(drawing.boxes, levels, strict=True))
    ]
    chains = {
        index: _chain(arrow, items, direction, upward=index in upward)
        for index, arrow in enumerate(drawing.arrows)
        if arrow.source != arrow.target
    }
    rows = _rows([item for item in items if item.down or item.up], chains.values())
    arrange(rows, WIDE_GAPS if direction == "down" else NARROW_GAPS)
    _move_to_margin(rows)
    loose = [item for item in items if not (item.down or item.up)]
    _place_loose(loose, _size([item for row in rows for item in row], direction), direction)
    routes = chain_routes(chains, direction)
    for index, arrows in loops.items():
        routes |= loop_routes(items[index], arrows, direction)
    width, height = _size([*(item for row in rows for item in row), *loose], direction)
    return Placement(
        width=width + _MARGIN,
        height=height + _MARGIN,
        centres=tuple(to_picture_point((item.x, item.middle), direction) for item in items),
        sizes=tuple((box.width, box.height) for box in drawing.boxes),
        routes=tuple(routes[index] for index in range(len(drawing.arrows))),
        inner={},
    )


def lanes(drawing: Diagram) -> int:
    """Return the number of lanes, which determines time and memory of `place`."""
    levels, _ = _levels(drawing)
    spans = (abs(levels[arrow.source] - levels[arrow.target]) for arrow in drawing.arrows)
    return sum(2 * span - 1 for span in spans if span)


def _loops(arrows: Sequence[EdgeLine]) -> Loops:
    loops: defaultdict[int, dict[int, EdgeLine]] = defaultdict(dict)
    for index, arrow in enumerate(arrows):
        if arrow.source == arrow.target:
            loops[arrow.source][index] = arrow
    return loops


def _levels(drawing: Diagram) -> tuple[list[int], set[int]]:
    links = [
        (index, arrow.source, arrow.target)
        for index, arrow in enumerate(drawing.arrows)
        if arrow.source != arrow.target
    ]
    levels, upward = layers(len(drawing.boxes), [(source, target) for _, source, target in links])
    return levels, {links[place][0] for place in upward}


def _box_item(box: NodeBox, row: int, loops: Sequence[EdgeLine], direction: Direction) -> Item:
    labels = [loop.label_room for loop in loops]
    if direction == "down":
        beside = LOOP_WIDTH + LABEL_GAP + max(labels) if labels else 0.0
        room = max(box.height, LABEL_HEIGHT * len(labels))
        return Item(row, left=box.width / 2, right=box.width / 2 + beside, height=box.height, room=room)
    below = LOOP_WIDTH + LABEL_GAP + LABEL_HEIGHT * len(labels) if labels else 0.0
    room = max(box.width, *labels) if labels else box.width
    return Item(row, left=box.height / 2, right=box.height / 2 + below, height=box.width, room=room)


def _place_loose(items: Sequence[Item], size: Size, direction: Direction) -> None:
    """Place boxes without arrows to others, below a picture of that size."""
    width = max(_LINE_WIDTH, size[0])
    x, top, bottom = _MARGIN, size[1] + (GAP if size[1] else _MARGIN), 0.0
    for item in items:
        across, along = item.left + item.right, item.room
        wide, high = (across, along) if direction == "down" else (along, across)
        if x > _MARGIN and x + wide > width:
            x, top = _MARGIN, bottom + GAP
        bottom = max(bottom, top + high)
        first, begin = (x, top) if direction == "down" else (top, x)
        item.x, item.top, item.bottom = first + item.left, begin, begin + along
        x += wide + GAP


def _size(items: Sequence[Item], direction: Direction) -> Size:
    across = max((item.x + item.right for item in items), default=0.0)
    return to_picture_point((across, max((item.bottom for item in items), default=0.0)), direction)


def _chain(arrow: EdgeLine, items: Sequence[Item], direction: Direction, *, upward: bool) -> Chain:
    """Connect two boxes by a lane in every row between them."""
    ends = items[arrow.source], items[arrow.target]
    top, bottom = reversed(ends) if upward else ends
    line = Line(size=bottom.row - top.row - 1)
    lanes = [
        Item(row=row, left=_LANE, right=_LANE, weight=_LANE_WEIGHT, line=line)
        for row in range(top.row + 1, bottom.row)
    ]
    label = lanes[_label_place(len(lanes), direction)]
    if direction == "down":
        label.right, label.room = LABEL_GAP + arrow.label_room + _LANE, LABEL_HEIGHT
    else:
        label.left, label.room = LINE_GAP + LABEL_HEIGHT + _BADGES, arrow.label_room
    passed = [top, *lanes, bottom]
    for above, below in pairwise(passed):
        above.down.append(below)
        below.up.append(above)
    return Chain(passed, upward=upward, label=label, label_room=arrow.label_room)


def _label_place(count: int, direction: Direction) -> int:
    """Return which of an arrow's lanes its label is beside.

    One in a row of labels, at an even place. Where the picture flows right, an arrow that passes boxes has it
    there: the rows of boxes are as wide as most labels, so these make the picture no wider.
    """
    if direction == "down" or count == 1:
        return (count - 1) // 4 * 2
    return (count - 1) // 4 * 2 + 1


def _rows(boxes: Iterable[Item], chains: Iterable[Chain]) -> list[Row]:
    rows: defaultdict[int, Row] = defaultdict(list)
    for item in boxes:
        rows[item.row].append(item)
    for chain in chains:
        for lane in chain.items[1:-1]:
            rows[lane.row].append(lane)
    return [rows[row] for row in sorted(rows)]


def _move_to_margin(rows: Sequence[Row]) -> None:
    leftmost = min((item.x - item.left for row in rows for item in row), default=0.0)
    for row in rows:
        for item in row:
            item.x += _MARGIN - leftmost
            item.top += _MARGIN
            item.bottom += _MARGIN


def layers(count: int, pairs: Sequence[Pair]) -> tuple[list[int], frozenset[int]]:
    """Assign each box a layer so that arrows point down.

    Args:
        count: How many boxes there are; the first one is where the picture begins.
        pairs: The arrows between different boxes.

    Returns:
        The layer of each box, from 0, and the indices of the arrows that close a cycle and so point up.
    """
    upward = find_back_edges(count, pairs)
    down = [pair for place, pair in enumerate(pairs) if place not in upward]
    nexts: list[list[int]] = [[] for _ in range(count)]
    for source, target in down:
        nexts[source].append(target)
    found = [0] * count
    for box in _from_the_top(nexts):
        for target in nexts[box]:
            found[target] = max(found[target], found[box] + 1)
    entered = {target for _, target in down}
    for box, targets in enumerate(nexts):  # boxes without incoming arrows are right above their successors
        if box and targets and box not in entered:
            found[box] = min(found[target] for target in targets) - 1
    return found, upward


def _from_the_top(nexts: list[list[int]]) -> list[int]:
    """Return the boxes in topological order; there must be no cycle."""
    awaited = [0] * len(nexts)
    for targets in nexts:
        for target in targets:
            awaited[target] += 1
    order = [box for box, arrows in enumerate(awaited) if arrows == 0]
    for box in order:  # grows while it is walked
        for target in nexts[box]:
            awaited[target] -= 1
            if awaited[target] == 0:
                order.append(target)
    return order

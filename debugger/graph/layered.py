"""The layout engine: boxes in layers, arrows in lanes between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from debugger.graph.diagram import Diagram, EdgeLine, NodeBox
from debugger.graph.edge_paths import (
    LABEL_GAP,
    LABEL_HEIGHT,
    LOOP_WIDTH,
    Chain,
    Placement,
    chain_routes,
    loop_routes,
)
from debugger.graph.rows import GAP, Item, Line, Row, arrange

_LANE = 7.0
"""The room on either side of an arrow that passes through a row."""
_LANE_WEIGHT = 8.0
"""Arrows keep straight sooner than boxes keep in line."""
_SINGLES_WIDTH = 700.0
_MARGIN = 6.0

Loops = Mapping[int, Mapping[int, EdgeLine]]
"""For each box, its arrows to itself by their index."""


def place(drawing: Diagram) -> Placement:
    """Lay a diagram out from top to bottom.

    Boxes stand in layers, with a row for labels between each two. An arrow that spans several layers has a
    lane of its own in each, so no arrow runs through a box and no label covers anything. Arrows that close a
    cycle point up. Boxes without arrows to others stand below the rest.
    """
    loops = _loops(drawing.arrows)
    levels, upward = _levels(drawing)
    items = [
        _box_item(box, 2 * level, loops.get(index, {}).values())
        for index, (box, level) in enumerate(zip(drawing.boxes, levels, strict=True))
    ]
    chains = {
        index: _chain(arrow, items, upward=index in upward)
        for index, arrow in enumerate(drawing.arrows)
        if arrow.source != arrow.target
    }
    rows = _rows(items, chains.values())
    arrange(rows)
    _move_to_margin(rows)
    routes = chain_routes(chains)
    for index, arrows in loops.items():
        routes |= loop_routes(items[index], arrows)
    return Placement(
        width=max((item.x + item.right for row in rows for item in row), default=0.0) + _MARGIN,
        height=max((row[0].bottom for row in rows), default=0.0) + _MARGIN,
        centres=tuple((item.x, item.middle) for item in items),
        routes=tuple(routes[index] for index in range(len(drawing.arrows))),
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
    linked = {end for _, *ends in links for end in ends}
    singles = [index for index in range(len(drawing.boxes)) if index not in linked]
    lowest = max((levels[index] for index in linked), default=-1)
    for index, line in zip(singles, _lines([drawing.boxes[index] for index in singles]), strict=True):
        levels[index] = lowest + 1 + line
    return levels, {links[place][0] for place in upward}


def _lines(boxes: Iterable[NodeBox]) -> Iterator[int]:
    """Yield the line of each box, filling line by line."""
    line, used = 0, 0.0
    for box in boxes:
        used += box.width + GAP
        if used > _SINGLES_WIDTH and used > box.width + GAP:
            line, used = line + 1, box.width + GAP
        yield line


def _box_item(box: NodeBox, row: int, loops: Iterable[EdgeLine]) -> Item:
    labels = [loop.label_width for loop in loops]
    beside = LOOP_WIDTH + LABEL_GAP + max(labels) if labels else 0.0
    return Item(
        row=row,
        left=box.width / 2,
        right=box.width / 2 + beside,
        height=box.height,
        room=max(box.height, LABEL_HEIGHT * len(labels)),
    )


def _chain(arrow: EdgeLine, items: Sequence[Item], *, upward: bool) -> Chain:
    """Connect two boxes by a lane in every row between them."""
    ends = items[arrow.source], items[arrow.target]
    top, bottom = reversed(ends) if upward else ends
    line = Line(size=bottom.row - top.row - 1)
    lanes = [_lane(row, line) for row in range(top.row + 1, bottom.row)]
    label = None
    if arrow.label:
        label = lanes[(len(lanes) - 1) // 4 * 2]  # an even index: the rows of labels
        label.right = LABEL_GAP + arrow.label_width + _LANE
        label.room = LABEL_HEIGHT
    passed = [top, *lanes, bottom]
    for above, below in pairwise(passed):
        above.down.append(below)
        below.up.append(above)
    return Chain(passed, upward=upward, label=label, label_width=arrow.label_width)


def _lane(row: int, line: Line) -> Item:
    return Item(row=row, left=_LANE, right=_LANE, weight=_LANE_WEIGHT, line=line)


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


Pair = tuple[int, int]
"""Source and target of an arrow, as indices of boxes."""


def layers(count: int, pairs: Sequence[Pair]) -> tuple[list[int], frozenset[int]]:
    """Assign each box a layer so that arrows point down.

    Args:
        count: How many boxes there are; the first one is where the picture begins.
        pairs: The arrows between different boxes.

    Returns:
        The layer of each box, from 0, and the indices of the arrows that close a cycle and so point up.
    """
    upward = _upward(count, pairs)
    down = [pair for place, pair in enumerate(pairs) if place not in upward]
    nexts = _successors(count, down)
    order = _from_the_top(nexts)
    found = [0] * count
    for box in order:
        for target in nexts[box]:
            found[target] = max(found[target], found[box] + 1)
    _lower_roots(found, nexts, {target for _, target in down})
    return found, upward


def _upward(count: int, pairs: Sequence[Pair]) -> frozenset[int]:
    """Return the arrows that close a cycle, found depth first."""
    leaving: list[list[int]] = [[] for _ in range(count)]
    for place, (source, _) in enumerate(pairs):
        leaving[source].append(place)
    entered = {target for _, target in pairs}
    roots = sorted(range(count), key=lambda box: (box != 0, box in entered))
    upward: set[int] = set()
    done: set[int] = set()
    for root in roots:
        if root not in done:
            upward.update(_walk(root, leaving, pairs, done))
    return frozenset(upward)


def _walk(root: int, leaving: list[list[int]], pairs: Sequence[Pair], done: set[int]) -> Iterator[int]:
    """Yield the arrows that lead back, without recursion."""
    open_boxes = {root}
    trail = [(root, iter(leaving[root]))]
    while trail:
        box, arrows = trail[-1]
        place = next(arrows, None)
        if place is None:
            trail.pop()
            open_boxes.discard(box)
            done.add(box)
            continue
        target = pairs[place][1]
        if target in open_boxes:
            yield place
        elif target not in done:
            open_boxes.add(target)
            trail.append((target, iter(leaving[target])))


def _successors(count: int, pairs: Sequence[Pair]) -> list[list[int]]:
    nexts: list[list[int]] = [[] for _ in range(count)]
    for source, target in pairs:
        nexts[source].append(target)
    return nexts


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


def _lower_roots(found: list[int], nexts: list[list[int]], entered: set[int]) -> None:
    """Move boxes without incoming arrows down to their successors."""
    for box, targets in enumerate(nexts):
        if box and targets and box not in entered:
            found[box] = min(found[target] for target in targets) - 1

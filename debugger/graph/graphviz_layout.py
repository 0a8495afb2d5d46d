"""The layout engine: Graphviz, in a process of its own.

The program gets rectangles and no texts: a box is as large as it is drawn, with the badges on its borders,
and a label is a table of a fixed size. Boxes are ``n0``, ``n1`` and so on, edges ``e0`` and so on, in the
diagram's order.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, pairwise, product
from pathlib import Path
from typing import Any, Final, NamedTuple

from debugger.errors import DebuggerError, InputError
from debugger.graph.back_edges import find_back_edges
from debugger.graph.diagram import HEADER_HEIGHT, BoxKind, Diagram, Direction, EdgeLine
from debugger.graph.graphviz_program import LAYOUT, find_program, run_program
from debugger.graph.placement import EdgePath, Placement, Point, bezier

CPU_SECONDS: Final = 2
"""The time that a layout may compute; a graph whose edges lead far back can take hours."""
SECONDS: Final = 10.0
"""The time that it may take on a busy machine, or one that cannot limit the other."""

_POINTS = 72.0
"""A pixel of the page is a point of Graphviz, whose sizes are in inches."""
_NODE_GAP = 1.0
"""Between boxes with their badges, across the flow."""
_RANK_GAP = 8.0
"""Between a row of boxes and a row of labels; Graphviz has no smaller one, whatever ``ranksep`` is."""
_GROUP_MARGIN = 8.0
"""Between the border of a group and what is in it."""
_GROUP_BADGES = 8.0
"""Around an opened super node."""
_LABEL_HEIGHT, _LABEL_GAP = 13.0, 5.0
"""The height of a label, and the room on both sides of it across the flow."""
_LOOP_GAP = 9.5
"""The room on both sides of the label of a loop: the breakpoint is between it and the box."""
_LOOP_SIDE, _LOOP_STEP, _LOOP_CORNER = 8.0, 9.0, 6.0
"""Half the height of a loop, by how much more one around it has, and the radius of its corners."""
_SHAPES: Final[dict[Direction, float]] = {"down": 1.75, "right": 0.35}
"""The wanted size across the flow, in shares of the size along it: about as the panes of the page."""
_LEAST_SHARE = 0.75
"""A picture is not made narrower than by this share."""
_MOST_TIGHT = 100
"""A picture of more edges is not made tight: its whole cannot be read anyway, and its edges need room."""
_MARGIN = 5.0
_LOOSE_WIDTH, _LOOSE_GAP = 700.0, 8.0
"""Of the rows of boxes without arrows, where the rest is no wider, and between such boxes."""
_MARK = 9.0
"""Width and height of the breakpoint on an edge."""
_MARK_FIRST, _MARK_STEP = 14.0, 1.0
"""So far from its tip an edge has its breakpoint, and by so much further back while something is there."""
_STEPS = 20
"""Into so many lines a curve is divided to find a place on it."""
_CELL = 64.0
_SQUARE, _NEAR = 1.5, 0.3
"""The side of the squares by which edges are looked for in labels, and so close one may be at a label."""
_FURTHEST = 24
_AWAY: Final = sorted(
    ((dx, dy) for dx in range(-_FURTHEST, _FURTHEST + 1, 2) for dy in range(-_FURTHEST, _FURTHEST + 1, 2)),
    key=lambda way: math.hypot(*way),
)
"""Moves of a label that an edge crosses, the nearest first."""


class Frame(NamedTuple):
    """A rectangle of the picture."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, centre: Point, width: float, height: float) -> Frame:
        """Return the rectangle of that size around a point."""
        x, y = centre
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    @property
    def centre(self) -> Point:
        """Return the point in the middle."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def size(self) -> Point:
        """Return width and height."""
        return self.right - self.left, self.bottom - self.top

    def overlaps(self, other: Frame) -> bool:
        """Return whether two rectangles have an area in common."""
        is_beside = self.right <= other.left or other.right <= self.left
        return not is_beside and self.top < other.bottom and other.top < self.bottom


Room = tuple[float, float, float, float]
"""At the left, above, at the right and below a box."""

_BADGES: Room = (4.0, 9.5, 4.0, 3.5)
"""The room that badges take around a box."""
_ROOMS: dict[Direction, Room] = {
    "down": (_BADGES[0], 5.2, _BADGES[2], 0.0),
    "right": (0.0, _BADGES[1], 0.2, _BADGES[3]),
}
"""The room around a box that the program is told of: along the flow the rest is in the gap to the labels."""
_LOW: Final[dict[Direction, float]] = {"down": 2.0, "right": 0.0}
"""Pixels by which a label is smaller for the program than drawn, at both sides along the flow."""


def badge_frames(box: Frame, kind: BoxKind = "node") -> tuple[Frame, ...]:
    """Return where a box can have badges: numbers, chips and pin at its top, a breakpoint below.

    A companion thread has none.
    """
    left, top, right, bottom = box
    frames = (
        Frame(left - 4, top - 9.5, right + 4, top + 3.5),
        Frame(left - 4, bottom - 8.5, left + 8, bottom + 3.5),
    )
    return () if kind == "thread" else frames


def place(drawing: Diagram) -> Placement:
    """Lay a diagram out in its direction.

    The first box is first along the flow. Groups are clusters, and an edge to a node in one leads to the node
    itself. Boxes without arrows are where there is room, or in rows below the rest, and need no program.

    Raises:
        UnsupportedError: There is no program.
        InputError: The graph takes more time or memory than a layout may take.
        DebuggerError: What is written is no layout of the graph.
    """
    graph = _Graph(drawing)
    try:
        answer = _answer(graph)
        frames = graph.box_frames(answer)
        routes = _Routes(graph, frames, answer)
        paths = routes.all()
        frames |= graph.loose_frames(answer.size, routes)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise DebuggerError(
            f"What {Path(find_program(LAYOUT) or '').name} writes is no layout of the workflow.",
            advice="Is it Graphviz? The table shows the same.",
        ) from error
    width, height = answer.size
    for frame in frames.values():
        width, height = max(width, frame.right + _BADGES[2]), max(height, frame.bottom + _BADGES[3])
    placement = _placement(drawing, graph.names, frames, iter(paths), (width, height))
    return placement.moved(_MARGIN, _MARGIN).grown(2 * _MARGIN, 2 * _MARGIN)


def _answer(graph: _Graph) -> _Answer:
    """Return what the program lays out: a second time, closer together, where the first is out of shape.

    It makes straight edges rather than narrow pictures.
    """
    if graph.is_loose:
        return _Answer({})
    answer = _run(graph.dot())
    across, along = answer.size[:: -1 if graph.direction == "right" else 1]
    most = max(_SHAPES[graph.direction] * along, _LEAST_SHARE * across)
    if across > most + 1 and graph.is_tight:
        with suppress(InputError):
            return _run(graph.dot(most))
    return answer


def _run(source: str) -> _Answer:
    return _Answer(json.loads(run_program(source, LAYOUT, seconds=SECONDS, cpu_seconds=CPU_SECONDS)))


class _Graph:
    """A diagram by the names that it has in DOT."""

    def __init__(self, drawing: Diagram) -> None:
        """Name boxes and groups, and find turned edges, boxes without arrows and the room that loops need.

        An edge whose end has no box raises ``KeyError``.
        """
        self._drawing = drawing
        self.direction = drawing.direction
        parts = list(drawing.parts())
        boxes = [box for part in parts for box in part.boxes]
        self.names = {box.id: f"n{place}" for place, box in enumerate(boxes)}
        """Of boxes, by their ids."""
        self._boxes = {self.names[box.id]: box for box in boxes}
        self.arrows = [arrow for part in parts for arrow in part.arrows]
        self.is_tight = len(self.arrows) <= _MOST_TIGHT
        self._left = {self.names[arrow.ends[0]] for arrow in self.arrows}
        self.groups: dict[str, tuple[str, ...]] = {}
        """By the name of a group the names of all that is in it, the node by which it is entered first."""
        for part in parts:
            for index, inner in part.inner.items():
                members = [box.id for level in inner.parts() for box in level.boxes]
                if members:
                    name = self.names[part.boxes[index].id]
                    self.groups[name] = tuple(self.names[member] for member in members)
        self.turned = frozenset(self._turned())
        """The edges that the program is told of the other way round: it knows no cycle through a cluster."""
        ends = {arrow.source for arrow in drawing.arrows} | {arrow.target for arrow in drawing.arrows}
        self._loose = [
            index
            for index, box in enumerate(drawing.boxes)
            if index not in ends and self.names[box.id] not in self.groups
        ]
        self._loops: defaultdict[str, float] = defaultdict(float)
        """By the name of a box the room of the widest label of its loops."""
        for arrow in self.arrows:
            source, target = self.ends(arrow)
            if source == target:
                self._loops[source] = max(self._loops[source], arrow.label_room)
        first: dict[str, int] = {}
        for place, arrow in enumerate(self.arrows):
            first.setdefault(self.ends(arrow)[1], place)
        self._first = frozenset(first.values())
        self.is_loose = len(self._loose) == len(drawing.boxes)
        """Whether no box has an arrow."""

    def dot(self, most_across: float = 0.0) -> str:
        """Return the graph in DOT.

        Args:
            most_across: Where it is to be no wider across the flow, if that is possible.
        """
        flow = "TB" if self.direction == "down" else "LR"
        shape = f'ratio=compress size="{_inches(most_across)},{_inches(most_across)}"' if most_across else ""
        lines = [
            f"graph[rankdir={flow} nodesep={_inches(_NODE_GAP)} ranksep={_inches(2 * _RANK_GAP)}]",
            f"graph[splines=spline compound=true labeljust=l {shape}]",
            'node[shape=box fixedsize=true label=""]',
            "edge[dir=none]",
            *self._level(self._drawing, frozenset(self._loose)),
        ]
        if self._drawing.boxes and 0 not in self._loose and "n0" not in self.groups:
            lines.append("{rank=source;n0}")
        lines += [self._edge(place, arrow) for place, arrow in enumerate(self.arrows)]
        return "digraph{\n" + "\n".join(lines) + "\n}\n"

    def _level(self, part: Diagram, left_out: frozenset[int] = frozenset()) -> Iterator[str]:
        """Yield the lines of DOT for the boxes of a level, groups as clusters.

        Boxes left out, by index, are skipped unless they are groups.
        """
        for index, box in enumerate(part.boxes):
            name = self.names[box.id]
            if name in self.groups:
                if box.kind == "super_node":  # its badges need room, and a cluster has none around it
                    yield f'subgraph cluster_around_{name}{{graph[margin={_GROUP_BADGES:g} label=""]'
                yield f"subgraph cluster_{name}{{"
                yield f"graph[margin={_GROUP_MARGIN:g} label={_table(box.width, HEADER_HEIGHT)}]"
                yield from self._level(part.inner[index])
                yield "}" if box.kind == "thread" else "}}"
            elif index not in left_out:
                width, height = self._size(name)
                yield f"{name}[width={_inches(width)} height={_inches(height)}]"

    def _edge(self, place: int, arrow: EdgeLine) -> str:
        """Return an edge in DOT, with a label of its size, from border to border of the groups at its ends.

        One of `turned` is written the other way round.
        """
        source, target = (self.names[end] for end in arrow.ends)
        across, along = 2 * (_LOOP_GAP if source == target else _LABEL_GAP), 0.0
        if self.is_tight:
            along = -2 * _LOW[self.direction]
        if self.direction == "right":
            across, along = along, across
        size = arrow.label_room + across, _LABEL_HEIGHT + along
        attributes = [f"id=e{place}", f"label={_table(*size)}"]
        if place in self._first:
            attributes.append("weight=2")
        if place in self.turned:
            source, target = target, source
        begin = self._entry(source)
        if self.is_border(source, target):
            attributes.append(f"ltail=cluster_{source}")
            begin = self._exit(source)
        if self.is_border(target, source):
            attributes.append(f"lhead=cluster_{target}")
        return f"{begin}->{self._entry(target)}[{' '.join(attributes)}]"

    def _turned(self) -> Iterator[int]:
        """Yield the edges to and from groups that lead back, by their place among the edges of all levels."""
        first = 0
        for part in self._drawing.parts():
            straight = [place for place, arrow in enumerate(part.arrows) if arrow.source != arrow.target]
            pairs = [(part.arrows[place].source, part.arrows[place].target) for place in straight]
            for back in find_back_edges(len(part.boxes), pairs):
                if part.inner.keys() & set(pairs[back]):
                    yield first + straight[back]
            first += len(part.arrows)

    def is_border(self, end: str, other: str) -> bool:
        """Return whether an edge ends at the border of a group, which one from inside it cannot."""
        return end in self.groups and other != end and other not in self.groups[end]

    def _entry(self, name: str) -> str:
        """Return the node itself, or the one by which a group is entered."""
        while name in self.groups:
            name = self.groups[name][0]
        return name

    def _exit(self, name: str) -> str:
        """Return the node itself, or one at the end of a group, so that what follows is beyond the group.

        That is the last of its nodes that no edge leaves, else the last of all.
        """
        if name not in self.groups:
            return name
        nodes = [member for member in self.groups[name] if member not in self.groups]
        ends = [member for member in nodes if member not in self._left]
        return (ends or nodes)[-1]

    def ends(self, arrow: EdgeLine) -> tuple[str, str]:
        """Return the names of the boxes or groups at whose borders an edge ends.

        An edge from inside a group to that group ends at the node by which it is entered.
        """
        source, target = (self.names[end] for end in arrow.ends)
        return (
            source if self.is_border(source, target) else self._entry(source),
            target if self.is_border(target, source) else self._entry(target),
        )

    def box_frames(self, answer: _Answer) -> dict[str, Frame]:
        """Return the rectangles of boxes and groups by their names, without the room for badges.

        What the program has not placed is not in it.
        """
        left, above, right, below = _ROOMS[self.direction]
        frames = {}
        for name, frame in answer.frames().items():
            if name not in self.groups:
                x, y = frame.centre
                frame = self._frame(name, (x + (left - right) / 2, y + (above - below) / 2))
            frames[name] = frame
        return frames

    def _frame(self, name: str, centre: Point) -> Frame:
        box = self._boxes[name]
        return Frame.around(centre, box.width, box.height)

    def kind(self, name: str) -> BoxKind:
        """Return what a box is, by its name."""
        return self._boxes[name].kind

    def _size(self, name: str) -> Point:
        """Return the size of a box with the room around it, in which the labels of its loops fit.

        Only in the direction ``right`` are loops considered: there they are above the box.
        """
        left, above, right, below = _ROOMS[self.direction]
        box = self._boxes[name]
        width = left + box.width + right
        if self.direction == "right":
            width = max(width, self._loops.get(name, 0.0))
        return width, above + box.height + below

    def loose_frames(self, size: Point, routes: _Routes) -> dict[str, Frame]:
        """Return the rectangles of boxes without arrows.

        Each is as far down and left as there is room for it in a picture of that size, else in a row below.
        """
        frames = {}
        rows = _Rows(size, routes) if self._loose and not self.is_loose else None
        left, above, right, below = _BADGES
        x, top, bottom = 0.0, size[1] + _LOOSE_GAP if size[1] else 0.0, 0.0
        for index in self._loose:
            name = self.names[self._drawing.boxes[index].id]
            box = self._boxes[name]
            across, along = left + box.width + right, above + box.height + below
            corner = rows.take(across, along) if rows else None
            if corner is None:
                if x and x + across > max(_LOOSE_WIDTH, size[0]):
                    x, top = 0.0, bottom + _LOOSE_GAP
                corner = x, top
                x, bottom = x + across + _LOOSE_GAP, max(bottom, top + along)
            frames[name] = self._frame(
                name, (corner[0] + left + box.width / 2, corner[1] + above + box.height / 2)
            )
        return frames


class _Rows:
    """Taken places of a picture, in rows of small squares: a bit for each, the lowest at the left."""

    def __init__(self, size: Point, routes: _Routes) -> None:
        self._count = int(size[0] // _LOOSE_GAP)
        self._rows = [0] * int(size[1] // _LOOSE_GAP)
        for frame in routes.covered():
            self._fill(frame)

    def take(self, width: float, height: float) -> Point | None:
        """Return the left upper corner of a free place, and take it; ``None`` where there is none.

        The lowest place comes first, then the leftmost; a square around it is free, too.
        """
        across, along = (math.ceil(side / _LOOSE_GAP) + 2 for side in (width, height))  # with a square around
        if across > self._count:
            return None
        for top in range(len(self._rows) - along, -1, -1):
            taken = 0
            for row in self._rows[top : top + along]:
                taken |= row
            free = ~taken & ((1 << self._count) - 1)
            run = 1
            while run < across and free:  # the bits at which so many free ones begin
                step = min(run, across - run)
                free &= free >> step
                run += step
            if free:
                left = (free & -free).bit_length() - 1
                x, y = (left + 1) * _LOOSE_GAP, (top + 1) * _LOOSE_GAP
                self._fill(Frame(x, y, x + width, y + height))
                return x, y
        return None

    def _fill(self, frame: Frame) -> None:
        left, top, right, bottom = (math.floor(side / _LOOSE_GAP) for side in frame)
        bits = (1 << max(0, right + 1)) - (1 << max(0, left))
        for row in range(max(0, top), min(len(self._rows), bottom + 1)):
            self._rows[row] |= bits


class _Answer:
    """A layout as the program writes it, with y downwards."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Read the size and the edges of a layout; a document without any is an empty picture.

        One of another form raises ``KeyError``, ``ValueError``, ``TypeError`` or ``AttributeError``.
        """
        self._objects: Sequence[Mapping[str, Any]] = document.get("objects", ())
        edges: Sequence[Mapping[str, Any]] = document.get("edges", ())
        self._edges = {edge["id"]: edge for edge in edges}
        _, _, right, top = _numbers(document.get("bb", "0,0,0,0"))
        self.size = right, top

    def frames(self) -> dict[str, Frame]:
        """Return the rectangles of boxes and groups by their names; objects without a place are left out."""
        frames = {}
        for each in self._objects:
            name = each["name"]
            if "pos" in each:
                size = float(each["width"]) * _POINTS, float(each["height"]) * _POINTS
                frames[name] = Frame.around(self._point(each["pos"]), *size)
            elif name.startswith("cluster_n") and "bb" in each:
                left, bottom, right, top = _numbers(each["bb"])
                frames[name.removeprefix("cluster_")] = Frame(
                    left, self.size[1] - top, right, self.size[1] - bottom
                )
        return frames

    def curve(self, place: int) -> list[Point]:
        """Return the points of an edge's cubic curves; none for one that the program could not draw."""
        return [self._point(point) for point in self._edges[f"e{place}"].get("pos", "").split()]

    def label(self, place: int) -> Point | None:
        """Return the centre of an edge's label; ``None`` for an edge without a curve."""
        at = self._edges[f"e{place}"].get("lp")
        return self._point(at) if at is not None else None

    def _point(self, text: str) -> Point:
        x, y = _numbers(text)
        return x, self.size[1] - y


_Index = defaultdict[tuple[int, int], list[Frame]]
"""Rectangles by the squares of the picture that they are in."""


class _Routes:
    """The edges: up to the borders of their boxes, each with a place for a breakpoint."""

    def __init__(self, graph: _Graph, frames: Mapping[str, Frame], answer: _Answer) -> None:
        """Mark headers of groups, boxes and their badges as taken."""
        self._graph, self._frames, self._answer = graph, frames, answer
        self._direction, self._size = graph.direction, answer.size
        self._taken: _Index = defaultdict(list)
        for name, frame in frames.items():
            is_group = name in graph.groups
            _put(self._taken, Frame(*frame[:3], frame.top + HEADER_HEIGHT) if is_group else frame)
            for badge in badge_frames(frame, graph.kind(name)):
                _put(self._taken, badge)

        self._labels: _Index = defaultdict(list)
        self._crossed: set[tuple[int, int]] = set()
        """The small squares that edges go through."""
        self._rooms = [frame for name, frame in frames.items() if name in graph.groups]

    def all(self) -> list[EdgePath]:
        """Return the edges in the order of the graph's arrows, with the places of labels and breakpoints.

        Labels that cover something are moved where there is a free place. What is drawn is recorded for
        `covered`.
        """
        arrows = self._graph.arrows
        labels = [self._answer.label(place) or self._between(arrow) for place, arrow in enumerate(arrows)]
        loops: defaultdict[str, int] = defaultdict(int)
        curves = []
        marks: dict[int, Point] = {}
        for place, arrow in enumerate(arrows):
            source, target = self._graph.ends(arrow)
            if source == target:
                points = self._loop(self._frames[source], labels[place], arrow, loops[source])
                loops[source] += 1
                marks[place] = (points[6][0] + points[9][0]) / 2, (points[6][1] + points[9][1]) / 2
            else:
                points = self._curve(place, source, target)
            curves.append(points)
            self._crossed.update(_squares(points))
        frames = [
            Frame.around(centre, arrow.label_room, _LABEL_HEIGHT)
            for centre, arrow in zip(labels, arrows, strict=True)
        ]
        for frame in frames:
            _put(self._labels, frame)
        for point in marks.values():
            _put(self._taken, Frame.around(point, _MARK, _MARK))
        fixed = frozenset(marks)  # the label of a loop is beside it
        frames = [
            frame if place in fixed else self._moved(frame, points)
            for place, (frame, points) in enumerate(zip(frames, curves, strict=True))
        ]
        for place, points in enumerate(curves):
            if place not in fixed:
                marks[place] = self._mark(points)
        return [
            EdgePath(
                bezier(points),
                (frame if place in fixed else self._moved(frame, points)).centre,  # away from a breakpoint
                arrow.label_room,
                marks[place],
            )
            for place, (arrow, points, frame) in enumerate(zip(arrows, curves, frames, strict=True))
        ]

    def covered(self) -> Iterator[Frame]:
        """Yield where something is drawn: groups, boxes, badges, breakpoints, labels and edges."""
        yield from self._rooms
        for index in (self._taken, self._labels):
            for frames in index.values():
                yield from frames
        for column, row in self._crossed:
            yield Frame.around(((column + 0.5) * _SQUARE, (row + 0.5) * _SQUARE), _SQUARE, _SQUARE)

    def _curve(self, place: int, source: str, target: str) -> list[Point]:
        """Return the curves of an edge from border to border, a straight line where the program drew none.

        A turned edge is turned back.
        """
        points = self._answer.curve(place)
        if place in self._graph.turned:
            points.reverse()
        points = points or _straight(self._frames[source], self._frames[target])
        if source not in self._graph.groups:
            points = _reach(self._frames[source], points[::-1])[::-1]
        if target not in self._graph.groups:
            points = _reach(self._frames[target], points)
        return points

    def _moved(self, label: Frame, points: Sequence[Point]) -> Frame:
        """Return the place of a label, or the one nearest to it, or along its edge, that covers nothing.

        Where there is none, the label stays. The place is recorded instead of the one before.
        """
        for cell in _cells(label):
            self._labels[cell].remove(label)
        x, y = label.centre
        width, height = label.size
        near = ((x + dx, y + dy) for dx, dy in _AWAY)
        beside = ((x + side * (width / 2 + _LABEL_GAP), y) for x, y in _track(points) for side in (1, -1))
        places = (Frame.around(centre, width, height) for centre in chain(near, beside))
        found = next((place for place in places if self._is_bare(place)), label)
        _put(self._labels, found)
        return found

    def _is_bare(self, frame: Frame) -> bool:
        """Return whether a rectangle is in the picture, nothing is in it, and no edge crosses it.

        Edges are looked for in small squares, from ``_NEAR`` pixels inside its border on.
        """
        left, top, right, bottom = frame
        if left < 0 or top < 0 or right > self._size[0] or bottom > self._size[1]:
            return False
        columns = range(math.floor((left + _NEAR) / _SQUARE), math.floor((right - _NEAR) / _SQUARE) + 1)
        rows = range(math.floor((top + _NEAR) / _SQUARE), math.floor((bottom - _NEAR) / _SQUARE) + 1)
        is_free = _is_free(self._taken, frame) and _is_free(self._labels, frame)
        return is_free and self._crossed.isdisjoint(product(columns, rows))

    def _between(self, arrow: EdgeLine) -> Point:
        """Return the middle of a straight line."""
        source, target = (self._frames[end] for end in self._graph.ends(arrow))
        *_, (x1, y1), (x2, y2), _ = _straight(source, target)
        return (x1 + x2) / 2, (y1 + y2) / 2

    def _loop(self, box: Frame, label: Point, arrow: EdgeLine, inside: int) -> list[Point]:
        """Return a loop from the side of a box towards its label, around so many others.

        The program's own are as flat as there is little room between boxes.
        """
        side = min(_LOOP_SIDE + inside * _LOOP_STEP, box.size[self._direction == "right"] / 2 - 1)
        corner = min(_LOOP_CORNER, side)
        if self._direction == "down":
            near, far = box.right, label[0] - arrow.label_room / 2 - _LOOP_GAP / 2
            return _bracket((near, label[1]), (far, label[1]), side, corner)
        near, far = box.top, label[1] + _LABEL_HEIGHT / 2 + _LOOP_GAP / 2
        turned = _bracket((near, label[0]), (far, label[0]), side, -corner)
        return [(x, y) for y, x in turned]

    def _mark(self, points: Sequence[Point]) -> Point:
        """Return the point nearest to the tip at which a breakpoint covers nothing, or else a label alone.

        Where there is none, it is the first point. The place is recorded as taken.
        """
        candidates = list(_points_back(points))
        found = next(
            point
            for indexes in ((self._taken, self._labels), (self._taken,), ())
            for point in candidates
            if all(_is_free(index, Frame.around(point, _MARK, _MARK)) for index in indexes)
        )
        _put(self._taken, Frame.around(found, _MARK, _MARK))
        return found


def _put(index: _Index, frame: Frame) -> None:
    for cell in _cells(frame):
        index[cell].append(frame)


def _is_free(index: _Index, frame: Frame) -> bool:
    return not any(frame.overlaps(other) for cell in _cells(frame) for other in index[cell])


def _placement(
    drawing: Diagram,
    names: Mapping[str, str],
    frames: Mapping[str, Frame],
    routes: Iterator[EdgePath],
    size: Point,
) -> Placement:
    """Return what is placed by level; the routes are taken in the order of `Diagram.parts`.

    A box without a frame raises ``KeyError``.
    """
    placed = [frames[names[box.id]] for box in drawing.boxes]
    here = tuple(next(routes) for _ in drawing.arrows)
    return Placement(
        width=size[0],
        height=size[1],
        centres=tuple(frame.centre for frame in placed),
        sizes=tuple(frame.size for frame in placed),
        routes=here,
        inner={
            index: _placement(part, names, frames, routes, placed[index].size)
            for index, part in drawing.inner.items()
        },
    )


def _reach(box: Frame, points: Sequence[Point]) -> list[Point]:
    """Lengthen a curve that ends where the badges of its box begin, so that it ends at the box.

    Where its direction does not meet the box, it ends at the nearest point of it.
    """
    x, y = points[-1]
    x1, y1 = next((point for point in reversed(points) if math.dist(point, (x, y)) > 0.5), box.centre)
    length = math.dist((x1, y1), (x, y)) or 1.0
    dx, dy = (x - x1) / length, (y - y1) / length
    ways = [(side - at) / step for at, step, sides in _axes(box, x, y, dx, dy) for side in sides if step]
    hits = [way for way in ways if way >= 0 and _touches(box, x + way * dx, y + way * dy)]
    if hits:
        end = x + min(hits) * dx, y + min(hits) * dy
    else:
        end = min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)
    thirds = [(x + (end[0] - x) * share, y + (end[1] - y) * share) for share in (1 / 3, 2 / 3)]
    return [*points, *thirds, end]


def _straight(source: Frame, target: Frame) -> list[Point]:
    """Return the line from one box to another as a curve."""
    (x1, y1), (x2, y2) = _border(source, target.centre), _border(target, source.centre)
    return [(x1 + (x2 - x1) * share, y1 + (y2 - y1) * share) for share in (0.0, 1 / 3, 2 / 3, 1.0)]


def _border(box: Frame, towards: Point) -> Point:
    (x, y), (width, height) = box.centre, box.size
    dx, dy = towards[0] - x, towards[1] - y
    share = min((size / 2 / abs(way) for size, way in ((width, dx), (height, dy)) if way), default=0.0)
    return x + share * dx, y + share * dy


def _bracket(near: Point, far: Point, side: float, corner: float) -> list[Point]:
    """Return three sides of a rectangle with round corners, from one x to another, around a y, as curves.

    ``side`` is half of its height; a far x at the left of the near one needs a negative corner.
    """
    (x1, y), (x2, _) = near, far
    top, bottom, bend = y - side, y + side, abs(corner)
    corners = [
        (x1, top),
        *((x2 - corner, top), (x2, top + bend)),
        *((x2, bottom - bend), (x2 - corner, bottom)),
        (x1, bottom),
    ]
    points = [corners[0]]
    for place, (start, end) in enumerate(pairwise(corners)):
        around = {1: (x2, top), 3: (x2, bottom)}.get(place)
        first, second = (start, end) if around is None else (around, around)
        points += [first, second, end]
    return points


def _axes(box: Frame, x: float, y: float, dx: float, dy: float) -> Iterable[tuple[float, float, Point]]:
    return (x, dx, (box.left, box.right)), (y, dy, (box.top, box.bottom))


def _touches(box: Frame, x: float, y: float) -> bool:
    return box.left - 0.01 <= x <= box.right + 0.01 and box.top - 0.01 <= y <= box.bottom + 0.01


def _points_back(points: Sequence[Point]) -> Iterator[Point]:
    """Yield points of a curve from 14 pixels before its tip on, at least a pixel apart.

    Of a shorter curve the middle one alone is yielded.
    """
    track = list(_track(points))[::-1]
    way, wanted = 0.0, _MARK_FIRST
    for one, other in pairwise(track):
        way += math.dist(one, other)
        if way >= wanted:
            wanted = way + _MARK_STEP
            yield other
    if way < _MARK_FIRST:
        yield track[len(track) // 2]


def _track(points: Sequence[Point]) -> Iterator[Point]:
    """Yield points along cubic curves: the first, then twenty of each curve.

    Points of an incomplete last curve are ignored; no points raise ``IndexError``.
    """
    yield points[0]
    for begin in range(0, len(points) - 3, 3):
        (x1, y1), (x2, y2), (x3, y3), (x4, y4) = points[begin : begin + 4]
        for step in range(1, _STEPS + 1):
            t = step / _STEPS
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            yield a * x1 + b * x2 + c * x3 + d * x4, a * y1 + b * y2 + c * y3 + d * y4


def _squares(points: Sequence[Point]) -> Iterator[tuple[int, int]]:
    """Yield column and row of the small squares that cubic curves go through, some more than once."""
    for (x1, y1), (x2, y2) in pairwise(_track(points)):
        count = math.ceil(2 * math.dist((x1, y1), (x2, y2)) / _SQUARE) or 1
        for step in range(count + 1):
            x, y = x1 + (x2 - x1) * step / count, y1 + (y2 - y1) * step / count
            yield math.floor(x / _SQUARE), math.floor(y / _SQUARE)


def _cells(frame: Frame) -> Iterator[tuple[int, int]]:
    left, top, right, bottom = (math.floor(side / _CELL) for side in frame)
    for column in range(left, right + 1):
        for row in range(top, bottom + 1):
            yield column, row


def _table(width: float, height: float) -> str:
    """Return a label without a text that takes so much room, whatever the fonts are."""
    size = f'FIXEDSIZE="TRUE" WIDTH="{math.ceil(width)}" HEIGHT="{math.ceil(height)}"'
    table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0" {size}>'
    return f"<{table}<TR><TD {size}></TD></TR></TABLE>>"


def _inches(pixels: float) -> str:
    return f"{pixels / _POINTS:.4f}"


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]

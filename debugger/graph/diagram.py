"""Nodes and edges as they are drawn, with their sizes."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, NamedTuple

from debugger.graph.graph import Graph
from debugger.graph.groups import Group
from debugger.graph.labels import clean, cut, shorten, text_width, wrap
from debugger.protocol.workflow import EdgeConfig, NodeConfig

NAME_SIZE = 12
EDGE_LABEL_SIZE = 11
LINE_HEIGHT = 15

HEADER_HEIGHT = 20
"""Of the name of a group, above what is in it."""

Direction = Literal["down", "right"]
"""Where most edges of a drawing point."""
DIRECTIONS: tuple[Direction, ...] = ("down", "right")

BoxKind = Literal["node", "super_node", "thread"]
"""A node, or the box of a group."""


MOST_WIDTH = 130
"""The width of a node's box at most; a name that needs more has an ellipsis."""
ICON = 19
"""The width at the left side of a box that is left to the icon of the node's type."""
_RIGHT = 5
"""Between a name and the right side of its box."""
_HEIGHTS = 7
"""Above and below the lines of a name, together."""
_MOST_LINES = 2
_LEAST_LINE, _WIDTH_STEP = 40, 10
_AROUND = 20
"""Room of a box besides its own width and height: the gap to the next one, with the badges in it."""
_LONGEST_CAPTION = 60
"""Characters."""
_UNFOLD_BUTTON = 18
"""The width of the button on a super node."""
_TITLE = 280
"""The width of the name of a group."""
_EDGE_LABEL = 120
"""Holds some 20 characters of a condition."""
_NUMBERS, _LEAST_NUMBERS = 14, 20
"""The width beside a label, and without one, for the numbers of a run's path: as many as fit are shown."""


@dataclass(frozen=True, kw_only=True)
class NodeBox:
    """A node as it is drawn. Width and height are in pixels."""

    id: str
    """The node's logical id; of a missing node the id that is named, or a text that says what has none."""
    lines: tuple[str, ...]
    """The name, at `NAME_SIZE` pixels and `LINE_HEIGHT` apart, cut to fit."""
    name: str
    """The whole name, for screen readers: a line may end inside a word."""
    caption: str
    """The type, and what is special about the node; it is not in the box."""
    type: str | None = None
    start: bool = False
    is_global: bool = False
    """Whether every node may lead to it; those transitions are not drawn."""
    disabled: bool = False
    missing: bool = False
    """Whether there is no such node, only an edge that names it."""
    width: float = 0.0
    height: float = 0.0
    kind: BoxKind = "node"
    """``"node"``, or the group that the box is of: then its name is at its top, in one line."""
    button: int = 0
    """The width at its right side that is left to the button which opens or closes a super node."""


class EdgeLine(NamedTuple):
    """An edge as it is drawn."""

    id: str
    source: int
    """Index of the box it leaves."""
    target: int
    """Index of the box it enters."""
    ends: tuple[str, str]
    """The ids of the nodes themselves, which may be inside those boxes."""
    type: str
    label: str
    label_width: float
    """Pixels, 0 without a label."""
    label_room: float
    """The width of the label with the numbers before it."""
    disabled: bool
    forks: bool
    """Whether it forks a companion thread."""


@dataclass(frozen=True)
class Diagram:
    """Everything that determines the layout of a workflow, and nothing else."""

    boxes: tuple[NodeBox, ...]
    arrows: tuple[EdgeLine, ...]
    direction: Direction = "down"
    inner: Mapping[int, Diagram] = field(default_factory=dict)
    """The content of each group by the index of its box, which is as wide and high as its header alone."""

    @classmethod
    def of(cls, graph: Graph, direction: Direction = "down", groups: Sequence[Group] = ()) -> Diagram:
        """Draw every node and every edge.

        Transitions to global nodes are marked by the node's caption instead.

        The start comes first, because engines put what comes first on top; so does the entry of a group.

        Args:
            graph: The workflow.
            direction: Where most edges are to point.
            groups: Nodes to draw in boxes of their own; a box comes before those inside it.
        """
        start = next(iter(graph.start_nodes), None)
        nodes = sorted(graph.nodes.values(), key=lambda node: node is not start)
        edges = graph.workflow.edge_configs
        missing_nodes = dict.fromkeys(end for edge in edges for end in _ends(edge) if end not in graph.nodes)
        boxes = [
            *(_box(node, direction) for node in nodes),
            *(
                _sized(
                    NodeBox(
                        id=missing, lines=(), name=clean(missing) or _NO_NAME, caption="missing", missing=True
                    ),
                    direction,
                )
                for missing in missing_nodes
            ),
        ]
        return _Nesting(groups).diagram(boxes, edges, direction)

    @cached_property
    def version(self) -> str:
        """Return a text that is equal for equal diagrams, in every process."""
        inner = {index: part.version for index, part in self.inner.items()}
        written = repr((self.boxes, self.arrows, self.direction, inner)).encode("utf-8", "surrogatepass")
        return hashlib.sha256(written).hexdigest()[:16]

    def parts(self) -> Iterator[Diagram]:
        """Yield the diagram and all that are in it."""
        yield self
        for part in self.inner.values():
            yield from part.parts()


class _Nesting:
    """The boxes and edges of each group, and those outside of all groups."""

    def __init__(self, groups: Sequence[Group]) -> None:
        """Find the group around each member; of a thread only members beside its first one are in its box.

        A group without members raises ``IndexError``.
        """
        self._groups = {group.id: group for group in groups}
        self._around: dict[str, str] = {}
        """By the id of a node or group the group around it."""
        for group in groups:
            members: Sequence[str] = group.members
            outer = self._around.get(members[0])
            if group.kind == "thread":  # its box is where it begins: what it does elsewhere is not in it
                members = [member for member in members if self._around.get(member) == outer]
                if outer is not None:
                    self._around[group.id] = outer
            self._around.update(dict.fromkeys(members, group.id))
        self._boxes: defaultdict[str | None, dict[str, NodeBox]] = defaultdict(dict)
        """By group, or ``None`` for the outermost level, the boxes by id."""
        self._edges: defaultdict[str | None, list[EdgeConfig]] = defaultdict(list)

    def diagram(self, boxes: Iterable[NodeBox], edges: Iterable[EdgeConfig], direction: Direction) -> Diagram:
        """Sort boxes and edges into the levels of the groups, and return the outermost; it is called once.

        An edge belongs to the innermost group that holds both of its ends.
        """
        for box in boxes:
            self._add(box)
        for edge in edges:
            source, target = map(self._groups_around, _ends(edge))
            self._edges[next((group for group in source if group in target), None)].append(edge)
        return self._level(None, direction)

    def _add(self, box: NodeBox) -> None:
        """Put a box on its level, after adding the groups around it.

        A node that is a group has the group's box, with its own type and its flags ``start`` and
        ``is_global``.
        """
        for outer in reversed(self._groups_around(box.id)):  # a group is where its first node is
            self._boxes[self._around.get(outer)].setdefault(outer, _group_box(self._groups[outer]))
        if box.id in self._groups:
            group_box = _group_box(self._groups[box.id])
            box = replace(group_box, start=box.start, is_global=box.is_global, type=box.type)
        self._boxes[self._around.get(box.id)][box.id] = box

    def _groups_around(self, box_id: str) -> list[str]:
        """Return the groups around a box, the innermost first; none of an unknown id."""
        groups: list[str] = []
        around = self._around.get(box_id)
        while around is not None:
            groups.append(around)
            around = self._around.get(around)
        return groups

    def _box_at(self, node_id: str, level: str | None) -> str:
        """Return the box of a level that a node is, or is in."""
        while self._around.get(node_id) != level:
            node_id = self._around[node_id]
        return node_id

    def _level(self, level: str | None, direction: Direction) -> Diagram:
        """Return the diagram of a level, ``None`` being the outermost, with those of the groups on it.

        In a group the box by which it is entered comes first.
        """
        boxes = self._boxes[level]
        if level is not None:
            entry = self._groups[level].members[0]
            boxes = dict(sorted(boxes.items(), key=lambda item: item[0] != entry))
        places = {box_id: place for place, box_id in enumerate(boxes)}
        arrows = [
            _arrow(edge, [places[self._box_at(end, level)] for end in _ends(edge)])
            for edge in self._edges[level]
        ]
        inner = {
            place: self._level(box_id, direction)
            for box_id, place in places.items()
            if box_id in self._groups
        }
        return Diagram(tuple(boxes.values()), tuple(arrows), direction, inner)


def _group_box(group: Group) -> NodeBox:
    """Return the box of a group with its title in one line, as wide and high as its header."""
    name = cut(clean(group.title), NAME_SIZE, _TITLE)
    button = _UNFOLD_BUTTON if group.kind == "super_node" else 0
    return NodeBox(
        id=group.id,
        lines=(name,),
        name=clean(group.title),
        caption="",
        width=round(text_width(name, NAME_SIZE) + 20 + button, 1),
        height=HEADER_HEIGHT,
        kind=group.kind,
        button=button,
    )


def _box(node: NodeConfig, direction: Direction) -> NodeBox:
    """Return the box of a node with its name and caption; a node without a name has ``(no name)``."""
    captions = (
        node.type or "no type",
        "start" if node.is_start else "",
        "global" if node.is_global else "",
        "disabled" if node.disabled else "",
    )
    box = NodeBox(
        id=node.logical_id,
        lines=(),
        name=clean(node.label) or _NO_NAME,
        caption=shorten(" · ".join(filter(None, captions)), _LONGEST_CAPTION),
        type=node.type,
        start=node.is_start,
        is_global=node.is_global,
        disabled=node.disabled,
        button=_UNFOLD_BUTTON if node.type == "super_node" and not node.disabled else 0,
    )
    return _sized(box, direction)


_NO_NAME = "(no name)"


def _sized(box: NodeBox, direction: Direction) -> NodeBox:
    """Return a box with its name: in one line where the rows of boxes are above each other, if it fits.

    Where they are beside each other, in the lines that make the smaller box.
    """
    most = MOST_WIDTH - ICON - _RIGHT - box.button

    def size(width: float, count: int) -> NodeBox:
        """Return the box with its name in at most so many lines of a width."""
        lines = wrap(box.name, NAME_SIZE, width, count)
        across = ICON + max(text_width(line, NAME_SIZE) for line in lines) + _RIGHT + box.button
        return replace(
            box,
            lines=lines,
            width=round(across, 1),
            height=len(lines) * LINE_HEIGHT + _HEIGHTS,
        )

    choices = [size(most, 1), *(size(width, _MOST_LINES) for width in range(most, _LEAST_LINE, -_WIDTH_STEP))]
    whole = [each for each in choices if " ".join(each.lines) == box.name] or choices[1:2]
    if direction == "down":
        return min(whole, key=lambda each: (each.height, each.width))
    return min(whole, key=lambda each: (each.width + _AROUND) * (each.height + _AROUND))


def _arrow(edge: EdgeConfig, places: Sequence[int]) -> EdgeLine:
    """Return the drawn edge between two boxes, given by index, with its label cut to fit."""
    label = cut(clean(edge.label), EDGE_LABEL_SIZE, _EDGE_LABEL)
    width = round(text_width(label, EDGE_LABEL_SIZE), 1)
    return EdgeLine(
        id=edge.logical_id,
        source=places[0],
        target=places[1],
        ends=_ends(edge),
        type=edge.type,
        label=label,
        label_width=width,
        label_room=max(_LEAST_NUMBERS, width + _NUMBERS if label else 0),
        disabled=edge.disabled,
        forks=edge.forks_companion,
    )


def _ends(edge: EdgeConfig) -> tuple[str, str]:
    """Return the ids of source and destination; for a missing one a text that names the edge."""
    source, target = edge.source_node_logical_id, edge.destination_node_logical_id
    return (
        f"(no source of {edge.logical_id})" if source is None else source,
        f"(no destination of {edge.logical_id})" if target is None else target,
    )

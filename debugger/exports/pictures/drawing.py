"""Content of a picture, apart from its format: nodes, frames around them, and edges, with their texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from debugger.boundary import Boundary, Kind, own_names
from debugger.exports.pictures.run_marks import EdgeMark, NodeMark, RunMarks
from debugger.graph.diagram import Diagram, Direction, EdgeLine, NodeBox
from debugger.graph.graph import Graph
from debugger.graph.groups import Group
from debugger.graph.labels import clean, cut, wrap

NAME_SIZE, CAPTION_SIZE, LABEL_SIZE = 12, 10, 10
"""Sizes of texts in points."""
_NAME_WIDTH, _LABEL_WIDTH, _TITLE_WIDTH = 150, 150, 400
_MOST_LINES = 3


@dataclass(frozen=True)
class Shape:
    """A node of a picture."""

    key: str
    """Its id in the file: ``n0``; those of the workflow are anything."""
    name: tuple[str, ...]
    """The lines of its name."""
    captions: tuple[str, ...]
    """Smaller lines below: the type and what is special about it, then what the run does there."""
    mark: NodeMark = field(default_factory=NodeMark)
    frame: str = ""
    """The key of the frame around it; empty outside of all."""
    is_start: bool = False
    is_global: bool = False
    is_disabled: bool = False
    is_missing: bool = False
    """Is true of a node that the workflow does not have."""
    is_alone: bool = False
    """Is true of a node without an edge."""

    @property
    def words(self) -> str:
        """Return what a screen reader reads: name, type, and what the run does there."""
        return ", ".join(
            filter(None, (" ".join(self.name), *self.captions, _STATE_WORDS.get(self.mark.state, "")))
        )


@dataclass(frozen=True)
class Frame:
    """The frame of an opened super node, or of a companion thread."""

    key: str
    title: str
    is_thread: bool
    mark: NodeMark = field(default_factory=NodeMark)
    frame: str = ""
    """The key of the frame around it."""


@dataclass(frozen=True)
class Line:
    """An edge of a picture."""

    key: str
    source: str
    """The key of a shape or a frame."""
    target: str
    label: tuple[str, ...] = ()
    """The lines of its name, else of its condition."""
    mark: EdgeMark = field(default_factory=EdgeMark)
    forks: bool = False
    """Is true of an edge that starts a companion thread."""
    is_disabled: bool = False
    is_unmapped: bool = False
    """Is true of a transition of the run for which the workflow has no edge."""


@dataclass(frozen=True)
class Drawing:
    """Content of a picture. Every text has passed the boundary and is cut to fit."""

    title: str
    direction: Direction = "down"
    shapes: tuple[Shape, ...] = ()
    frames: tuple[Frame, ...] = ()
    """An outer one comes before those inside it."""
    lines: tuple[Line, ...] = ()
    has_path: bool = False
    has_heat: bool = False

    @classmethod
    def of(
        cls,
        graph: Graph,
        title: str,
        *,
        groups: Sequence[Group] = (),
        marks: RunMarks | None = None,
        direction: Direction = "down",
    ) -> Drawing:
        """Return what is drawn of a workflow.

        Names are the workflow's own and stay, but for secrets in them; in conditions masked is what an export
        masks. No value of a run is drawn.

        Args:
            graph: The workflow.
            title: Its name.
            groups: Nodes to draw in frames; a frame comes before those inside it.
            marks: What a run has done; ``None`` draws the workflow alone.
            direction: Where most edges are to point.
        """
        return _Builder(graph, marks or RunMarks()).drawing(title, groups, direction)

    @property
    def summary(self) -> str:
        """Return the content in a sentence, for screen readers: counts, nodes with a status, and the heat."""
        parts = [f"{_count(len(self.shapes), 'node')} and {_count(len(self.lines), 'edge')}"]
        if self.has_path:
            visited = sum(shape.mark.visits > 0 for shape in self.shapes)
            parts.append(f"the run came to {_count(visited, 'node')}")
            parts += [
                f"{' '.join(shape.name)}: {shape.mark.status}" for shape in self.shapes if shape.mark.status
            ]
        if self.has_heat:
            parts.append("the tint is each node's share of the time")
        return f"A workflow of {'; '.join(parts)}."

    def words(self, line: Line) -> str:
        """Return what a screen reader reads for an edge: ``Ask to Book: wants an appointment, step 2``."""
        names = {shape.key: " ".join(shape.name) for shape in self.shapes}
        names |= {frame.key: frame.title for frame in self.frames}
        steps = f"steps {line.mark.steps}" if line.mark.steps else _STATE_WORDS.get(line.mark.state, "")
        tail = ", ".join(filter(None, (" ".join(line.label), steps)))
        return f"{names[line.source]} to {names[line.target]}" + (f": {tail}" if tail else "")


_STATE_WORDS = {"visited": "visited", "next": "possible next", "unreached": "not reached"}
"""Words for the looks of a node that has no caption for them."""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@dataclass
class _Builder:
    """Collects what is drawn of one workflow."""

    graph: Graph
    marks: RunMarks
    shapes: list[Shape] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    """The key of each drawn node or group by its id."""

    def __post_init__(self) -> None:
        boundary = Boundary()
        boundary.begin_run(own_names(self.graph.workflow))
        self.name: Callable[[str], str] = partial(boundary.release, Kind.NAME)
        self.text: Callable[[str], str] = partial(boundary.release, Kind.TEXT)

    def drawing(self, title: str, groups: Sequence[Group], direction: Direction) -> Drawing:
        """Return what is drawn of the workflow, with nodes and edges of the run that it lacks at the end.

        Args:
            title: Its name.
            groups: Nodes to draw in frames.
            direction: Where most edges are to point.
        """
        titles = {group.id: group.title for group in groups}
        diagram = Diagram.of(self.graph, direction, groups)
        self.joined = {
            end
            for edge in self.graph.edges.values()
            for end in (edge.source_node_logical_id, edge.destination_node_logical_id)
        }
        self.joined |= {end for each in self.marks.unmapped for end in (each.source, each.destination)}
        self._add_boxes(diagram, "", titles)
        for part in diagram.parts():
            for arrow in part.arrows:
                self._add_edge(arrow)
        for node, name in self.marks.missing_nodes.items():
            if node not in self.keys:
                self._add_shape(node, name, ["not in this version"], is_missing=True)
        for each in self.marks.unmapped:
            if each.source in self.keys and each.destination in self.keys:
                mark = self.marks.edges.get(each.id, EdgeMark("taken"))
                label = self.name(each.label)
                self._add_line(each.source, each.destination, label, mark=mark, is_unmapped=True)
        return Drawing(
            title=cut(clean(self.name(title)), NAME_SIZE, _TITLE_WIDTH) or "Workflow",
            direction=direction,
            shapes=tuple(self.shapes),
            frames=tuple(self.frames),
            lines=tuple(self.lines),
            has_path=self.marks.has_path,
            has_heat=self.marks.has_heat,
        )

    def _add_boxes(self, diagram: Diagram, frame: str, titles: dict[str, str]) -> None:
        """Add the nodes and frames of a diagram, with what is in the frames; their keys are noted by id.

        Args:
            diagram: The diagram.
            frame: The key of the frame around it; empty outside of all.
            titles: The titles of the groups by id.
        """
        for place, box in enumerate(diagram.boxes):
            inner = diagram.inner.get(place)
            if inner is None:
                self._add_node(box, frame)
                continue
            key = self.keys[box.id] = f"g{len(self.frames)}"
            # A companion thread may have the condition of its edge as a title.
            title = cut(clean(self.text(titles[box.id])), NAME_SIZE, _TITLE_WIDTH)
            mark = self.marks.nodes.get(box.id, NodeMark())
            self.frames.append(Frame(key, title or "(no name)", box.kind == "thread", mark, frame))
            self._add_boxes(inner, key, titles)

    def _add_node(self, box: NodeBox, frame: str) -> None:
        """Add a node with its type and what is special about it; one that the workflow lacks as missing."""
        if box.missing:
            self._add_shape(box.id, box.id, ["missing"], frame, is_missing=True)
            return
        node = self.graph.nodes[box.id]
        facts = (
            node.type or "no type",
            "start" if node.is_start else "",
            "global" if node.is_global else "",
            "disabled" if node.disabled else "",
        )
        self._add_shape(
            box.id,
            node.label,
            [" · ".join(filter(None, facts))],
            frame,
            is_start=node.is_start,
            is_global=node.is_global,
            is_disabled=node.disabled,
        )

    def _add_shape(self, node: str, name: str, captions: list[str], frame: str = "", **facts: bool) -> None:
        """Add a node with its texts masked and cut, and the mark of the run; its key is noted by id.

        Args:
            node: Its id.
            name: Its name.
            captions: The lines below; status, visits and share of the time follow.
            frame: The key of the frame around it.
            facts: Fields of the shape that are true.
        """
        mark = self.marks.nodes.get(node, NodeMark())
        share = f"{mark.share} of the time" if mark.share else ""
        visits = f"×{mark.visits}" if mark.visits > 1 else ""
        figures = " · ".join(filter(None, (visits, share)))
        captions = [
            cut(clean(self.name(text)), CAPTION_SIZE, _NAME_WIDTH)
            for text in dict.fromkeys([*captions, mark.status, figures])  # a status may say the same
        ]
        self.keys[node] = f"n{len(self.shapes)}"
        self.shapes.append(
            Shape(
                key=self.keys[node],
                name=wrap(clean(self.name(name)), NAME_SIZE, _NAME_WIDTH, _MOST_LINES) or ("(no name)",),
                captions=tuple(filter(None, captions)),
                mark=mark,
                frame=frame,
                is_alone=node not in self.joined,
                **facts,
            )
        )

    def _add_edge(self, arrow: EdgeLine) -> None:
        edge = self.graph.edges[arrow.id]
        label = self.name(edge.name) if edge.name else self.text(edge.label)
        mark = self.marks.edges.get(arrow.id, EdgeMark())
        self._add_line(*arrow.ends, label, mark=mark, forks=arrow.forks, is_disabled=arrow.disabled)

    def _add_line(self, source: str, target: str, label: str, *, mark: EdgeMark, **facts: bool) -> None:
        lines = wrap(clean(label), LABEL_SIZE, _LABEL_WIDTH, _MOST_LINES)
        key = f"e{len(self.lines)}"
        self.lines.append(Line(key, self.keys[source], self.keys[target], lines, mark, **facts))

"""Pictures as DOT, the language of Graphviz."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence

import graphviz

from debugger.exports.pictures.drawing import CAPTION_SIZE, LABEL_SIZE, NAME_SIZE, Drawing, Frame, Line, Shape
from debugger.exports.pictures.themes import LEGEND, Theme

FONT = "Arial"
"""A font whose widths the program of the wheel has, too."""
_MARKS = re.compile(r"""["#$%&;<>@\[\\\]^`{|}~]""")
"""All marks of ASCII but those that are common in names and mean nothing to any reader of a label."""
_TITLE_SIZE = 15


def dot_graph(drawing: Drawing, theme: Theme) -> graphviz.Digraph:
    """Return a picture as a graph of the package ``graphviz``.

    Ids are ``n0``, ``e0`` and ``g0``. A label is a table of ours, whose texts have no markup.
    """
    dot = graphviz.Digraph("workflow")
    dot.attr(
        "graph",
        rankdir="TB" if drawing.direction == "down" else "LR",
        bgcolor=theme["background"],
        fontname=FONT,
        nodesep="0.3",
        ranksep="0.35",
        pad="0.2",
        margin="0",  # that of a page stays white
        compound="true",
        charset="UTF-8",
        labelloc="t",
        label=_heading(drawing, theme),
    )
    dot.attr("node", shape="box", fontname=FONT, margin="0.12,0.06", height="0.3")
    dot.attr("edge", fontname=FONT, arrowsize="0.7")
    itself = _ends_around(drawing)
    for shape in drawing.shapes:
        if not shape.frame:
            _add_shape(dot, shape, theme)
    for frame in drawing.frames:
        if not frame.frame:
            _add_frame(dot, frame, drawing, theme, itself)
    alone = [shape.key for shape in drawing.shapes if shape.is_alone and not shape.frame]
    if alone and len(alone) < len(drawing.shapes):
        with dot.subgraph(graph_attr={"rank": "max"}) as below:  # else they stand beside the start
            for key in alone:
                below.node(key)
    for line in drawing.lines:
        _add_line(dot, line, drawing, theme, itself.get(line.key, set()))
    return dot


def _add_shape(dot: graphviz.Digraph, shape: Shape, theme: Theme) -> None:
    """Add a node with its lines of text, as a table in its label."""
    look = theme.shape(shape)
    captions = "orangeText" if shape.is_global else "grayText"
    rows = [_text(line, NAME_SIZE, look.text, is_bold=True) for line in shape.name]
    rows += [_text(line, CAPTION_SIZE, theme[captions]) for line in shape.captions]
    dot.node(
        shape.key,
        label=_table(rows),
        id=shape.key,
        style=",".join(filter(None, ("rounded", "filled", look.dash))),
        fillcolor=look.fill,
        color=look.stroke,
        penwidth=f"{look.width:g}",
    )


def _add_frame(
    dot: graphviz.Digraph, frame: Frame, drawing: Drawing, theme: Theme, itself: Mapping[str, set[str]]
) -> None:
    """Add a frame with what is in it, and with a point for edges that end at it from within."""
    look = theme.frame(frame)
    with dot.subgraph(name=f"cluster_{frame.key}") as cluster:
        cluster.attr(
            label=_table([_text(frame.title, NAME_SIZE, look.text, is_bold=True)]),
            id=frame.key,
            labeljust="l",
            style=",".join(filter(None, ("rounded", "filled", look.dash))),
            fillcolor=look.fill,
            color=look.stroke,
            penwidth=f"{look.width:g}",
            margin="10",
        )
        if any(frame.key in ends for ends in itself.values()):
            cluster.node(f"{frame.key}_itself", shape="point", label="", width="0.08", color=look.stroke)
        for shape in drawing.shapes:
            if shape.frame == frame.key:
                _add_shape(cluster, shape, theme)
        for inner in drawing.frames:
            if inner.frame == frame.key:
                _add_frame(cluster, inner, drawing, theme, itself)


def _add_line(
    dot: graphviz.Digraph, line: Line, drawing: Drawing, theme: Theme, itself: Container[str]
) -> None:
    """Add an edge; one at a frame leads to a node in it and ends at the frame's border.

    Args:
        dot: The graph.
        line: The edge.
        drawing: The picture.
        theme: Its colours.
        itself: The ends of it that lead to the point of their frame.
    """
    look = theme.line(line)
    attributes = {
        "id": line.key,
        "color": look.stroke,
        "penwidth": f"{look.width:g}",
        "style": look.dash or "solid",
    }
    source, target = f"{line.source}_itself", f"{line.target}_itself"
    if line.source not in itself:
        source = _ends_in(line.source, drawing)[-1]
        if line.source.startswith("g"):
            attributes["ltail"] = f"cluster_{line.source}"
    if line.target not in itself:
        target = _ends_in(line.target, drawing)[0]
        if line.target.startswith("g"):
            attributes["lhead"] = f"cluster_{line.target}"
    rows = [_text(each, LABEL_SIZE, look.text, is_bold=line.mark.state == "taken") for each in line.label]
    if line.mark.steps:
        steps = _text(line.mark.steps, LABEL_SIZE, look.text, is_bold=True)
        rows = [f"{steps}&#160;&#160;{rows[0]}", *rows[1:]] if rows else [steps]
    if rows:
        attributes["label"] = _table(rows, padding=3)
    dot.edge(source, target, **attributes)


def _ends_around(drawing: Drawing) -> dict[str, set[str]]:
    """Return the ends that are a frame around the other end, or both of its loop, by the keys of the lines.

    Graphviz cannot draw these at the border of the frame: they lead to a point in it.
    """
    around = {shape.key: shape.frame for shape in drawing.shapes}
    around |= {frame.key: frame.frame for frame in drawing.frames}
    found: dict[str, set[str]] = {}
    for line in drawing.lines:
        for end, other in ((line.source, line.target), (line.target, line.source)):
            if end.startswith("g") and end in _chain(other, around):
                found.setdefault(line.key, set()).add(end)
    return found


def _chain(key: str, around: Mapping[str, str]) -> Iterator[str]:
    """Yield a node or frame and the frames around it."""
    while key:
        yield key
        key = around[key]


def _ends_in(key: str, drawing: Drawing) -> list[str]:
    """Return the key of a node, or the keys of the nodes in a frame, in their order."""
    if not key.startswith("g"):
        return [key]
    shapes = [shape.key for shape in drawing.shapes if shape.frame == key]
    inner = [frame.key for frame in drawing.frames if frame.frame == key]
    return [*shapes, *(end for frame in inner for end in _ends_in(frame, drawing))]


def _heading(drawing: Drawing, theme: Theme) -> str:
    """Return the title with a legend of the states, steps and heat that the picture has, as a label."""
    rows = [_text(drawing.title, _TITLE_SIZE, theme["text"], is_bold=True)]
    states = {shape.mark.state for shape in drawing.shapes}
    words = [_text(text, LABEL_SIZE, theme[colour]) for state, colour, text in LEGEND if state in states]
    if drawing.has_path:
        words.append(_text("numbers: order of the steps", LABEL_SIZE, theme["grayText"]))
    if drawing.has_heat:
        words.append(_text("tint: share of the time", LABEL_SIZE, theme["orangeText"]))
    separator = _text("\u00a0·\u00a0", LABEL_SIZE, theme["grayText"])
    return _table([*rows, separator.join(words)] if words else rows, padding=3)


def _table(rows: Sequence[str], padding: int = 1) -> str:
    cells = "".join(f"<TR><TD>{row}</TD></TR>" for row in rows)
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{padding}">{cells}</TABLE>>'


def _text(text: str, size: float, colour: str, *, is_bold: bool = False) -> str:
    marked = f'<FONT POINT-SIZE="{size}" COLOR="{colour}">{_escaped(text)}</FONT>'
    return f"<B>{marked}</B>" if is_bold else marked


def _escaped(text: str) -> str:
    r"""Return a text as entities where a reader could find more in it than its characters.

    The XML parser of Graphviz 2 loses a text that is a closing bracket alone. Every Graphviz replaces ``\N``
    and its like after it has read entities, so that a backslash is written as two.
    """
    return _MARKS.sub(lambda mark: f"&#{ord(mark[0])};" * (2 if mark[0] == "\\" else 1), text)

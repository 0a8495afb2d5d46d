"""A workflow in DOT, the language of Graphviz."""

from __future__ import annotations

import graphviz

from debugger.graph.drawing import EDGE_LABEL_SIZE, NAME_SIZE, Arrow, Box, Drawing
from debugger.graph.graph import Graph

_PIXELS_PER_INCH = 72
_FONT = "Helvetica"


def to_dot(graph: Graph) -> str:
    """The workflow as a DOT document, for any program that reads it.

    Nodes are called ``n0``, ``n1`` and so on, and edges bear an ``id`` of ``e0``, ``e1``: nothing that an
    author wrote stands in it unquoted.
    """
    return drawing_to_dot(Drawing.of(graph))


def drawing_to_dot(drawing: Drawing) -> str:
    """The same, of a drawing: box *i* is node ``n<i>`` and arrow *i* is the edge with the id ``e<i>``."""
    dot = graphviz.Digraph(
        graph_attr={"rankdir": "TB", "nodesep": "0.3", "ranksep": "0.4"},
        node_attr={
            "shape": "box",
            "style": "rounded",
            "fontname": _FONT,
            "fontsize": str(NAME_SIZE),
            "fixedsize": "true",
        },
        edge_attr={"fontname": _FONT, "fontsize": str(EDGE_LABEL_SIZE), "arrowsize": "0.7"},
    )
    for place, box in enumerate(drawing.boxes):
        dot.node(f"n{place}", **_node_attributes(box))
    for place, arrow in enumerate(drawing.arrows):
        dot.edge(f"n{arrow.source}", f"n{arrow.target}", id=f"e{place}", **_edge_attributes(arrow))
    return str(dot.source)


def _node_attributes(box: Box) -> dict[str, str]:
    attributes = {
        "label": _label(*box.lines, box.caption),
        "width": f"{box.width / _PIXELS_PER_INCH:.4f}",
        "height": f"{box.height / _PIXELS_PER_INCH:.4f}",
    }
    if box.start:
        attributes["penwidth"] = "2"
    if box.disabled or box.ghost:
        attributes |= {"style": "rounded,dashed", "fontcolor": "gray40"}
    return attributes


def _edge_attributes(arrow: Arrow) -> dict[str, str]:
    attributes = {"label": _label(f" {arrow.label} ")} if arrow.label else {}
    if arrow.disabled:
        attributes |= {"style": "dotted", "fontcolor": "gray40"}
    elif arrow.forks or arrow.type == "companion":
        attributes["style"] = "dashed"
    return attributes


def _label(*lines: str) -> str:
    """Lines as Graphviz shows them literally: no escapes, entities or HTML of theirs mean anything."""
    literal = (graphviz.escape(line.replace("&", "&amp;")) for line in lines)
    label: str = graphviz.nohtml("\\n".join(literal))
    return label

"""Workflows of which pictures are made."""

from __future__ import annotations

from debugger.exports.pictures.drawing import Drawing
from debugger.graph.graph import Graph
from tests.support.factories import direct, say, when, workflow

HOSTILE = (
    '"quoted" \\"',
    "back\\slash \\N \\G \\E \\T \\L \\n \\",
    "two\nlines\r\nand\ttab",
    "<b>bold</b>",
    "<<TABLE><TR><TD>x</TD></TR></TABLE>>",
    "x" * 10_000,
    "שלום עולם",
    "🦄👩‍⚕️ café",
    '"]; end; click n0 "javascript:alert(1)"',
    "a:b:c {x|<port> y}",
    "# &amp; #quot; `code` %%{init}%% 1. - style a:#fff;",
    "\x00\x1b[31m\ud800",
    "]",
    "]]>",
    "name\\]",
    "   ",
)
"""Names that mean something to DOT, HTML-like labels, XML or Mermaid."""


def hostile_drawing() -> Drawing:
    """Return a picture whose nodes, edges and title have hostile names."""
    ids = [f'node {place} "\\N <i> ;]' for place in range(len(HOSTILE))]
    nodes = [say(node, name=name) for node, name in zip(ids, HOSTILE, strict=True)]
    edges = [
        when(one, other, freeform="x", name=name)
        for one, other, name in zip(ids, ids[1:], HOSTILE, strict=False)
    ]
    return Drawing.of(Graph(workflow(*nodes, *edges)), HOSTILE[1])


def large_drawing(nodes: int) -> Drawing:
    """Return a picture of a chain with steps back and side branches."""
    parts = [say(f"n{place}") for place in range(nodes)]
    edges = [direct(f"n{place}", f"n{place + 1}") for place in range(nodes - 1)]
    edges += [when(f"n{place}", f"n{place - 3}", freeform="again") for place in range(3, nodes, 5)]
    edges += [when(f"n{place}", f"n{place + 4}", freeform="on") for place in range(0, nodes - 4, 7)]
    return Drawing.of(Graph(workflow(*parts, *edges)), "Large")

"""How a problem names a node, an edge or a value."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from debugger.graph.labels import shorten
from debugger.protocol.workflow import EdgeConfig, NodeConfig

_MOST_LISTED = 12


def of_node(node: NodeConfig, noun: str = "Node") -> str:
    """A node by its name and id."""
    return f"{noun} {quoted(node.label)}" + (f" ({cut(node.logical_id)})" if node.name else "")


def of_edge(edge: EdgeConfig) -> str:
    """An edge by its id and name."""
    return f"Edge {quoted(edge.logical_id)}" + (f" ({cut(edge.name)})" if edge.name else "")


def listed(texts: Iterable[str]) -> str:
    """Values in a row; of many only the first ones."""
    rest = iter(texts)
    shown = ", ".join(map(quoted, islice(rest, _MOST_LISTED)))
    left = sum(1 for _ in rest)
    return f"{shown} and {left} more" if left else shown


def quoted(text: str) -> str:
    """A value, cut where it is long."""
    return repr(cut(text))


def cut(text: str) -> str:
    """The beginning of a long text."""
    return shorten(text, 60)

"""How a problem names a node, an edge or a value."""

from __future__ import annotations

from collections.abc import Iterable

from debugger.graph.labels import shorten
from debugger.protocol.workflow import EdgeConfig, NodeConfig


def of_node(node: NodeConfig, noun: str = "Node") -> str:
    """A node by its name and id."""
    return f"{noun} {quoted(node.label)}" + (f" ({cut(node.logical_id)})" if node.name else "")


def of_edge(edge: EdgeConfig) -> str:
    """An edge by its id and name."""
    return f"Edge {quoted(edge.logical_id)}" + (f" ({cut(edge.name)})" if edge.name else "")


def listed(texts: Iterable[str]) -> str:
    """Values in a row."""
    return ", ".join(map(quoted, texts))


def quoted(text: str) -> str:
    """A value, cut where it is long."""
    return repr(cut(text))


def cut(text: str) -> str:
    """The beginning of a long text."""
    return shorten(text, 60)

"""Nodes and edges of the author's graph for those of a run.

The engine runs the content of a super node; the nodes inside have the super node's id and a slash in front
(``booking/ask``), and an edge that leaves it has an ``@`` and the inner node
behind, unless the event has the author's id.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

_BETWEEN = " › "


def author_node_id(node_id: str, own: Container[str]) -> str:
    """Return the author's node that a node of a run belongs to.

    Args:
        node_id: As an event has it.
        own: The ids of the author's graph, such as ``Graph.nodes``.

    Returns:
        The node itself if it is the author's, else its super node, else the id unchanged.
    """
    if node_id in own:
        return node_id
    return next((start for start in _starts(node_id, "/") if start in own), node_id)


def author_edge_id(edge_id: str, own: Container[str]) -> str | None:
    """Return the author's edge for an edge of a run, if any."""
    if edge_id in own:
        return edge_id
    return next((start for start in _starts(edge_id, "@") if start in own), None)


def enclosing_ids(node_id: str) -> Iterator[str]:
    """Yield the ids that super nodes around a node would have, innermost first."""
    return _starts(node_id, "/")


def super_nodes_around(node_id: str, own: Container[str]) -> tuple[str, ...]:
    """Return the super nodes around a node by its id, outermost first."""
    outermost = author_node_id(node_id, own)
    if outermost == node_id:
        return ()
    inner = [start for start in _starts(node_id, "/") if len(start) > len(outermost)]
    return (outermost, *reversed(inner))


def origin_label(name: str, around: tuple[str, ...], names: Mapping[str, str]) -> str:
    """Return a node's label with its super nodes: ``Booking › Ask name``.

    Args:
        name: The node's own name.
        around: The super nodes around it, outermost first.
        names: The author's names by node id. A super node that is not there, since it is inside another, is
            called by its own part of the id.
    """
    parents = ("", *around)
    labels = [
        names.get(each) or each.removeprefix(f"{parent}/")
        for parent, each in zip(parents, around, strict=False)
    ]
    return _BETWEEN.join((*labels, name))


def label_of(node_id: str, name: str, names: Mapping[str, str]) -> str:
    """Return a node's label with the super nodes in its id."""
    return origin_label(name, super_nodes_around(node_id, names), names)


def _starts(text: str, mark: str) -> Iterator[str]:
    """Yield the texts before each mark, the longest first."""
    end = text.rfind(mark)
    while end > 0:
        yield text[:end]
        end = text.rfind(mark, 0, end)

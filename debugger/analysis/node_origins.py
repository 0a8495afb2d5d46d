"""Where a run's nodes stand in the workflow as its author drew it, with its super nodes in one piece.

The engine runs what a super node stands for; the nodes inside have the super node's id and a slash in front
(``booking/ask``), and an edge that leaves it has an ``@`` and the inner node
behind, unless an event tells it by the author's id.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from debugger.analysis.event_fields import field
from debugger.protocol.events import Event

_BETWEEN = " › "


def author_node_id(node_id: str, own: Container[str]) -> str:
    """The node of the author's own graph that a node of a run belongs to.

    Args:
        node_id: As an event has it.
        own: The ids of the author's graph, such as ``Graph.nodes``.

    Returns:
        The node itself where it is the author's, else the super node that it is inside of; the id as it was
        given where it is inside of none.
    """
    if node_id in own:
        return node_id
    return next((start for start in _starts(node_id, "/") if start in own), node_id)


def author_edge_id(edge_id: str, own: Container[str]) -> str | None:
    """The edge of the author's own graph that an edge of a run stands for; ``None`` for one in a super node.

    Args:
        edge_id: As an event has it.
        own: The ids of the author's graph, such as ``Graph.edges``.
    """
    if edge_id in own:
        return edge_id
    return next((start for start in _starts(edge_id, "@") if start in own), None)


def super_nodes_around(node_id: str, own: Container[str]) -> tuple[str, ...]:
    """The ids of the super nodes around a run's node, outermost first, as its id tells them.

    An event of a node tells them itself (`origin_of_event`); this is for those that tell ids only.
    """
    outermost = author_node_id(node_id, own)
    if outermost == node_id:
        return ()
    inner = [start for start in _starts(node_id, "/") if len(start) > len(outermost)]
    return (outermost, *reversed(inner))


def origin_of_event(event: Event) -> tuple[str, ...]:
    """The ids of the super nodes around the node of an event, outermost first."""
    told = field(event, "super_node_origin")
    return tuple(each for each in told if isinstance(each, str)) if isinstance(told, list) else ()


def origin_label(name: str, around: tuple[str, ...], names: Mapping[str, str]) -> str:
    """A node in words, with the super nodes around it: ``Booking › Ask name``.

    Args:
        name: The node's own name.
        around: The super nodes around it, outermost first.
        names: The author's names by node id. A super node that is not there, since it is inside another, is
            called by its own part of the id.
    """
    parents = ("", *around)
    told = [
        names.get(each) or each.removeprefix(f"{parent}/")
        for parent, each in zip(parents, around, strict=False)
    ]
    return _BETWEEN.join((*told, name))


def label_of(node_id: str, name: str, names: Mapping[str, str]) -> str:
    """A node of a run in words, with the super nodes around it as its id tells them.

    Args:
        node_id: As an event has it.
        name: The node's own name.
        names: The author's names by node id.
    """
    return origin_label(name, super_nodes_around(node_id, names), names)


def _starts(text: str, mark: str) -> Iterator[str]:
    """What stands before each of the marks in a text, the longest first."""
    end = text.rfind(mark)
    while end > 0:
        yield text[:end]
        end = text.rfind(mark, 0, end)

"""The selected node or edge of the graph on view."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from debugger.session.session import DebugSession
from debugger.views import state


class Element(NamedTuple):
    """Node or edge of the graph on view."""

    kind: Literal["node", "edge"]
    id: str

    @classmethod
    def from_browser(cls, value: Any) -> Element | None:
        """Read the picture's value; ``None`` where no element is selected."""
        if not isinstance(value, dict) or value.get("kind") not in ("node", "edge"):
            return None
        return cls(value["kind"], str(value.get("id")))


@dataclass
class Selection:
    """The chosen node or edge; both are never chosen at once."""

    node: str | None = None
    """The node's id. The graph forgets it while the table is shown instead."""
    edge: str | None = None
    """The edge's id."""

    def choose(self, element: Element | None) -> None:
        """Choose a node or an edge, or nothing."""
        self.node = element.id if element and element.kind == "node" else None
        self.edge = element.id if element and element.kind == "edge" else None


def selection_state(_: DebugSession) -> Hashable:
    """Return what a pane shows that marks the selected element."""
    chosen = state.record(Selection)
    return chosen.node, chosen.edge


def chosen_element() -> Element | None:
    """Return the selected node or edge."""
    chosen = state.record(Selection)
    if chosen.node is not None:
        return Element("node", chosen.node)
    return None if chosen.edge is None else Element("edge", chosen.edge)


def sent_element(name: Literal["selected", "breakpoint"]) -> Element | None:
    """Return the element of a value that the graph component holds."""
    return Element.from_browser(state.sent_by_browser(state.GRAPH_KEY, name))

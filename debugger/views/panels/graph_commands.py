"""What a click on the graph, or on a row of its tables, does."""

from __future__ import annotations

from debugger.views import state
from debugger.views.selection import Element


def choose(element: Element | None, tab: str) -> None:
    """Choose a node or an edge, or nothing.

    Args:
        element: What is chosen.
        tab: The tab of the inspector that shows it.
    """
    page = state.page()
    page.node = element.id if element and element.kind == "node" else None
    page.edge = element.id if element and element.kind == "edge" else None
    if element is not None:
        state.give_widget(state.TAB_KEY, tab)

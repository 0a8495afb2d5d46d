"""The Streamlit pages: they ask a session or a backend, and draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from debugger.views.components.toolbar import Item
from debugger.views.pages import compare, connection, debug, present, runs


@dataclass(frozen=True)
class View:
    """One page of the app."""

    name: str
    """Its path in the address, and how other pages link to it."""
    title: str
    icon: str
    render: Callable[[], None]
    head: Callable[[], list[Item]] | None = None
    """Draws what the page adds to the head; what of it stands in the bar."""


VIEWS = (
    View("debug", "Debug", ":material/bug_report:", debug.render, debug.head),
    View("present", "Present", ":material/slideshow:", present.render),
    View("runs", "Runs", ":material/history:", runs.render),
    View("compare", "Compare", ":material/compare_arrows:", compare.render),
    View("connection", "Connection", ":material/cable:", connection.render),
)
"""In the order of the navigation."""

"""Sizes of the panes of the debug page, which its user sets."""

from __future__ import annotations

from debugger.views.components.splitters import MaximisablePane, Split, splitters

PANES = (
    MaximisablePane("talk", "conversation", "Conversation"),
    MaximisablePane("graph", "graph", "Graph"),
    MaximisablePane("lower", "timeline", "Timeline"),
    MaximisablePane("inspect", "inspector", "Inspector"),
)
"""By their grid areas, see style.css."""

SPLITS = (
    Split("talk-width", "graph", "Width of the conversation", "width", 0.18, 0.45),
    Split("lower-width", "inspect", "Width of the timeline", "width", 0.47, 0.8),
    Split("upper-height", "2 / lower-start / 3 / -1", "Height of the upper panes", "height", 0.3, 0.8),
)
"""The limits leave every pane usable; those of the two widths never meet, as style.css needs."""


def pane_splitters() -> None:
    """Draw the bars between the panes, their buttons and their tabs."""
    splitters("splitters", SPLITS, PANES)

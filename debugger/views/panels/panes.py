"""Sizes of the panes of the debug page, which its user sets."""

from __future__ import annotations

from debugger.views.components.splitters import MaximisablePane, Split, splitters

PANES = (
    MaximisablePane("graph", "graph"),
    MaximisablePane("talk", "conversation"),
    MaximisablePane("inspect", "inspector"),
    MaximisablePane("lower", "lower pane"),
)
"""By their grid areas."""

SPLITS = (
    Split("wide-talk", "wide", "talk", "Width of the graph", "width", 0.22, 0.56),
    Split(
        "wide-inspect",
        "wide",
        "inspect",
        "Width of graph and conversation",
        "width",
        0.44,
        0.78,
        "wide-talk",
        0.22,
    ),
    Split("wide-upper", "wide", "lower", "Height of the upper panes", "window", 0.32, 0.85),
    Split("medium-talk", "medium", "talk", "Height of the graph", "upper", 0.38, 0.6),
    Split("medium-inspect", "medium", "inspect", "Width of graph and conversation", "width", 0.4, 0.68),
    Split("medium-upper", "medium", "lower", "Height of the upper panes", "window", 0.45, 0.9),
)
"""Their shares leave every pane usable in the narrowest room that has the layout."""


def pane_splitters() -> None:
    """Draw the bars between the panes, and their buttons."""
    splitters("splitters", SPLITS, PANES)

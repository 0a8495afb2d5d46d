"""Splitters between panes of the page, their maximise buttons and tabs.

Sizes and the maximised pane are the browser's own: no script runs when they change. Each size is a CSS
variable on the container of the panes, which style.css places by it; without one it has sizes of its own.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from debugger.protocol.json_codec import encode
from debugger.views.components.factory import component


@dataclass(frozen=True)
class Split:
    """One size of the panes that a bar changes."""

    name: str
    """Its CSS variable, without the dashes."""
    area: str
    """The grid area at whose left or upper edge its bar is."""
    label: str
    """For screen readers."""
    base: Literal["width", "height"]
    """Which size of all panes it is a share of."""
    least: float
    most: float
    is_lower: bool = False
    """Whether it is gone while the lower panes are folded."""


@dataclass(frozen=True)
class MaximisablePane:
    """A pane that can be shown alone."""

    name: str
    """The grid area that style.css gives to it."""
    label: str
    """For screen readers."""
    tab: str
    """Its tab, where there is room for one pane alone."""
    is_lower: bool = False
    """Whether it can be folded."""


PANES = (
    MaximisablePane("talk", "conversation", "Conversation"),
    MaximisablePane("graph", "graph", "Graph"),
    MaximisablePane("lower", "timeline", "Timeline", is_lower=True),
    MaximisablePane("inspect", "inspector", "Inspector", is_lower=True),
)
"""By their grid areas, see style.css."""

SPLITS = (
    Split("talk-width", "graph", "Width of the conversation", "width", 0.18, 0.45),
    Split("lower-width", "inspect", "Width of the timeline", "width", 0.47, 0.8, is_lower=True),
    Split(
        "upper-height",
        "2 / lower-start / 3 / -1",
        "Height of the upper panes",
        "height",
        0.3,
        0.8,
        is_lower=True,
    ),
)
"""The limits leave every pane usable; those of the two widths never meet, as style.css needs."""

_SPLITTERS = component("pane_splitters", __package__, "splitters")


def pane_splitters(*, is_demo: bool = False, is_folded: bool = False, asked: str = "") -> None:
    """Draw the bars between the panes, their buttons and their tabs.

    Args:
        is_demo: Whether the demo view is on view, which has none of them; style.css places its panes by an
            attribute of the root.
        is_folded: Whether the lower panes are folded: none of them is maximised or a tab then.
        asked: The name of the pane for which they were unfolded; empty where none was asked for.
    """
    arrangement = {"splits": [asdict(each) for each in SPLITS], "panes": [asdict(each) for each in PANES]}
    # As one text: Streamlit would look through all that it holds for tables.
    panes = {"arrangement": encode(arrangement).decode(), "is_folded": is_folded, "asked": asked}
    _SPLITTERS(key="splitters", data=panes | {"is_demo": is_demo})

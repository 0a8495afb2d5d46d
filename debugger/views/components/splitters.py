"""Splitters between panes of the page, their maximise buttons and tabs.

Sizes and the maximised pane are the browser's own: no script runs when they change. Each size is a CSS
variable on the container of the panes, which style.css places by it; without one it has sizes of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
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

    def __post_init__(self) -> None:
        """Refuse limits between which no size is left."""
        if not 0 < self.least < self.most < 1:
            raise ValueError(f"{self.name}: a share is more than 0 and less than 1, the least below the most")


@dataclass(frozen=True)
class MaximisablePane:
    """A pane that can be shown alone."""

    name: str
    """The grid area that style.css gives to it."""
    label: str
    """For screen readers."""
    tab: str
    """Its tab, where there is room for one pane alone."""


_SPLITTERS = component("pane_splitters", __package__, "splitters")


def splitters(key: str, splits: Sequence[Split], panes: Sequence[MaximisablePane]) -> None:
    """Draw the bars and buttons over the panes.

    Args:
        key: The widget's.
        splits: The sizes that can be changed.
        panes: The panes, each with a button.
    """
    arrangement = {"splits": [asdict(each) for each in splits], "panes": [asdict(each) for each in panes]}
    # As one text: Streamlit would look through all that it holds for tables.
    _SPLITTERS(key=key, data={"arrangement": encode(arrangement).decode()})

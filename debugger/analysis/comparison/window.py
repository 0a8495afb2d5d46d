"""Which rows of a comparison are on view."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

ROWS = 15
"""On view at once."""
_BEFORE = 4
"""How many rows stand above one that is gone to."""


def top_for(places: Sequence[int], chosen: int | None, top: int) -> int:
    """The uppermost row on view so that the chosen one is among them; it stays where it is if it can.

    Args:
        places: The rows that a filter lets through, in order, by their places in the comparison.
        chosen: The chosen row's place.
        top: Which of ``places`` is the uppermost now.
    """
    last = max(0, len(places) - ROWS)
    held = min(max(0, top), last)
    if chosen is None:
        return held
    found = bisect_left(places, chosen)
    return held if held <= found < held + ROWS else min(max(0, found - _BEFORE), last)

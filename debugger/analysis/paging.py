"""Pages of long tables, and the visible rows of a comparison."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

SIZE = 200
"""Rows on a page."""


def page_count(rows: int) -> int:
    """Return the number of pages; at least one."""
    return max(-(-rows // SIZE), 1)


def page_of(place: int) -> int:
    """Return the page, from 1, of the row with this index."""
    return place // SIZE + 1


def page_bounds(page: int, rows: int) -> tuple[int, int]:
    """Return a page's first row and the row after its last.

    Pages count from 1.
    """
    first = min(max(page - 1, 0), page_count(rows) - 1) * SIZE
    return first, min(first + SIZE, rows)


VISIBLE_ROWS = 15
"""On view at once."""
_BEFORE = 4
"""Rows above the one that is scrolled to."""


def first_visible_row(places: Sequence[int], chosen: int | None, top: int | None) -> int:
    """Return the first visible row so that the chosen one is visible.

    It stays the same if possible.

    Args:
        places: The rows that a filter lets through, in order, by their places in the comparison.
        chosen: The chosen row's place.
        top: Which of ``places`` is the uppermost now; ``None`` puts it just above the chosen one.
    """
    last = max(0, len(places) - VISIBLE_ROWS)
    held = min(max(0, top or 0), last)
    if chosen is None:
        return held
    found = bisect_left(places, chosen)
    is_visible = top is not None and held <= found < held + VISIBLE_ROWS
    return held if is_visible else min(max(0, found - _BEFORE), last)

"""Pages of long tables."""

from __future__ import annotations

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

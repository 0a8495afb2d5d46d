"""A long table in pages, of which one is shown: the last one, unless another one is asked for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

SIZE = 200
"""Rows on a page."""


def page_count(rows: int, size: int = SIZE) -> int:
    """How many pages there are; at least one."""
    return max(-(-rows // size), 1)


def page_of(place: int, size: int = SIZE) -> int:
    """The page, from 1, on which a row stands, given its place from 0."""
    return place // size + 1


def page_bounds(page: int, rows: int, size: int = SIZE) -> tuple[int, int]:
    """The first row of a page, and the one after its last. Pages count from 1."""
    first = min(max(page - 1, 0), page_count(rows, size) - 1) * size
    return first, min(first + size, rows)


VISIBLE_ROWS = 15
"""On view at once."""
_BEFORE = 4
"""How many rows stand above one that is gone to."""


def first_visible_row(places: Sequence[int], chosen: int | None, top: int) -> int:
    """The uppermost row on view so that the chosen one is among them; it stays where it is if it can.

    Args:
        places: The rows that a filter lets through, in order, by their places in the comparison.
        chosen: The chosen row's place.
        top: Which of ``places`` is the uppermost now.
    """
    last = max(0, len(places) - VISIBLE_ROWS)
    held = min(max(0, top), last)
    if chosen is None:
        return held
    found = bisect_left(places, chosen)
    return held if held <= found < held + VISIBLE_ROWS else min(max(0, found - _BEFORE), last)

"""A long table in pages, of which one is shown: the last one, unless another one is asked for."""

from __future__ import annotations

SIZE = 200
"""Rows on a page."""


def page_count(rows: int, size: int = SIZE) -> int:
    """How many pages there are; at least one."""
    return max(-(-rows // size), 1)


def page_of(place: int, size: int = SIZE) -> int:
    """The page, from 1, on which a row stands, given its place from 0."""
    return place // size + 1


def bounds(page: int, rows: int, size: int = SIZE) -> tuple[int, int]:
    """The first row of a page, and the one after its last. Pages count from 1."""
    first = min(max(page - 1, 0), page_count(rows, size) - 1) * size
    return first, min(first + size, rows)

"""How high a table is: as high as its rows, up to a limit from which it scrolls."""

from __future__ import annotations

from typing import Literal

ROW = 32
"""Pixels of one row."""


def table_height(rows: int, most: int) -> int | Literal["content"]:
    """The height of a table.

    Args:
        rows: How many it has.
        most: How many are shown at once.
    """
    return "content" if rows <= most else ROW * (most + 1)


def list_height(rows: int, most: int) -> int:
    """The same of a list that is no table of Streamlit's, its head included."""
    return ROW * (min(rows, most) + 1)

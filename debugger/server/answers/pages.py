"""The envelope of lists (``platform/wire.md`` 1.10)."""

from __future__ import annotations

from typing_extensions import TypedDict


class Page(TypedDict):
    """A page of a longer list; the rows stand beside."""

    total: int
    page: int
    size: int
    pages: int
    has_next: bool

"""One page of a longer list, as a request asks for it and an answer tells it."""

from __future__ import annotations

from math import ceil
from typing import Annotated, Any

from fastapi import Query

from debugger.protocol.base import JsonObject

PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
PageSize = Annotated[int, Query(ge=1, le=1_000)]

DEFAULT_SIZE = 100
"""Rows in a page when a request names no size (``platform/wire.md`` 1.10)."""


def page_envelope(name: str, rows: list[Any], *, page: int, size: int, total: int) -> JsonObject:
    """The answer around some rows, with every sign that clients look for to know whether there are more.

    Args:
        name: The key of the rows.
        rows: The rows of this page.
        page: Its number, from 1.
        size: How many rows a full page has.
        total: How many rows there are in all.

    Source: ``platform/wire.md`` 1.10.
    """
    return {
        name: rows,
        "total": total,
        "page": page,
        "size": size,
        "pages": ceil(total / size),
        "has_next": page * size < total,
    }

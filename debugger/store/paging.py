"""Pages of a list."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select

from debugger.errors import InputError


def page_of(statement: Select[Any], page: int, size: int) -> Select[Any]:
    """The part of a list that one page shows.

    Args:
        statement: The whole list.
        page: Counts from 1.
        size: Rows on a page.

    Raises:
        InputError: Page or size is below 1.
    """
    if page < 1 or size < 1:
        raise InputError(
            f"There is no page {page} of {size} rows.", advice="Pages count from 1 and have 1 row or more."
        )
    return statement.limit(size).offset((page - 1) * size)

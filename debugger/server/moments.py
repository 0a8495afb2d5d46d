"""Moments in a query: ISO 8601, in UTC where they name no zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query

Moment = Annotated[datetime | None, Query()]


def in_utc(moment: datetime) -> datetime:
    """A moment that knows its zone."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)

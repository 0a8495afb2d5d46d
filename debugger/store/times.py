"""Moments: seconds since 1970 in the database, ISO 8601 text on the wire."""

from __future__ import annotations

from datetime import UTC, datetime


def iso_time(seconds: float) -> str:
    """A moment as ISO 8601 text in UTC, cut to the millisecond: ``2026-07-01T10:00:00.000Z``."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def seconds_of(text: str) -> float:
    """The moment of an ISO 8601 text; of a text that is none the present one."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.now(UTC)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

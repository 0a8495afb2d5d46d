"""Moments: seconds since 1970 in the database, ISO 8601 text on the wire."""

from __future__ import annotations

from datetime import UTC, datetime

from debugger.errors import InputError

MILLISECOND = 0.001
"""How exact a moment is on the wire."""


def iso_time(seconds: float) -> str:
    """A moment as ISO 8601 text in UTC, cut to the millisecond: ``2026-07-01T10:00:00.000Z``."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def seconds_of(name: str, text: str) -> float:
    """The moment that an ISO 8601 text names; one without a zone is taken as UTC, a mere day as its midnight.

    Args:
        name: What the text was given as, for the message.
        text: The text.

    Raises:
        InputError: The text is not a moment.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{name} is {text!r}, which is not a moment.",
            advice="Write it like 2026-07-01T10:00:00Z.",
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

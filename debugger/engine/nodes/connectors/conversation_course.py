"""How a call goes that nobody really makes: the statuses that it passes through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from debugger.engine.outbound import RecordedAnswer

STATUSES = ("initiated", "in-progress", "completed", "failed")
"""All that a conversation can have (``platform/engine.md`` 2.9)."""


@dataclass(frozen=True)
class Course:
    """The statuses of a call in order, one a poll; the last one stays."""

    conversation_id: str
    statuses: tuple[str, ...] = ("initiated", "in-progress", "completed")
    transcript: str | None = None
    """What was said, where a person recorded it."""
    error: str | None = None
    """Why it failed, where it did."""

    def status(self, number: int) -> str:
        """The status at a poll, counted from 0."""
        return self.statuses[min(number, len(self.statuses) - 1)]


def course_of(recorded: RecordedAnswer | None, conversation_id: str) -> Course:
    """The course that a person recorded, or one that goes well.

    Args:
        recorded: Its body is a status, a list of them, or an object that may have ``conversation_id``,
            ``conversation_status`` (one or a list; ``status`` is read too), ``transcript`` and ``error``.
        conversation_id: The id where the recorded answer has none.

    Returns:
        The course. It fails where a status code outside 200 to 299 was recorded, or a status that no
        conversation can have.
    """
    if recorded is None:
        return Course(conversation_id)
    if recorded.status is not None and not 200 <= recorded.status < 300:
        told = f"The service for calls answered with the status {recorded.status}."
        return Course(conversation_id, ("failed",), error=told)
    return _course_in(recorded.body, conversation_id)


def _course_in(body: Any, conversation_id: str) -> Course:
    given = body if isinstance(body, dict) else {"status": body}
    statuses = _named(given.get("conversation_status", given.get("status")))
    unknown = next((status for status in statuses if status not in STATUSES), None)
    error, transcript = given.get("error"), given.get("transcript")
    if unknown is not None:
        statuses = ()
        error = f"The recorded status {unknown!r} is not one of {', '.join(STATUSES)}."
    if error and statuses[-1:] != ("failed",):
        statuses = (*statuses, "failed")
    return Course(
        str(given.get("conversation_id") or conversation_id),
        statuses or Course.statuses,
        transcript=None if transcript is None else str(transcript),
        error=str(error) if error else None,
    )


def _named(given: Any) -> tuple[str, ...]:
    listed = given if isinstance(given, list) else [given]
    return tuple(status for status in listed if isinstance(status, str) and status)

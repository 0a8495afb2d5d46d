"""Failed attempts of a model call, by the usage of its event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from debugger.analysis.event_fields import values_of
from debugger.protocol.event_values import AttemptValues, FailedAttempts
from debugger.protocol.events import Event


@dataclass(frozen=True)
class FailedAttempt:
    """An attempt of a model call that was of no use."""

    number: int
    """Counts those of its kind, from 1."""
    kind: str
    """In words."""
    error: str
    latency_ms: float | None


def failed_attempts(event: Event) -> list[FailedAttempt]:
    """Return the failed attempts that the usage of an event names."""
    usage = values_of(event).llm_usage_info
    return [
        *_read(usage.request_retry_metadata, "Request failed"),
        *_read(usage.structured_output_retry_metadata, "Output did not fit"),
    ]


def _read(metadata: FailedAttempts, kind: str) -> Iterator[FailedAttempt]:
    for place, attempt in enumerate(map(AttemptValues, metadata.failed_attempts), start=1):
        number = place if attempt.attempt_number is None else attempt.attempt_number
        yield FailedAttempt(number, kind, attempt.error_message, attempt.latency_milliseconds)

"""The limits of one HTTP call, apart from its time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HttpLimits:
    """How far a call may go."""

    connect_seconds: float = 5
    """Until a connection must stand."""
    answer_bytes: int = 5_000_000
    """Of the answer's body, unpacked."""
    redirects: int = 5
    """That are followed."""
    refuses_private: bool = False
    """Refuse loopback, private networks and whatever else the Internet cannot reach."""

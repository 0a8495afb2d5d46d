"""Time in which a segment waited for the user, kept out of its durations and reported in its events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from debugger.protocol.base import JsonObject

PauseKind = Literal["paused", "manual_answer"]
"""Held between two events by the debugger, or waiting for the user to answer in a model's place."""

PAUSED_INTERVALS = "paused_intervals"
"""The key of an event that lists the pauses since the event before it."""

_SHORTEST = 0.001
"""Seconds; what is shorter is no pause that anybody made."""


class PauseClock:
    """Clock of one segment that stops during pauses.

    Events keep their real times, so that the intervals are recorded: the next event that the record keeps
    carries them as ``paused_intervals``, a list of objects with ``kind``, ``began_at`` and ``ended_at``.

    Args:
        now: Gives the time in seconds since the epoch.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.unreported: list[JsonObject] = []
        """Pauses that no event carries yet."""
        self._now = now
        self._paused = 0.0

    def active_time(self) -> float:
        """Return a time in seconds whose differences are durations without pauses."""
        return self._now() - self._paused

    @contextmanager
    def hold(self, kind: PauseKind) -> Iterator[None]:
        """Stop the clock for as long as the block lasts."""
        began = self._now()
        try:
            yield
        finally:
            ended = self._now()
            if ended - began >= _SHORTEST:
                self._paused += ended - began
                self.unreported.append({"kind": kind, "began_at": began, "ended_at": ended})

    def take_unreported(self) -> list[JsonObject]:
        """Return the pauses that no event carries yet, once."""
        taken, self.unreported = self.unreported, []
        return taken

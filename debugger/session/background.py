"""The schedule of background work between turns of the user."""

from __future__ import annotations

import random
from collections.abc import Callable

from debugger.errors import (
    AnswerError,
    ConflictError,
    ConnectionFailedError,
    DebuggerError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StoreError,
)
from debugger.protocol.runs import TurnResult

STEP_EVERY = 1.0
"""Seconds from one step to the next; asking more often only adds load (``platform.md#background-work``)."""
MAX_QUIET_STEPS = 60
"""Steps in a row in which nothing happens before the work is left alone (``platform.md#background-work``)."""

MAX_RETRY_WAIT = 60.0
"""Seconds between two tries of a step that fails, at most."""
_MAX_DOUBLINGS = 10
_TRANSIENT = (
    AnswerError,
    ConflictError,
    ConnectionFailedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StoreError,
)


class BackgroundScheduler:
    """Decides when the next step of a run's background work is executed.

    Args:
        now: Gives the time in seconds since the epoch.
        halted: Why the work of this run never goes on by itself, as a sentence; empty where it may.
    """

    def __init__(self, now: Callable[[], float], halted: str = "") -> None:
        self.automatic = True
        """Whether the work is to go on by itself."""
        self.has_work = False
        """Whether there is any, as far as is known."""
        self.halted = halted
        """Why the work does not go on by itself although it is to, as a sentence; empty while it does."""
        self.evaluations = 0
        """How often the conditions were judged that may move the run while it waits for the user."""
        self.retrying = ""
        """Why the last step failed that is executed again by itself; empty after one that succeeded."""
        self._now = now
        self._always_halted = halted
        self._quiet = 0
        self._failures = 0
        self._due = 0.0
        self._scheduled_at = 0.0

    @property
    def continues(self) -> bool:
        """Return whether there is work that continues by itself."""
        return self.has_work and self.automatic and not self.halted

    @property
    def is_due(self) -> bool:
        """Return whether the next step is due."""
        return self.continues and self.seconds_left <= 0

    @property
    def seconds_left(self) -> float:
        """Seconds until the next step is due; none where the clock was set back since the last one."""
        now = self._now()
        return max(self._due - now, 0.0) if now >= self._scheduled_at else 0.0

    def resume(self) -> None:
        """Resume the work from now, unless it never goes on by itself."""
        self.halted, self.retrying = self._always_halted, ""
        self._quiet = self._failures = 0
        self._due = self._scheduled_at = self._now()

    def halt(self, reason: str) -> None:
        """Halt the work until it is resumed; the reason is a sentence."""
        self.halted = reason

    def on_turn(self, result: TurnResult) -> None:
        """Schedule the first step after a turn of the user."""
        self.resume()
        self.evaluations = 0
        self._put_off(result)

    def on_step(self, result: TurnResult, *, is_quiet: bool) -> None:
        """Schedule the next step after one that was executed; halt after ``MAX_QUIET_STEPS`` quiet ones.

        The next one is due in ``STEP_EVERY`` seconds, or when the result says. Earlier failures are
        forgotten.

        Args:
            result: How it ended.
            is_quiet: Whether nothing happened in it.
        """
        self._failures, self.retrying = 0, ""
        self._put_off(result)
        self._quiet = self._quiet + 1 if is_quiet else 0
        if self._quiet >= MAX_QUIET_STEPS:
            self.halt(f"Nothing has happened in {MAX_QUIET_STEPS} steps.")

    def on_failure(self, error: DebuggerError) -> bool:
        """Schedule a step again that failed for a passing reason; any other failure halts the work.

        The wait is random, doubles with each failure in a row up to `MAX_RETRY_WAIT`, and is at least as long
        as a rate limit demands. `retrying` holds the message meanwhile.

        Returns:
            Whether the step is executed again by itself.
        """
        if not isinstance(error, _TRANSIENT):
            self.halt("The last step failed.")
            return False
        self.retrying = error.message
        wait = min(MAX_RETRY_WAIT, STEP_EVERY * 2**self._failures) * random.uniform(0.5, 1.0)
        if isinstance(error, RateLimitError):
            wait = max(wait, error.retry_after or 0.0)
        self._failures = min(self._failures + 1, _MAX_DOUBLINGS)
        self._scheduled_at = self._now()
        self._due = self._scheduled_at + wait
        return True

    def _put_off(self, result: TurnResult) -> None:
        self.has_work = result.has_background_work and not result.is_completed
        self._scheduled_at = self._now()
        self._due = max(self._scheduled_at + STEP_EVERY, result.next_due or 0.0)

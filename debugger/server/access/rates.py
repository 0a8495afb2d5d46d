"""How often somebody may ask in a minute."""

from __future__ import annotations

import time
from collections.abc import Callable

MINUTE = 60.0


class Rate:
    """Counts what each of many does, in this process.

    Looks back over a minute: what was done in the last minute of the clock counts for the part of it that is
    not a minute ago yet, as if it had been done evenly. After another minute it is forgotten.

    Written out, though there is a package for it, ``limits``: its counts in memory start a thread with nearly
    every request, which costs 0.3 ms where this costs less than a microsecond.

    Args:
        most: Times a minute; 0 for as often as one likes.
        now: Gives a time in seconds that only goes forward.
    """

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._now = now
        self._minute = 0
        self._counts: dict[str, int] = {}
        self._before: dict[str, int] = {}

    def wait(self, who: str) -> float | None:
        """Seconds to wait; ``None`` where one need not, and this time is counted then."""
        if not self._most:
            return None
        minute, into = divmod(self._now(), MINUTE)
        self._turn_to(int(minute))
        count, before = self._counts.get(who, 0), self._before.get(who, 0)
        if count + before * (1 - into / MINUTE) + 1 <= self._most:
            self._counts[who] = count + 1
            return None
        return _until_free(self._most, count, before, into)

    def _turn_to(self, minute: int) -> None:
        if minute != self._minute:
            self._before = self._counts if minute == self._minute + 1 else {}
            self._counts = {}
            self._minute = minute


def _until_free(most: int, count: int, before: int, into: float) -> float:
    """Seconds until one more fits.

    Args:
        most: Times a minute.
        count: Times in this minute of the clock.
        before: Times in the one before.
        into: Seconds that this minute is old.
    """
    if count + 1 <= most:  # once enough of the minute before is over
        return MINUTE * (1 - (most - count - 1) / before) - into
    # Once this minute is over, and so much of it too that there is room for one.
    return MINUTE - into + MINUTE * (1 - (most - 1) / count)

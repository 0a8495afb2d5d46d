"""Leases as this process sees them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple

from debugger.store.claims import ClaimedTurn


class _Sight(NamedTuple):
    """A claim as it was read, and since when it has been the same."""

    claim_id: str
    lease_until: float
    since: float
    """On the monotonic clock."""


class LeaseWatch:
    """Measures on this process's monotonic clock how long claims have not been renewed; thread-safe.

    SQLite has no clock of its own, and those of two machines, or of one before and after it was set, differ.
    A claim that is met for the first time is therefore watched for the whole length of its lease.
    """

    def __init__(self) -> None:
        self._sights: dict[str, _Sight] = {}
        """By run: one turn of a run is in progress at a time."""
        self._lock = threading.Lock()

    def find_unrenewed(
        self,
        claimed: Sequence[ClaimedTurn],
        asked_at: float,
        answered_at: float,
        *,
        run_id: str | None = None,
    ) -> set[str]:
        """Return the ids of the claims that have not been renewed for the length of their lease.

        Remembers each claim since when it is unchanged, and forgets claims that are not among those read:
        all, or those of ``run_id``. A claim that is new or was renewed counts from ``answered_at``.

        Args:
            claimed: All claims that were read.
            asked_at: When they were about to be read, in seconds on the monotonic clock, like the next.
            answered_at: When they were read.
            run_id: The only run whose claims were read.
        """
        sights = {}
        with self._lock:
            for turn in claimed:
                known = self._sights.get(turn.run_id)
                if known is None or known[:2] != (turn.claim_id, turn.lease_until):
                    known = _Sight(turn.claim_id, turn.lease_until, answered_at)
                sights[turn.run_id] = known
            if run_id is None:
                self._sights = sights
            else:
                self._sights.pop(run_id, None)
                self._sights.update(sights)
        # From the end of the first look to the beginning of this one: between them nothing was written.
        return {
            turn.claim_id
            for turn in claimed
            if max(asked_at - sights[turn.run_id].since, 0) >= turn.lease_seconds
        }

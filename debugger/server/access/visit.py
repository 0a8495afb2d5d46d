"""A caller who stays, as one on a socket does."""

from __future__ import annotations

import asyncio

from debugger.server.access.caller import Caller
from debugger.server.access.key_ring import FRESH_SECONDS, KeyRing
from debugger.server.access.rates import Rate


class Visit:
    """Sees to it that what holds for each request holds for each turn of somebody who has come in once.

    Args:
        caller: Who was let in.
        ring: Knows the keys.
        rate: Counts what each key is used for.
    """

    def __init__(self, caller: Caller, ring: KeyRing, rate: Rate) -> None:
        self._caller = caller
        self._ring = ring
        self._rate = rate

    @property
    def key_id(self) -> str | None:
        """Return the key that the caller has shown; ``None`` where none is needed."""
        return self._caller.key_id

    async def over(self) -> None:
        """Wait until the caller would not be let in any more."""
        while await self._ring.still_lets_in(self._caller):
            await asyncio.sleep(FRESH_SECONDS)

    def wait(self) -> float | None:
        """Seconds until the next turn may be sent; ``None`` where it may be now, and is counted."""
        return None if self._caller.key_id is None else self._rate.wait(self._caller.key_id)

"""A caller who stays, as one on a socket does."""

from __future__ import annotations

import asyncio

from debugger.server.access.caller import Caller
from debugger.server.access.key_ring import FRESH_SECONDS, KeyRing


class Visit:
    """Watches whether the caller on an open socket would still be let in.

    Args:
        caller: Who was let in.
        ring: Knows the keys.
    """

    def __init__(self, caller: Caller, ring: KeyRing) -> None:
        self._caller = caller
        self._ring = ring

    @property
    def key_id(self) -> str | None:
        """Return the key that the caller has shown; ``None`` where none is needed."""
        return self._caller.key_id

    async def over(self) -> None:
        """Wait until the caller would not be let in any more."""
        while await self._ring.still_lets_in(self._caller):
            await asyncio.sleep(FRESH_SECONDS)

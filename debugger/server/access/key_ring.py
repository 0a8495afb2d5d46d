"""The keys that open the server, as they were a moment ago."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable

from debugger.errors import StoreError
from debugger.server.access.caller import SHARED, Caller
from debugger.store import ApiKeys, digest_of

FRESH_SECONDS = 1.0
"""How long the keys are used without looking again: so long a revoked key may go on opening."""


class KeyRing:
    """Knows who shows a key.

    All keys of people are read at once, once a second at most and only while somebody asks: the database is
    asked no more often, however many keys are tried.

    Args:
        keys: Those of people; ``None`` where there can be none.
        shared: The key that the server was started with, which is an administrator's.
        now: Gives a time in seconds that only goes forward.
    """

    def __init__(
        self, keys: ApiKeys | None, shared: str | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys = keys
        self._shared = digest_of(shared.encode()) if shared else None
        self._now = now
        self._callers: dict[str, Caller] = {}
        self._ids: frozenset[str] = frozenset()
        self._is_needed = self._shared is not None
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def find(self, shown: bytes) -> Caller | None:
        """Who shows a key; ``None`` where it is nobody's.

        Digests are looked up, in a time that may depend on how much of two of them is alike. That tells
        nothing of a key: nobody can choose what the digest of a guess will be.

        Raises:
            StoreError: The database does not tell.
        """
        digest = digest_of(shown)
        if self._shared is not None and hmac.compare_digest(digest, self._shared):
            return SHARED
        await self._look_again()
        return self._callers.get(digest)

    def demand(self) -> None:
        """Ask for a key from now on, even if there is none in the store any more."""
        self._is_needed = True

    async def is_needed(self) -> bool:
        """Whether one has to show a key.

        One has to from the moment on when there is one, and also when all are revoked: taking the last key
        away must not open the door.

        Raises:
            StoreError: The database does not tell.
        """
        if not self._is_needed:
            await self._look_again()
        return self._is_needed

    async def still_lets_in(self, caller: Caller) -> bool:
        """Whether somebody who was let in would be now, too; yes while the database does not tell."""
        if caller is SHARED:
            return True
        try:
            if caller.key_id is None:
                return not await self.is_needed()
            await self._look_again()
        except StoreError:
            return True
        return caller.key_id in self._ids

    async def _look_again(self) -> None:
        if self._keys is None or self._now() - self._read_at <= FRESH_SECONDS:
            return
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(self._keys))
        # All who ask meanwhile wait for the same, and hear of the same error: a database that answers late
        # would else let them wait one after the other. None who leaves ends it for the others.
        await asyncio.shield(self._reading)

    async def _read(self, keys: ApiKeys) -> None:
        began = self._now()
        try:
            known = await asyncio.to_thread(keys.all)
        finally:
            self._reading = None
        self._read_at = began
        # The key of a team opened a store of its own, which no server serves any more.
        good = [key for key in known if key.revoked_at is None and key.team is None]
        self._callers = {key.digest: Caller(key.role, key.person, key.id) for key in good}
        self._ids = frozenset(key.id for key in good)
        self._is_needed = self._is_needed or bool(known)

"""API keys, the principals that they authenticate, and tokens for sockets."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qs

from starlette.types import Scope

from debugger.errors import StoreError
from debugger.protocol.urls import STREAM
from debugger.store import ApiKeys, Role, digest_of

FRESH_SECONDS = 1.0
"""Age up to which the keys are used without reading them again: so long a revoked key is still valid."""
TOKEN_SECONDS = 60.0
"""Time in which a token for a socket is valid."""
MAX_TOKENS = 10_000
"""Unused tokens at a time; the oldest are dropped first."""

_SCOPE_KEY = "debugger.principal"


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller."""

    role: Role
    person: str | None = None
    """The owner of the key; ``None`` for a shared key, whose users name themselves."""
    key_id: str | None = None
    """The key; ``None`` on a server without keys."""


LOCAL_USER = Principal(Role.ADMIN)
"""The user of a server without keys, which answers to this machine only."""
SHARED_KEY = Principal(Role.ADMIN, key_id="shared")
"""Users of the key that the server was started with."""


def set_principal(scope: Scope, principal: Principal) -> None:
    """Record the principal of a request."""
    scope[_SCOPE_KEY] = principal


def principal_of(scope: Scope) -> Principal:
    """Return the principal of a request.

    Raises KeyError for a request to an open path, which has none.
    """
    return cast(Principal, scope[_SCOPE_KEY])


class KeyStore:
    """The valid keys, read from the store at most once a second.

    Args:
        keys: The keys of people; ``None`` where there can be none.
        shared: The key that the server was started with, an administrator's.
        now: Returns a time in seconds that only goes forward.
    """

    def __init__(
        self, keys: ApiKeys | None, shared: str | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin without keys in memory: the first look-up reads the store.

        Of the shared key only the digest is kept; an empty one is the same as none.
        """
        self._keys = keys
        self._shared = digest_of(shared.encode()) if shared else None
        self._now = now
        self._principals: dict[str, Principal] = {}
        self._ids: frozenset[str] = frozenset()
        self._is_required = self._shared is not None
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def find(self, key: bytes) -> Principal | None:
        """Return the principal of a key; ``None`` where it is not valid.

        The shared key is found without the store; any other one is valid up to `FRESH_SECONDS` after it was
        revoked. Digests are looked up in a time that may depend on how much of two of them is alike. That
        reveals nothing of a key: the digest of a guess cannot be chosen.

        Raises:
            StoreError: The database cannot be read.
        """
        digest = digest_of(key)
        if self._shared is not None and hmac.compare_digest(digest, self._shared):
            return SHARED_KEY
        await self._refresh()
        return self._principals.get(digest)

    def require(self) -> None:
        """Require a key from now on, also from an empty store."""
        self._is_required = True

    async def is_required(self) -> bool:
        """Return whether requests need a key.

        They do from the first key on, and also once all keys are revoked: revoking the last key must not open
        the server.

        Raises:
            StoreError: The database cannot be read.
        """
        if not self._is_required:
            await self._refresh()
        return self._is_required

    async def is_still_valid(self, principal: Principal) -> bool:
        """Return whether a principal is still valid.

        The shared key always is, the local user as long as no key is required, any other one until the key is
        revoked. True while the database cannot be read.
        """
        if principal is SHARED_KEY:
            return True
        try:
            if principal.key_id is None:
                return not await self.is_required()
            await self._refresh()
        except StoreError:
            return True
        return principal.key_id in self._ids

    async def _refresh(self) -> None:
        """Read the keys again, unless there is no store or they were read within `FRESH_SECONDS`.

        Concurrent calls wait for the same read, which goes on where one of them is cancelled. Raises
        StoreError when the database cannot be read.
        """
        if self._keys is None or self._now() - self._read_at <= FRESH_SECONDS:
            return
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(self._keys))
        # Concurrent requests wait for the same read, and get the same error: a slow database would otherwise
        # delay them one after the other. A request that is cancelled does not end it for the others.
        await asyncio.shield(self._reading)

    async def _read(self, keys: ApiKeys) -> None:
        """Read the valid keys from the store in a thread, and replace those in memory.

        A revoked key and the key of a team are not valid. Any key in the store, also a revoked one, makes
        keys required for good. Raises StoreError when the database cannot be read; the keys in memory stay,
        and the next call reads again.
        """
        began = self._now()
        try:
            known = await asyncio.to_thread(keys.all)
        finally:
            self._reading = None
        self._read_at = began
        # The key of a team opened a store of its own, which no server serves any more.
        valid = [key for key in known if key.revoked_at is None and key.team is None]
        self._principals = {key.digest: Principal(key.role, key.person, key.id) for key in valid}
        self._ids = frozenset(key.id for key in valid)
        self._is_required = self._is_required or bool(known)


class SessionTokens:
    """Unused tokens that open one socket each.

    They are for clients that cannot send headers on a handshake, and belong to this process.

    Args:
        now: Returns a time in seconds that only goes forward.

    Source: ``platform.md#websocket``.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._unused: OrderedDict[str, tuple[Principal, float]] = OrderedDict()
        self._lock = threading.Lock()

    def mint(self, principal: Principal) -> str:
        """Return a new token of a principal.

        It is valid for `TOKEN_SECONDS`. Beyond `MAX_TOKENS` unused ones the oldest are dropped.
        """
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._unused[token] = (principal, self._now() + TOKEN_SECONDS)
            while len(self._unused) > MAX_TOKENS:
                self._unused.popitem(last=False)
        return token

    def redeem(self, scope: Scope) -> Principal | None:
        """Return the principal of a handshake's token, and use the token up.

        ``None`` for another request than a handshake on the path of the stream, and for a token that is
        missing, unknown, used up or expired; an expired one is removed too. Of several tokens in the query
        the last counts.
        """
        if scope["type"] != "websocket" or not scope["path"].endswith(STREAM):
            return None
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[-1]
        with self._lock:
            principal, expires_at = self._unused.pop(token, (None, 0.0))
        return principal if self._now() <= expires_at else None

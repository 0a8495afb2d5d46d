"""The door that all requests come through."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from math import ceil

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from debugger.errors import AuthenticationError, DebuggerError, ForbiddenError, RateLimitError
from debugger.server.access.caller import OWNER, Caller, write_caller
from debugger.server.access.key_ring import KeyRing
from debugger.server.access.local_names import is_local_name
from debugger.server.access.roles import OPEN_PATHS, SOCKETS_NEED, too_little
from debugger.server.errors import error_reply

_log = logging.getLogger(__name__)

GUARDED = frozenset({"http", "websocket"})
"""What comes from outside; the rest is the server's own."""
MAX_WRONG_KEYS = 60
"""Requests without a valid key that are looked at in a minute from one address."""
_MINUTE = 60.0

_BEARER = b"bearer "


class Access:
    """Let requests in that show a key; where there are no keys, those that come by a local name.

    A page on the web can make a browser send requests to this machine under a name that its author owns.
    Without a key the name in the ``Host`` header is all that tells such a request from one's own.

    Whoever is let in is written on the request.

    Args:
        app: What is behind the door.
        ring: Knows the keys.
        admits: Gives the caller who has brought something else than a key, as sockets may.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        ring: KeyRing,
        admits: Callable[[Scope], Caller | None],
    ) -> None:
        self._app = app
        self._ring = ring
        self._wrong_keys = WrongKeys()
        self._admits = admits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] in GUARDED and scope["path"] not in OPEN_PATHS:
            try:
                write_caller(scope, await self._caller(scope))
            except DebuggerError as error:
                if error.status >= 500:
                    _log.warning("a request was not let in: %s", error)
                await error_reply(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller:
        """Who asks.

        Raises:
            AuthenticationError: It is not known.
            ForbiddenError: They may not do this.
            RateLimitError: They have asked too often.
        """
        caller = await self._known(scope) or await self._unknown(scope)
        if scope["type"] == "websocket" and not caller.role.covers(SOCKETS_NEED):
            raise ForbiddenError(too_little(caller.role, SOCKETS_NEED))
        return caller

    async def _known(self, scope: Scope) -> Caller | None:
        shown = _shown_key(scope)
        found = await self._ring.find(shown) if shown else None
        if found is None and scope["type"] == "websocket":
            found = self._admits(scope)
            if found is not None and not await self._ring.still_lets_in(found):
                return None
        return found

    async def _unknown(self, scope: Scope) -> Caller:
        """Whoever shows no good key.

        A good one is looked for first: whoever tries keys locks nobody out who shares their address.
        """
        if not await self._ring.is_needed():
            host = Headers(scope=scope).get("host", "")
            if is_local_name(host):
                return OWNER
            raise ForbiddenError(
                "This server has no API key and so answers to an address or to localhost only, not to "
                f"{host!r}. Start it with a key to reach it by that name."
            )
        wait = self._wrong_keys.retry_after(scope["client"][0] if scope.get("client") else "")
        if wait is not None:
            raise RateLimitError(
                "Too many requests without a key that is good here; the next one is looked at in "
                f"{ceil(wait)} s.",
                retry_after=wait,
            )
        raise AuthenticationError(
            "The API key is missing or is not this server's. Send 'Authorization: Bearer <key>'."
        )


class WrongKeys:
    """The times of requests without a valid key in the last minute, by address.

    Args:
        now: Returns a time in seconds that only goes forward.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._times: dict[str, deque[float]] = {}
        self._cleared_at = now()

    def retry_after(self, address: str) -> float | None:
        """Return the seconds to wait; ``None`` where the request may be looked at, which is then counted."""
        now = self._now()
        if now - self._cleared_at > _MINUTE:
            self._times = {key: times for key, times in self._times.items() if now - times[-1] < _MINUTE}
            self._cleared_at = now
        times = self._times.setdefault(address, deque(maxlen=MAX_WRONG_KEYS))
        if len(times) == MAX_WRONG_KEYS and now - times[0] < _MINUTE:
            return _MINUTE - (now - times[0])
        times.append(now)
        return None


def _shown_key(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"authorization":
            is_bearer = value[: len(_BEARER)].lower() == _BEARER
            return bytes(value[len(_BEARER) :].strip()) if is_bearer else b""
    return b""

"""The door that all requests come through."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from math import ceil

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from debugger.errors import AuthenticationError, DebuggerError, ForbiddenError, RateLimitError
from debugger.server.access.caller import OWNER, Caller, write_caller
from debugger.server.access.key_ring import KeyRing
from debugger.server.access.local_names import is_local_name
from debugger.server.access.rates import Rate
from debugger.server.access.roles import OPEN_PATHS, SOCKETS_NEED, too_little
from debugger.server.errors import error_reply

_log = logging.getLogger(__name__)

GUARDED = frozenset({"http", "websocket"})
"""What comes from outside; the rest is the server's own."""
WRONG_KEYS = 60
"""How many requests without a good key are looked at in a minute from one address."""

_BEARER = b"bearer "


class Access:
    """Let requests in that show a key; where there are no keys, those that come by a local name.

    A page on the web can make a browser send requests to this machine under a name that its author owns.
    Without a key the name in the ``Host`` header is all that tells such a request from one's own.

    Whoever is let in is written on the request, with the team whose data they see. The key decides on that
    and nothing else: in the header ``teamid`` the platform's client sends an id of the platform's.

    Args:
        app: What is behind the door.
        ring: Knows the keys.
        rate: Counts the requests by key; a person without one, on a machine of their own, is not counted.
        admits: Gives the caller who has brought something else than a key, as sockets may.
        welcome: Makes ready what a caller will need, and writes it on the request.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        ring: KeyRing,
        rate: Rate,
        admits: Callable[[Scope], Caller | None],
        welcome: Callable[[Scope, Caller], Awaitable[None]],
    ) -> None:
        self._app = app
        self._ring = ring
        self._rate = rate
        self._wrong = Rate(WRONG_KEYS)
        self._admits = admits
        self._welcome = welcome

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] in GUARDED and scope["path"] not in OPEN_PATHS:
            try:
                caller = await self._caller(scope)
                write_caller(scope, caller)
                await self._welcome(scope, caller)
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
        if caller.key_id is not None:
            wait = self._rate.wait(caller.key_id)
            if wait is not None:
                raise RateLimitError(
                    f"Too many requests with this key; the next one is taken in {ceil(wait)} s.",
                    retry_after=wait,
                )
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
        wait = self._wrong.wait(scope["client"][0] if scope.get("client") else "")
        if wait is not None:
            raise RateLimitError(
                "Too many requests without a key that is good here; the next one is looked at in "
                f"{ceil(wait)} s.",
                retry_after=wait,
            )
        raise AuthenticationError(
            "The API key is missing or is not this server's. Send 'Authorization: Bearer <key>'."
        )


def _shown_key(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"authorization":
            is_bearer = value[: len(_BEARER)].lower() == _BEARER
            return bytes(value[len(_BEARER) :].strip()) if is_bearer else b""
    return b""

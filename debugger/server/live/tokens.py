"""Tokens that open one socket each, for clients that cannot send headers on a handshake."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.types import Scope

from debugger.protocol.urls import STREAM
from debugger.server.access import Caller

LASTS = 60.0
"""Seconds in which a token is good."""
MOST = 10_000
"""Tokens that are out at a time; the oldest go first."""


class SessionTokens:
    """Tokens that were given out and not used yet, each with the caller that it stands for.

    They are this process's own: a client that sends its key with the handshake needs none.

    Args:
        now: Gives a time in seconds that only goes forward.

    Source: ``platform/wire.md`` 6.1.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._out: OrderedDict[str, tuple[Caller, float]] = OrderedDict()
        self._lock = threading.Lock()

    def mint(self, caller: Caller) -> str:
        """A new token, which stands for the one who asks for it."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._out[token] = (caller, self._now() + LASTS)
            while len(self._out) > MOST:
                self._out.popitem(last=False)
        return token

    def redeem(self, scope: Scope) -> Caller | None:
        """Whom the token of a handshake stands for, if it is a good one; it is used up."""
        if scope["type"] != "websocket" or not scope["path"].endswith(STREAM):
            return None
        shown = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[-1]
        with self._lock:
            caller, good_until = self._out.pop(shown, (None, 0.0))
        return caller if self._now() <= good_until else None

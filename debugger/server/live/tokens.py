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

LASTS = 60.0
"""Seconds in which a token is good."""
MOST = 10_000
"""Tokens that are out at a time; the oldest go first."""


class SessionTokens:
    """Tokens that were given out and not used yet (``platform/wire.md`` 6.1).

    They are this process's own: a client that sends its key with the handshake needs none.

    Args:
        now: Gives a time in seconds that only goes forward.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._good_until: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def mint(self) -> str:
        """A new token."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._good_until[token] = self._now() + LASTS
            while len(self._good_until) > MOST:
                self._good_until.popitem(last=False)
        return token

    def admit(self, scope: Scope) -> bool:
        """Whether a handshake brings a good token, which it uses up."""
        if scope["type"] != "websocket" or not scope["path"].endswith(STREAM):
            return False
        shown = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[-1]
        with self._lock:
            good_until = self._good_until.pop(shown, None)
        return good_until is not None and self._now() <= good_until

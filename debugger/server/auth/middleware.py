"""Authentication by key, by token or, without keys, by host name."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from ipaddress import ip_address
from math import ceil
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from debugger.errors import AuthenticationError, DebuggerError, ForbiddenError, RateLimitError
from debugger.server.auth.keys import LOCAL_USER, KeyStore, Principal, SessionTokens, set_principal
from debugger.server.auth.roles import OPEN_PATHS, SOCKET_ROLE, missing_role_message
from debugger.server.connections import source_of
from debugger.server.errors import error_response

_log = logging.getLogger(__name__)

MAX_WRONG_KEYS = 60
"""Requests without a valid key that are looked at in a minute from one address or IPv6 network."""
_MINUTE = 60.0
_BEARER = b"bearer "


class AuthMiddleware:
    """Pass requests with a valid key on.

    Without any key on the server, those by a local host name pass. A page on the web can make a browser send
    requests to this machine under a name that its author owns. Without a key only the name in the ``Host``
    header distinguishes such a request from the user's own.

    Args:
        app: The next application.
        keys: The valid keys.
        tokens: The tokens that open sockets.
    """

    def __init__(self, app: ASGIApp, *, keys: KeyStore, tokens: SessionTokens) -> None:
        self._app = app
        self._keys = keys
        self._tokens = tokens
        self._wrong_keys = WrongKeys()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or reject it.

        Open paths, and scopes that are neither ``http`` nor ``websocket``, pass unchecked. Else the principal
        is recorded in the scope, or the response of a DebuggerError is sent, without calling the application;
        one with a status of 500 or above is logged. Errors of the application leave unchanged.
        """
        if scope["type"] in ("http", "websocket") and scope["path"] not in OPEN_PATHS:
            try:
                set_principal(scope, await self._authenticate(scope))
            except DebuggerError as error:
                if error.status >= 500:
                    _log.warning("a request was not let in: %s", error)
                await error_response(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _authenticate(self, scope: Scope) -> Principal:
        """Return the principal of a request: that of its key or token, else the local user.

        An invalid key counts as none where the server requires no keys.

        Raises:
            AuthenticationError: A key is required, and there is no valid one.
            RateLimitError: The same, too often from one address.
            ForbiddenError: Without a key, the host name is not local or a page of another site posts; or the
                role of a socket's principal is not enough.
            StoreError: The database cannot be read.
        """
        # A valid key is looked for first: wrong keys lock nobody out who shares their address.
        principal = await self._find(scope)
        if principal is None:
            if await self._keys.is_required():
                raise self._wrong_key(scope)
            host = Headers(scope=scope).get("host", "")
            if not is_local_host(host):
                raise ForbiddenError(
                    "This server has no API key and so answers to an address or to localhost only, not to "
                    f"{host!r}. Start it with a key to reach it by that name."
                )
            if _is_simple_post(scope) and not is_same_site(Headers(scope=scope)):
                raise ForbiddenError("A page of another site may not send this request.")
            principal = LOCAL_USER
        if scope["type"] == "websocket" and not principal.role.covers(SOCKET_ROLE):
            raise ForbiddenError(missing_role_message(principal.role, SOCKET_ROLE))
        return principal

    async def _find(self, scope: Scope) -> Principal | None:
        """Return the principal of a request's key or of a socket's token; ``None`` where neither is valid.

        A token is looked at, and used up, only where no valid key was sent; a token of a revoked key gives
        ``None``. Raises StoreError when the keys cannot be read.
        """
        key = _bearer_key(scope)
        principal = await self._keys.find(key) if key else None
        if principal is None and scope["type"] == "websocket":
            principal = self._tokens.redeem(scope)
            if principal is not None and not await self._keys.is_still_valid(principal):
                return None
        return principal

    def _wrong_key(self, scope: Scope) -> DebuggerError:
        """Return the error for a request without a valid key, and count it for its address.

        It is an AuthenticationError, or beyond `MAX_WRONG_KEYS` in a minute a RateLimitError with the seconds
        to wait, which is not counted. Requests without an address count together.
        """
        wait = self._wrong_keys.retry_after(scope["client"][0] if scope.get("client") else "")
        if wait is None:
            return AuthenticationError(
                "The API key is missing or is not this server's. Send 'Authorization: Bearer <key>'."
            )
        return RateLimitError(
            "Too many requests without a key that is good here; the next one is looked at in "
            f"{ceil(wait)} s.",
            retry_after=wait,
        )


class WrongKeys:
    """Times of requests without a valid key, by address.

    Args:
        now: Returns a time in seconds that only goes forward.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._times: dict[str, deque[float]] = {}
        self._cleared_at = now()

    def retry_after(self, address: str) -> float | None:
        """Return the seconds to wait, or count the request and return ``None``.

        It has to wait once `MAX_WRONG_KEYS` were counted within a minute, until the oldest of them is a
        minute old. The addresses of an IPv6 network count together. Addresses without a request in the last
        minute are forgotten.
        """
        now = self._now()
        if now - self._cleared_at > _MINUTE:
            self._times = {key: times for key, times in self._times.items() if now - times[-1] < _MINUTE}
            self._cleared_at = now
        times = self._times.setdefault(source_of(address), deque(maxlen=MAX_WRONG_KEYS))
        if len(times) == MAX_WRONG_KEYS and now - times[0] < _MINUTE:
            return _MINUTE - (now - times[0])
        times.append(now)
        return None


def is_local_host(host: str) -> bool:
    """Return whether a ``Host`` header is local: an IP address, or a name that no stranger can own.

    Such a name has no dot, or ends in ``.localhost``. An empty header is local too; a malformed one is not.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name.endswith(".localhost") or not {".", ":"} & set(name):
            return True
        ip_address(name)
    except ValueError:
        return False
    return True


def is_same_site(headers: Headers) -> bool:
    """Return whether a request or a handshake comes from no page of another site.

    It does without an ``Origin`` header, or with one of the same host and port as ``Host``; a malformed
    origin gives ``False``. Browsers let any page open sockets to any host, and post without a body, and send
    its origin; other clients send none. A server without a key would otherwise be open to every page that its
    user visits.
    """
    origin = headers.get("origin")
    try:
        return origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    except ValueError:
        return False


def _is_simple_post(scope: Scope) -> bool:
    """Return whether a request is a POST whose media type is not JSON.

    A browser may send such a one to another site without asking first. A missing media type counts as another
    one; sockets and other methods give ``False``.
    """
    if scope["type"] != "http" or scope["method"] != "POST":
        return False
    media_type = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
    return not media_type.endswith("json")


def _bearer_key(scope: Scope) -> bytes:
    """Return the key in the first ``Authorization`` header, without blanks around it.

    It is empty without the header, and where its scheme is not ``Bearer`` (in any case).
    """
    for name, value in scope["headers"]:
        if name == b"authorization":
            is_bearer = value[: len(_BEARER)].lower() == _BEARER
            return bytes(value[len(_BEARER) :].strip()) if is_bearer else b""
    return b""

"""Who may use the server."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from debugger.server.reply import JsonReply

GUARDED = frozenset({"http", "websocket"})
"""What comes from outside; the rest is the server's own."""
OPEN_PATHS = frozenset({"/healthz", "/readyz", "/openapi.json"})
"""What answers without a key: it tells nothing of what is kept here."""


class Access:
    """Let requests in that show the key; with no key configured, those that come by a local name.

    A page on the web can make a browser send requests to this machine under a name that its author owns.
    Without a key the name in the ``Host`` header is all that tells such a request from one's own.

    Args:
        app: What is behind the door.
        api_key: The key; empty or ``None`` when none is configured.
        admits: Whether something else than the key lets a request in.
    """

    def __init__(
        self, app: ASGIApp, *, api_key: str | None, admits: Callable[[Scope], bool] = lambda scope: False
    ) -> None:
        self._app = app
        self._admits = admits
        self._key = api_key.encode() if api_key else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        refusal = None
        if scope["type"] in GUARDED and scope["path"] not in OPEN_PATHS and not self._admits(scope):
            refusal = self._refusal(Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, headers: Headers) -> JsonReply | None:
        if self._key is None:
            host = headers.get("host", "")
            return None if is_local_name(host) else _strange_host(host)
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), self._key):
            return None
        return JsonReply(
            {"detail": "The API key is missing or is not this server's. Send 'Authorization: Bearer <key>'."},
            status_code=401,
            headers={"WWW-Authenticate": "Bearer"},
        )


def is_local_name(host: str) -> bool:
    """Whether a ``Host`` header cannot be a name that a stranger owns: an address, or a name without dots."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name.endswith(".localhost") or not {".", ":"} & set(name):
            return True
        ip_address(name)
    except ValueError:
        return False
    return True


def _strange_host(host: str) -> JsonReply:
    return JsonReply(
        {
            "detail": f"This server has no API key and so answers to an address or to localhost only, not to "
            f"{host!r}. Start it with a key to reach it by that name."
        },
        status_code=403,
    )

"""Types of ASGI and helpers of middleware.

Web frameworks are used in the server only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Pairs = Iterable[tuple[bytes, bytes]]


def header_values(scope: Scope, name: bytes) -> list[str]:
    """Return all values of a request header.

    Args:
        scope: The request.
        name: In lower case.
    """
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def cookies_of(scope: Scope) -> dict[str, str]:
    """Return the cookies of a request.

    The standard library's parser drops all of them if one is malformed, such as one that another application
    on this machine has set.
    """
    parts = (part.partition("=") for value in header_values(scope, b"cookie") for part in value.split(";"))
    return {name.strip(): value.strip().strip('"') for name, _, value in parts}


def is_page_request(scope: Scope) -> bool:
    """Return whether a browser requests a page, not one of its files.

    The request decides: a cached page is answered with 304 and no content type.
    """
    is_read = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
    return is_read and "text/html" in ", ".join(header_values(scope, b"accept"))


async def respond(
    scope: Scope, send: Send, status: int, body: str = "", headers: Pairs = (), kind: str = "text/plain"
) -> None:
    """Answer a request, or close a WebSocket with code 1008 before it is accepted.

    The answer to HEAD has the length of the body and no body. Every answer has ``cache-control: no-store``; a
    WebSocket gets neither status, body nor headers.
    """
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    content = body.encode()
    own = [
        (b"content-type", f"{kind}; charset=utf-8".encode()),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": [*own, *headers]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})

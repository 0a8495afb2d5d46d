"""The body of an answer, taken out of what a server wraps it in."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import httpx2

Hook = Callable[[httpx2.Response], Awaitable[None]]


def unwrapping(key: str) -> Hook:
    """What puts the value that a JSON body holds under a key in its place (``response_unwrap_key``, 11.2).

    A body without it stays as it is.
    """

    async def unwrap(response: httpx2.Response) -> None:
        assert isinstance(response.stream, httpx2.AsyncByteStream), "the client is asynchronous"
        body = b"".join([chunk async for chunk in response.stream])
        await response.stream.aclose()
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if isinstance(found, dict) and key in found:
            body = json.dumps(found[key]).encode()
        response.stream = httpx2.ByteStream(body)

    return unwrap

"""The bodies of the answers of servers: never packed, only so large, and taken out of what wraps them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2

LARGEST = 8_000_000
"""Bytes; the answers of models are far smaller, and a larger one would fill the memory."""

Hook = Callable[[httpx2.Response], Awaitable[None]]


class UnusableBody(Exception):
    """The body of an answer is larger than allowed, or packed although nobody asked for that."""


async def bound(response: httpx2.Response) -> None:
    """Have an answer read only so far.

    Raises:
        UnusableBody: It is packed, so that its size cannot be foreseen.
    """
    if response.headers.get("content-encoding", "identity") != "identity":
        raise UnusableBody
    response.stream = _Bounded(response.stream)


def unwrapping(key: str) -> Hook:
    """What puts the value that a JSON body holds under a key in its place (``response_unwrap_key``, 11.2).

    A body without it stays as it is.
    """

    async def unwrap(response: httpx2.Response) -> None:
        body = b"".join([chunk async for chunk in _async(response.stream)])
        await _async(response.stream).aclose()
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if isinstance(found, dict) and key in found:
            body = json.dumps(found[key]).encode()
        response.stream = httpx2.ByteStream(body)

    return unwrap


class _Bounded(httpx2.AsyncByteStream):
    """A body that ends with an error where it grows too large."""

    def __init__(self, body: httpx2.SyncByteStream | httpx2.AsyncByteStream) -> None:
        self._body = _async(body)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._body:
            size += len(chunk)
            if size > LARGEST:
                raise UnusableBody
            yield chunk

    async def aclose(self) -> None:
        await self._body.aclose()


def _async(body: httpx2.SyncByteStream | httpx2.AsyncByteStream) -> httpx2.AsyncByteStream:
    assert isinstance(body, httpx2.AsyncByteStream)
    return body

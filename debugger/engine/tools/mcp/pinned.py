"""HTTP to one host, at addresses that were looked up and checked before."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import httpx2

from debugger.engine.outbound import OutboundError


class PinnedTransport(httpx2.AsyncBaseTransport):
    """Sends requests to checked addresses alone, so that a name cannot come to mean another machine.

    Nothing of the environment is heeded, no proxy and no password file.

    Args:
        addresses: Of the one host that is called, in the order in which to try them.
        answer_bytes: The most that all answers together may have.
    """

    def __init__(self, addresses: Sequence[str], answer_bytes: int) -> None:
        self._addresses = addresses
        self._left = answer_bytes
        self.refusal: int | None = None
        """The status code of the last answer to a message, where it was an error."""
        self._inner = httpx2.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send to the first address that answers."""
        for address in self._addresses[:-1]:
            try:
                return await self._sent(request, address)
            except httpx2.ConnectError:
                continue
        return await self._sent(request, self._addresses[-1])

    async def aclose(self) -> None:
        """Close its connections."""
        await self._inner.aclose()

    def take(self, number: int) -> None:
        """Count bytes that came.

        Raises:
            OutboundError: They are too many.
        """
        self._left -= number
        if self._left < 0:
            raise OutboundError("The answers of the server are larger than the limit.")

    async def _sent(self, request: httpx2.Request, address: str) -> httpx2.Response:
        response = await self._inner.handle_async_request(_addressed(request, address))
        assert isinstance(response.stream, httpx2.AsyncByteStream), "the transport is asynchronous"
        if request.method == "POST":
            self.refusal = response.status_code if response.is_error else None
        response.stream = _Counted(response.stream, self)
        return response


class _Counted(httpx2.AsyncByteStream):
    """An answer that counts its bytes."""

    def __init__(self, inner: httpx2.AsyncByteStream, transport: PinnedTransport) -> None:
        self._inner = inner
        self._transport = transport

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        async for chunk in self._inner:
            self._transport.take(len(chunk))
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


def http_client(transport: PinnedTransport, headers: Mapping[str, str], timeout: float) -> httpx2.AsyncClient:
    """A client that calls checked addresses alone, and asks for answers that are not packed.

    Args:
        transport: What it sends with.
        headers: Sent with every request.
        timeout: Seconds for each step of a request.
    """
    asked = {"Accept-Encoding": "identity", **headers}
    return httpx2.AsyncClient(headers=asked, timeout=timeout, transport=transport, trust_env=False)


def _addressed(request: httpx2.Request, address: str) -> httpx2.Request:
    """The same request to an address; the host's name stays for the server and for its certificate."""
    extensions: dict[str, Any] = {**request.extensions, "sni_hostname": request.url.host}
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions=extensions,
    )

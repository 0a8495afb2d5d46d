"""An httpx2 transport with checked addresses and bounded answers.

Nothing of the environment is heeded, no proxy and no password file.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import anyio
import httpx2

from debugger.engine.outbound.addresses import AddressLookup
from debugger.engine.outbound.destinations import PORTS
from debugger.engine.outbound.gateway import HttpLimits, OutboundError

# These packages log whole URLs, with whatever keys are in them. Failures are raised instead.
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

_LOOK = 0.01
"""Seconds between two looks at whether a host's addresses are known."""
_FAILURES = (httpx2.ConnectError, httpx2.ConnectTimeout)


class CheckedTransport(httpx2.AsyncBaseTransport):
    """A transport that sends requests to checked addresses only.

    Every request is checked, also one that follows a redirect. An answer that is packed is refused, as its
    size cannot be foreseen; ask for the encoding ``identity``.

    Args:
        limits: How far it may go; ``answer_bytes`` is for all answers together.
        tls: The verification of certificates; ``None`` is the usual one.
        only: The one destination of all requests; ``None`` allows any.
        masked_host: The host for errors, where it has a secret in it.
    """

    def __init__(
        self,
        limits: HttpLimits,
        tls: ssl.SSLContext | None = None,
        *,
        only: httpx2.URL | None = None,
        masked_host: str = "",
    ) -> None:
        self._limits = limits
        self._only = None if only is None else _origin(only)
        self._shown_host = masked_host
        self._left = limits.answer_bytes
        self._known: dict[tuple[str, int], list[str]] = {}
        self.refusal: int | None = None
        """The status code of the last answer to a message, where it was an error."""
        self._inner = httpx2.AsyncHTTPTransport(verify=tls or True, trust_env=False)

    async def addresses(self, url: httpx2.URL) -> list[str]:
        """Return the addresses of a URL's host, looked up once.

        Raises:
            OutboundError: There is no such host, or none of its addresses may be called.
        """
        place = (url.host, url.port or PORTS[url.scheme])
        if place not in self._known:
            lookup = AddressLookup(*place, self._limits, self._shown_host)
            while not lookup.done.is_set():
                await anyio.sleep(_LOOK)
            self._known[place] = lookup.allowed()
        return self._known[place]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send to the first address that answers.

        Raises:
            OutboundError: The host may not be called, or its answer is packed.
        """
        if self._only not in (None, _origin(request.url)):
            raise OutboundError(
                "The server named an address at another host, port or scheme for further requests, which was "
                "not called: the headers may hold secrets."
            )
        *others, last = await self.addresses(request.url)
        for address in others:
            try:
                return await self._sent(request, address)
            except _FAILURES:
                continue
        return await self._sent(request, last)

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
            limit = self._limits.answer_bytes
            raise OutboundError(f"The answers of the server are larger than the limit, {limit} bytes.")

    async def _sent(self, request: httpx2.Request, address: str) -> httpx2.Response:
        response = await self._inner.handle_async_request(self._addressed(request, address))
        assert isinstance(response.stream, httpx2.AsyncByteStream), "the transport is asynchronous"
        if request.method == "POST":
            self.refusal = response.status_code if response.is_error else None
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise OutboundError("The answer of the server is compressed although this was not requested.")
        response.stream = _Counted(response.stream, self)
        return response

    def _addressed(self, request: httpx2.Request, address: str) -> httpx2.Request:
        """Return the request to an address, keeping the host's name for TLS."""
        waits = dict(request.extensions.get("timeout") or {})
        most = self._limits.connect_seconds
        waits["connect"] = min(waits.get("connect") or most, most)
        extensions: dict[str, Any] = {**request.extensions, "timeout": waits}
        return httpx2.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**extensions, "sni_hostname": request.url.host},
        )


def _origin(url: httpx2.URL) -> tuple[str, bytes, int]:
    return url.scheme, url.raw_host, url.port or PORTS[url.scheme]


@dataclass(eq=False)
class _Counted(httpx2.AsyncByteStream):
    """An answer that counts its bytes."""

    _inner: httpx2.AsyncByteStream
    _transport: CheckedTransport

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        async for chunk in self._inner:
            self._transport.take(len(chunk))
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()

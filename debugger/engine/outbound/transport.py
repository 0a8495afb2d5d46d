"""An httpx2 transport with checked addresses and bounded answers.

Nothing of the environment is heeded, no proxy and no password file.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio
import httpx2

from debugger.engine.outbound.destinations import PORTS
from debugger.engine.outbound.gateway import HttpLimits, OutboundError
from debugger.engine.outbound.policy import (
    REDIRECT_STATUSES,
    TRUST_ENV,
    DestinationPolicy,
    Origin,
    check_redirect,
)

# These packages log whole URLs, with whatever keys are in them. Failures are raised instead.
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

_LOOK = 0.01
"""Seconds between two looks at whether a host's addresses are known."""
_FAILURES = (httpx2.ConnectError, httpx2.ConnectTimeout)


def checked_client(
    transport: CheckedTransport,
    seconds: float,
    headers: Mapping[str, str] | None = None,
    hooks: Mapping[str, list[Callable[..., Any]]] | None = None,
) -> httpx2.AsyncClient:
    """Return a client that sends by a checked transport; the packages of providers and of MCP get no other.

    Args:
        transport: Where its requests may go.
        seconds: The longest time that one of them may take.
        headers: Those of every request.
        hooks: What the client awaits, by ``request`` and ``response``.
    """
    return httpx2.AsyncClient(
        transport=transport,
        trust_env=TRUST_ENV,
        timeout=seconds,
        headers=httpx2.Headers({"Accept-Encoding": "identity", **(headers or {})}, "utf-8"),
        max_redirects=transport.limits.redirects,
        event_hooks=hooks or {},
    )


class CheckedTransport(httpx2.AsyncBaseTransport):
    """A transport that sends requests to checked addresses of one origin.

    Every request is checked, also one that follows a redirect: a package can take no key to another host. An
    answer that is packed is refused, as its size cannot be foreseen; ask for the encoding ``identity``.

    Args:
        limits: How far it may go; ``answer_bytes`` is for all answers together.
        tls: The verification of certificates; ``None`` is the usual one.
        only: The one destination of all requests; ``None`` is that of the first.
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
        """Keep limits and origin, and open the transport that sends."""
        self.limits = limits
        self._policy = DestinationPolicy(limits, None if only is None else Origin.of(only))
        self._masked_host = masked_host
        self._left = limits.answer_bytes
        self.refusal: int | None = None
        """The status code of the last answer to a message, where it was an error."""
        self._inner = httpx2.AsyncHTTPTransport(verify=tls or True, trust_env=TRUST_ENV)

    async def addresses(self, url: httpx2.URL) -> list[str]:
        """Return the addresses of a URL's host, looked up once.

        Raises:
            OutboundError: There is no such host, or none of its addresses may be called.
        """
        lookup = self._policy.look_up(url.host, url.port or PORTS[url.scheme], self._masked_host)
        while not lookup.done.is_set():
            await anyio.sleep(_LOOK)
        return lookup.allowed()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to the first address that answers, and return the response.

        Raises:
            OutboundError: The host or the origin may not be called, its answer is packed, or it redirects to
                where no request follows.
            httpx2.ConnectError: No address answers.
            httpx2.ConnectTimeout: None answers, and the last one not in time.
        """
        self._policy.keep_origin(request.url)
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
        """Count bytes of answers against the limit.

        Raises:
            OutboundError: They are too many.
        """
        self._left -= number
        if self._left < 0:
            limit = self.limits.answer_bytes
            raise OutboundError(f"The answers of the server are larger than the limit, {limit} bytes.")

    async def _sent(self, request: httpx2.Request, address: str) -> httpx2.Response:
        """Send a request to one address; return the response, whose bytes count against the limit.

        For a POST the status code of an error is noted in ``refusal``.

        Raises:
            OutboundError: The answer is packed, or redirects to where no request follows; it is closed
                before.
        """
        response = await self._inner.handle_async_request(self._addressed(request, address))
        assert isinstance(response.stream, httpx2.AsyncByteStream), "the transport is asynchronous"
        if request.method == "POST":
            self.refusal = response.status_code if response.is_error else None
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise OutboundError("The answer of the server is compressed although this was not requested.")
        location = response.headers.get("location")
        if response.status_code in REDIRECT_STATUSES and location is not None:
            await self._check_redirect(request.url, location, response)
        response.stream = _Counted(response.stream, self)
        return response

    async def _check_redirect(self, here: httpx2.URL, location: str, response: httpx2.Response) -> None:
        """Refuse a redirect before a client could follow it; no URL is shown, for its secrets.

        Raises:
            OutboundError: It leads to no URL of http or https, or from https to http; the response is closed
                before.
        """
        shown = f"{self._masked_host or here.host} redirects to another URL"
        try:
            check_redirect(here, here.join(location), shown)
        except (httpx2.InvalidURL, ValueError):
            await response.aclose()
            raise OutboundError(f"{shown}, which is not one.") from None
        except OutboundError:
            await response.aclose()
            raise

    def _addressed(self, request: httpx2.Request, address: str) -> httpx2.Request:
        """Return a copy of a request to an address, keeping the host's name for TLS.

        The time for the connection is limited by the policy.
        """
        waits = dict(request.extensions.get("timeout") or {})
        waits["connect"] = self._policy.connect_seconds(waits.get("connect"))
        extensions: dict[str, Any] = {**request.extensions, "timeout": waits}
        return httpx2.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**extensions, "sni_hostname": request.url.host},
        )


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

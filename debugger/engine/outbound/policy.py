"""The policy of destinations: where a call of a workflow may go, whichever HTTP library makes it.

`debugger.engine.outbound.http` (httpx and httpcore) and `debugger.engine.outbound.transport` (httpx2) ask it
before each connection and at each redirect, and decide nothing themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from debugger.engine.outbound.addresses import AddressLookup
from debugger.engine.outbound.destinations import PORTS
from debugger.engine.outbound.gateway import HttpLimits, OutboundError

TRUST_ENV = False
"""No proxy and no password file of the environment is heeded: a proxy would resolve the names anew."""
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})


class Url(Protocol):
    """A URL of either library."""

    @property
    def scheme(self) -> str:
        """Return the scheme in lower case."""

    @property
    def host(self) -> str:
        """Return the host, an address without brackets."""

    @property
    def raw_host(self) -> bytes:
        """Return the host in ASCII."""

    @property
    def port(self) -> int | None:
        """Return the port; ``None`` is that of the scheme."""


class Origin(NamedTuple):
    """The scheme, host and port of a URL."""

    scheme: str
    host: bytes
    port: int

    @classmethod
    def of(cls, url: Url) -> Origin:
        """Return a URL's."""
        return cls(url.scheme, url.raw_host, url.port or PORTS[url.scheme])


@dataclass
class DestinationPolicy:
    """The policy for the requests of one call.

    Args:
        limits: How far they may go.
        only: The one origin of all requests that `keep_origin` is asked about; ``None`` is that of the first.
    """

    limits: HttpLimits
    only: Origin | None = None
    _lookups: dict[tuple[str, int], AddressLookup] = field(default_factory=dict)

    def look_up(self, host: str, port: int, masked_host: str = "") -> AddressLookup:
        """Return the lookup of a host's addresses; each is looked up once, and what was checked stays.

        Args:
            host: A name, or an address without brackets.
            port: Where it is called.
            masked_host: The host for errors, where it has a secret in it.

        Raises:
            OutboundError: The name is one that is never called.
        """
        key = host, port
        if key not in self._lookups:
            self._lookups[key] = AddressLookup(host, port, self.limits, masked_host)
        return self._lookups[key]

    def connect_seconds(self, left: float | None) -> float:
        """Return the seconds for one connection, of those that are left for the call."""
        return min(left or self.limits.connect_seconds, self.limits.connect_seconds)

    def keep_origin(self, url: Url) -> None:
        """Keep the origin of the first request, if none was named, and refuse a request to another.

        Raises:
            OutboundError: It goes elsewhere.
        """
        self.only = self.only or Origin.of(url)
        if self.only != Origin.of(url):
            raise OutboundError(
                "The server named an address at another host, port or scheme for further requests, which was "
                "not called: the headers may hold secrets."
            )


def check_redirect(here: Url, there: Url, shown: str) -> None:
    """Refuse a redirect that no request follows.

    Args:
        here: The URL that was called.
        there: The URL that its answer names.
        shown: The begin of the error, with both URLs masked: ``GET x redirects to y``.

    Raises:
        OutboundError: It leads to something that is not http or https, or from https to http.
    """
    if there.scheme not in PORTS or not there.host:
        raise OutboundError(f"{shown}, which is not http or https.")
    if here.scheme == "https" and there.scheme == "http":
        raise OutboundError(f"{shown}, from https to http.")

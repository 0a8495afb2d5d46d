"""Destinations: the one parser of URLs, and the allowed hosts of secrets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import httpx

PORTS = {"http": 80, "https": 443}
MAX_PORT = 65_535

_HOST = re.compile(rb"[a-z0-9_.*-]+|[0-9a-f:.]+")
"""A name in its ASCII form, with the mark of a secret where it is shown, or an address. The parser lets more
pass: a placeholder without a value, an escape, half a bracket."""
_WILDCARD = "*."


def parse_url(text: str) -> httpx.URL | None:
    """Return an absolute URL of http or https with a valid host and port; ``None`` for another text.

    What is decided about a URL is decided on this object, which the client connects by: two parsers can
    differ about where a URL leads.
    """
    try:
        url = httpx.URL(text.strip())
    except (httpx.InvalidURL, ValueError):
        return None
    is_port = url.port is None or 0 < url.port <= MAX_PORT
    return url if url.scheme in PORTS and _HOST.fullmatch(url.raw_host) and is_port else None


def is_http_url(text: str) -> bool:
    """Return whether a text is an absolute URL that can be called."""
    return parse_url(text) is not None


def ascii_host(text: str) -> str:
    """Return a host name in ASCII; empty for another text."""
    try:
        return httpx.URL(scheme="https", host=text).raw_host.decode("ascii")
    except (httpx.InvalidURL, ValueError):
        return ""


@dataclass(frozen=True)
class Destination:
    """The scheme, host and port of a request."""

    scheme: str
    host: str
    """In lower case; a name in its ASCII form, an address without brackets."""
    port: int
    named_host: str = ""
    """The header Host where it names another host than the URL: a proxy would pass the request on to it."""

    @classmethod
    def of(cls, url: str, host_header: str = "") -> Self | None:
        """Return a URL's destination; ``None`` if it cannot be compared.

        Args:
            url: An absolute URL.
            host_header: The value of the request's own header Host; empty where it has none.
        """
        parsed = parse_url(url)
        return None if parsed is None else cls.of_parsed(parsed, host_header)

    @classmethod
    def of_parsed(cls, url: httpx.URL, host_header: str = "") -> Self | None:
        """Return the destination of a parsed URL; ``None`` where scheme or host cannot be compared.

        That is another scheme than http or https, or a host that is malformed or masked.
        """
        host = url.raw_host.decode("ascii")
        if url.scheme not in PORTS or not _HOST.fullmatch(url.raw_host) or "*" in host:
            return None
        named = host_header.strip().lower()
        names_another = named not in ("", url.netloc.decode("ascii"))
        return cls(url.scheme, host, url.port or PORTS[url.scheme], named if names_another else "")

    def covers(self, other: Destination) -> bool:
        """Return whether the other is this destination, or this over TLS."""
        return other in (self, self._encrypted)

    @property
    def _encrypted(self) -> Destination:
        if (self.scheme, self.port) != ("http", PORTS["http"]):
            return self
        return Destination("https", self.host, PORTS["https"], self.named_host)

    def as_masked(self, masked_url: str) -> Destination:
        """Return it for the user, with the host of a masked URL.

        Where the host is not masked, it is the same object; a URL that cannot be read gives ``***``.
        """
        url = parse_url(masked_url)
        if url is not None and url.raw_host.decode("ascii") == self.host:
            return self
        return replace(self, host="***" if url is None else url.host)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        named = f" (as {self.named_host})" if self.named_host else ""
        return f"{self.scheme}://{host}{port}{named}"


@dataclass(frozen=True)
class AllowedHost:
    """An entry of a secret's own list of hosts."""

    destination: Destination
    below: bool = False
    """Whether it is for the names below the host instead of the host itself."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Read one entry: ``host``, ``host:port``, ``*.domain``; over TLS unless ``http://`` precedes it.

        Raises:
            ValueError: It is none of these.
        """
        scheme, separator, rest = text.strip().rpartition("://")
        below = rest.startswith(_WILDCARD)
        url = parse_url(f"{scheme if separator else 'https'}://{rest.removeprefix(_WILDCARD)}")
        found = None if url is None or url.userinfo or url.raw_path != b"/" else Destination.of_parsed(url)
        if found is None or (below and (":" in found.host or "." not in found.host)):
            raise ValueError("it is not a host")
        return cls(found, below)

    def allows(self, destination: Destination) -> bool:
        """Return whether a secret may go to a destination and, where it has one, to its named host, too."""
        named = destination.named_host
        if named:
            other = Destination.of(f"{destination.scheme}://{named}")
            if other is None or not self._covers(other):
                return False
        return self._covers(Destination(destination.scheme, destination.host, destination.port))

    def _covers(self, destination: Destination) -> bool:
        """Return whether a destination is the host of the entry, or below it where the entry says so.

        It may also be over TLS where the entry is without.
        """
        own = self.destination
        if not self.below:
            return own.covers(destination)
        is_below = destination.host.endswith(f".{own.host}")
        return is_below and own.covers(Destination(destination.scheme, own.host, destination.port))


def read_allowed_hosts(text: str) -> Sequence[AllowedHost]:
    """Read a list with commas between its entries.

    Raises:
        ValueError: An entry is no host.
    """
    return tuple(AllowedHost.read(entry) for entry in text.split(",") if entry.strip())

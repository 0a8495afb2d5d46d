"""Default bounds of a server, apart from what enforces them: `serve --help` prints them."""

from __future__ import annotations

from dataclasses import dataclass

MAX_CONCURRENT_TURNS = 32
"""Turns that are executed at once; they mostly wait for models and tools."""


@dataclass(frozen=True)
class ConnectionLimits:
    """Bounds on the connections of a server."""

    total: int = 1000
    """Connections at once, including WebSockets."""
    per_address: int = 100
    """The same from one address; 0 for no limit."""
    header_seconds: float = 10
    """From the start of a connection, or from the response before, to the end of a request's headers."""
    body_seconds: float = 30
    """From there to the end of its body."""
    read_seconds: float = 30
    """Time in which a client must read something of its response."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of proxies, which have no limit of their own; ``*`` is any."""

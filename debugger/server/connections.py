"""Limits on the number of connections and on their deadlines.

uvicorn bounds the time between two requests only. Here the headers and the body of a request and the reading
of its response have deadlines, and connections have a limit, in total and for each address.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from debugger.errors import SettingsError
from debugger.server.limits import ConnectionLimits

_log = logging.getLogger(__name__)

RESERVED_DESCRIPTORS = 64
"""File descriptors that connections leave to the store, to tools and to the program itself."""
MIN_CONNECTIONS = 16
_SHRINK_BY = 16
"""Connections that are given up where descriptors run out all the same."""
_IPV6_PREFIX = 64
"""Prefix of an IPv6 network: the owner of one address has its whole network."""

Part = Literal["headers", "body"]


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 connection that records since when it waits for its client."""

    awaited: Part | None = "headers"
    """The part of a request that is not complete; ``None`` while a request is being answered."""
    awaited_since = 0.0
    """By the clock of the event loop."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Handle a new connection."""
        super().connection_made(transport)
        self.awaited_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Handle bytes of the client."""
        super().data_received(data)
        self._update_awaited()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._update_awaited()

    def time_out(self) -> None:
        """End the connection: the awaited part did not arrive in time.

        A client that has sent a part of the request, and got no response yet, gets status 408 first. Any
        other connection is aborted without a response.
        """
        can_answer = self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE)
        if can_answer and (self.awaited == "body" or self.conn.trailing_data[0]):
            message = f"The {self.awaited} of the request did not arrive in time.".encode()
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
            for event in (
                h11.Response(status_code=408, headers=headers, reason=b"Request Timeout"),
                h11.Data(data=message),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
            self.transport.close()
        else:
            self.transport.abort()

    def _update_awaited(self) -> None:
        """Set the awaited part from the state of the client's side, and its time where the part changes.

        It is ``None`` in every state but those before the headers and within the body.
        """
        their_state = self.conn.their_state
        awaited: Part | None = None
        if their_state is h11.IDLE:
            awaited = "headers"
        elif their_state is h11.SEND_BODY:
            awaited = "body"
        if awaited != self.awaited:
            self.awaited, self.awaited_since = awaited, self.loop.time()


class Connections:
    """Admits connections within the limits, and ends those that take too long.

    Where a limit is reached, a new connection takes the place of the one that has waited longest for a
    request of its client: half-open and idle connections keep no client out.

    Args:
        limits: The limits.
        connections: The open connections, which uvicorn maintains.
    """

    def __init__(self, limits: ConnectionLimits, connections: set[Any]) -> None:
        """Begin with the total of the limits.

        Raises ValueError when a trusted proxy is neither an address, nor a network, nor ``*``.
        """
        self._limits = limits
        self._total = limits.total
        self._connections = connections
        self._unread: dict[Any, tuple[int, float]] = {}
        """Bytes that wait to be read by a client, and since when they are as many."""
        self._proxies = _Networks(limits.trusted_proxies)

    def admit(self, address: str) -> bool:
        """Return whether a connection may be opened, and make room for it.

        Trusted proxies have no limit per address. At a limit a connection that waits for its client is
        aborted; where none waits, the result is ``False``. An aborted one releases its file descriptor in the
        next cycle of the event loop.
        """
        per_address = self._limits.per_address
        if per_address and len(self._connections) >= per_address and address not in self._proxies:
            source = source_of(address)
            siblings = [connection for connection in self._connections if _source(connection) == source]
            if len(siblings) >= per_address:
                return self._end_waiting(siblings, f"{per_address} connections from {source}")
        if len(self._connections) >= self._total:
            return self._make_room(f"{self._total} connections")
        return True

    def shrink(self) -> None:
        """Lower the total, which rises again by one a second.

        The new total is `_SHRINK_BY` below the number of open connections, at least `MIN_CONNECTIONS`.
        Connections beyond it that wait for their clients are aborted; those in use stay.
        """
        self._total = max(min(self._total, len(self._connections)) - _SHRINK_BY, MIN_CONNECTIONS)
        for _ in range(len(self._connections) - self._total):
            if not self._make_room("no free file descriptors"):
                break

    def _make_room(self, reason: str) -> bool:
        """End a connection of the address with most waiting ones.

        Of these it is the one that has waited longest, for headers first. Returns ``False``, and logs the
        reason, where no connection waits for its client.
        """
        waiting = [connection for connection in self._connections if _waits(connection)]
        counts = Counter(map(_source, waiting))
        most = max(counts.values(), default=0)
        return self._end_waiting(
            (connection for connection in waiting if counts[_source(connection)] == most), reason
        )

    def end_overdue(self, now: float) -> None:
        """End the connections that have passed a deadline; called every second.

        One whose client reads nothing of its response is aborted; one whose request does not arrive ends as
        `BoundedProtocol.time_out` does. Both are logged. The total rises by one, up to that of the limits.

        Args:
            now: The time, by the clock of the event loop.
        """
        self._total = min(self._total + 1, self._limits.total)
        seconds = {"headers": self._limits.header_seconds, "body": self._limits.body_seconds}
        unread: dict[Any, tuple[int, float]] = {}
        for connection in tuple(self._connections):
            size = connection.transport.get_write_buffer_size()
            if size:
                before, since = self._unread.get(connection, (0, now))
                unread[connection] = (size, now if size < before else since)
                if now - unread[connection][1] > self._limits.read_seconds:
                    _log.info("a connection is ended: its client reads nothing")
                    connection.transport.abort()
            elif _waits(connection) and now - connection.awaited_since > seconds[connection.awaited]:
                _log.info("a connection is ended: the %s of a request did not arrive", connection.awaited)
                connection.time_out()
        self._unread = unread

    def _end_waiting(self, connections: Iterable[Any], reason: str) -> bool:
        """End the connection that has waited longest, for headers first.

        It is aborted without a response. Returns ``False`` where none of them waits for its client. Both
        cases are logged with the reason.
        """
        waiting = [connection for connection in connections if _waits(connection)]
        if not waiting:
            _log.warning("a connection is refused: there are %s, and all are in use", reason)
            return False
        oldest = min(waiting, key=lambda connection: (connection.awaited == "body", connection.awaited_since))
        _log.warning("a connection that waits for its client is ended: there are %s", reason)
        oldest.transport.abort()
        return True


def read_proxies(text: str) -> tuple[str, ...]:
    """Return the addresses and networks in a comma-separated text; none of an empty one.

    Raises:
        SettingsError: One is neither an address, nor a network, nor ``*``.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    try:
        _Networks(names)
    except ValueError as error:
        raise SettingsError(
            f"The option --forwarded-allow-ips cannot be used: {error}.",
            advice="Write addresses or networks, as in 10.0.0.7,192.168.0.0/24.",
        ) from error
    return names


class _Networks:
    def __init__(self, names: tuple[str, ...]) -> None:
        self._all = "*" in names
        self._networks = [ipaddress.ip_network(name, strict=False) for name in names if name != "*"]

    def __contains__(self, address: str) -> bool:
        if not self._networks:
            return self._all
        return self._all or any(ipaddress.ip_address(address) in network for network in self._networks)


@lru_cache(maxsize=4096)
def source_of(address: str) -> str:
    """Return the address, or the network of an IPv6 address.

    An IPv6 address that maps an IPv4 one gives the latter; a zone behind ``%`` is dropped. A text that is no
    address is returned as it is.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))


def _source(connection: Any) -> str:
    return source_of(connection.client[0]) if connection.client else ""


def _waits(connection: Any) -> bool:
    """Return whether a connection waits for the headers or the body of a request, and is not closing.

    A connection of another protocol, such as an open WebSocket, never does.
    """
    return (
        isinstance(connection, BoundedProtocol)
        and connection.awaited is not None
        and not connection.transport.is_closing()
    )

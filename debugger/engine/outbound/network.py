"""Connections to checked addresses within a call's time limit, for httpcore.

A name is looked up once; what was checked is what is connected to.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpcore

from debugger.engine.outbound.addresses import Deadline
from debugger.engine.outbound.gateway import OutboundError
from debugger.engine.outbound.policy import DestinationPolicy

_POLL_SECONDS = 0.05
"""Seconds between two looks at whether the call is cancelled."""
_CHUNK_BYTES = 16_384
"""Bytes that are written at once."""
_FAILURES = (httpcore.ConnectError, httpcore.ConnectTimeout)


@dataclass(eq=False)
class CheckedNetwork(httpcore.NetworkBackend):
    """A network backend for one call.

    Args:
        deadline: The call's.
        policy: Where it may go.
        masked_host: The host for errors, secrets masked.
    """

    deadline: Deadline
    policy: DestinationPolicy
    masked_host: str

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of a host's allowed addresses that answers, within the call's deadline.

        ``timeout`` is not used: each attempt has the seconds of the policy.

        Raises:
            OutboundError: None answers, none may be called, or time is up.
        """
        reason = ""
        lookup = self.policy.look_up(host, port, self.masked_host)
        self.deadline.pause(lookup.done)
        for address in lookup.allowed():
            seconds = self.policy.connect_seconds(self.deadline.left())
            try:
                stream = httpcore.SyncBackend().connect_tcp(
                    address, port, seconds, local_address, socket_options
                )
            except _FAILURES as error:
                reason = reason or _describe(error, seconds)
            else:
                return _Stream(stream, self.deadline)
        raise OutboundError(f"No server answers at {self.masked_host} port {port}: {reason}.")


def _describe(error: Exception, seconds: float) -> str:
    if isinstance(error, httpcore.ConnectTimeout):
        return f"no connection within {seconds:g} s"
    # The text of a system's error is "[Errno 111] Connection refused".
    return str(error).partition("] ")[2].lower() or "no connection"


@dataclass(eq=False)
class _Stream(httpcore.NetworkStream):
    """A connection whose waits end with the call's time."""

    _inner: httpcore.NetworkStream
    _deadline: Deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return the next bytes, at most so many; empty at the end.

        ``timeout`` is not used. Raises OutboundError where the call's time is up or it was stopped.
        """
        while True:
            try:
                return self._inner.read(max_bytes, min(self._deadline.left(), _POLL_SECONDS))
            except httpcore.ReadTimeout:
                continue

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _CHUNK_BYTES):
            self._inner.write(buffer[start : start + _CHUNK_BYTES], self._deadline.left())

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Return the connection over TLS, within the call's time; ``timeout`` is not used."""
        return _Stream(
            self._inner.start_tls(ssl_context, server_hostname, self._deadline.left()), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def close(self) -> None:
        self._inner.close()

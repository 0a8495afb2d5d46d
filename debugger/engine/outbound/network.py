"""Connections to checked addresses whose waits end in time."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from debugger.engine.outbound.addresses import AddressLookup
from debugger.engine.outbound.gateway import HttpLimits, OutboundError

_POLL_SECONDS = 0.05
"""Seconds between two looks at whether the call is cancelled."""
_CHUNK_BYTES = 16_384
"""Bytes that are written at once."""
_FAILURES = (httpcore.ConnectError, httpcore.ConnectTimeout)


class Deadline:
    """The time limit of a call, for all its steps together.

    Args:
        seconds: For the whole call.
        cancelled: Ends it as soon as it is set.
    """

    def __init__(self, seconds: float, cancelled: threading.Event) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._cancelled = cancelled

    def left(self) -> float:
        """Return the seconds until the end, always more than 0.

        Raises:
            OutboundError: Time is up, or the run was stopped.
        """
        if self._cancelled.is_set():
            raise OutboundError("The call was stopped.")
        left = self._end - time.monotonic()
        if left <= 0:
            raise OutboundError(f"The answer was not complete within {self.seconds:g} s.")
        return left

    def pause(self, event: threading.Event) -> None:
        """Wait until an event is set.

        Raises:
            OutboundError: Time is up, or the run was stopped.
        """
        while not event.wait(min(self.left(), _POLL_SECONDS)):
            pass


class CheckedNetwork(httpcore.NetworkBackend):
    """A network backend for one call.

    Args:
        deadline: The call's.
        limits: How far the call may go.
        masked_host: The host for errors, secrets masked.
    """

    def __init__(self, deadline: Deadline, limits: HttpLimits, masked_host: str) -> None:
        self._deadline = deadline
        self._limits = limits
        self._shown_host = masked_host
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of a host's addresses that answers.

        Raises:
            OutboundError: None does, or none may be called.
        """
        reason = ""
        lookup = AddressLookup(host, port, self._limits, self._shown_host)
        self._deadline.pause(lookup.done)
        for address in lookup.allowed():
            seconds = min(self._deadline.left(), self._limits.connect_seconds)
            try:
                stream = self._inner.connect_tcp(address, port, seconds, local_address, socket_options)
            except _FAILURES as error:
                reason = reason or _describe(error, seconds)
            else:
                return _Stream(stream, self._deadline)
        raise OutboundError(f"No server answers at {self._shown_host} port {port}: {reason}.")


def _describe(error: Exception, seconds: float) -> str:
    if isinstance(error, httpcore.ConnectTimeout):
        return f"no connection within {seconds:g} s"
    # The text of a system's error is "[Errno 111] Connection refused".
    return str(error).partition("] ")[2].lower() or "no connection"


class _Stream(httpcore.NetworkStream):
    """A connection whose waits end with the call's time."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
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
        return _Stream(
            self._inner.start_tls(ssl_context, server_hostname, self._deadline.left()), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def close(self) -> None:
        self._inner.close()

"""HTTP server: uvicorn with bounded connections.

It accepts connections again after it ran out of file descriptors.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from types import FrameType
from typing import Any

import uvicorn

from debugger.server.connections import Connections
from debugger.server.health import Readiness
from debugger.server.limits import ConnectionLimits
from debugger.server.log_redaction import RepeatFilter

_log = logging.getLogger(__name__)

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
RETRY_SECONDS = 0.1
"""Delay of the next accept after descriptors or memory have run out."""
SWEEP_SECONDS = 1.0


class HttpServer(uvicorn.Server):
    """Serves an app on listening sockets.

    Accepts connections itself: the event loop logs thousands of errors for each connection that it cannot
    accept, and is blocked meanwhile.

    Args:
        config: The app, and how it is served.
        readiness: Reports that the server is shutting down.
        limits: The limits of connections.
        repeats: Limits messages of the log.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        readiness: Readiness,
        limits: ConnectionLimits | None = None,
        repeats: RepeatFilter | None = None,
    ) -> None:
        super().__init__(config)
        self._readiness = readiness
        self._repeats = repeats
        self._open = Connections(limits or ConnectionLimits(), self.server_state.connections)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle a signal to end."""
        self._readiness.shut_down()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections."""
        await super().startup(sockets=[])
        self.servers = [_Background(self._accept(listener)) for listener in sockets or []]  # type: ignore[misc]
        self.servers.append(_Background(self._sweep()))  # type: ignore[arg-type]

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        listener.setblocking(False)
        while True:
            try:
                await self._accept_one(await loop.sock_accept(listener))
            except OSError as error:
                _log.warning("a connection cannot be accepted yet: %s", error.strerror)
                if error.errno in EXHAUSTED:
                    self._open.shrink()
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:  # the next connection may be accepted
                _log.exception("a connection was not accepted")

    async def _accept_one(self, accepted: tuple[socket.socket, Any]) -> None:
        connection, address = accepted
        may_open = self._open.admit(address[0])
        await asyncio.sleep(0)  # a connection ended for it releases its file descriptor; other tasks continue
        if not may_open:
            connection.close()
            return
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)
        except OSError:  # the client has gone already
            connection.close()

    def _protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                self._open.end_overdue(loop.time())
                if self._repeats is not None:
                    self._repeats.report()
            except Exception:  # an error of one connection must not keep the others open
                _log.exception("the deadlines of connections were not looked at")


class _Background:
    """Task that uvicorn ends like an `asyncio.Server`."""

    def __init__(self, work: object) -> None:
        self._task = asyncio.ensure_future(work)  # type: ignore[call-overload]

    def close(self) -> None:
        self._task.cancel()

    async def wait_closed(self) -> None:
        await asyncio.wait((self._task,))

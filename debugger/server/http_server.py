"""Serving of a backend on a port, by uvicorn with bounded connections."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import socket
from dataclasses import replace
from types import FrameType
from typing import Any

import uvicorn

from debugger.backends.base import Backend
from debugger.backends.base_url import is_loopback
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import SettingsError
from debugger.protocol.urls import BASE_PATH
from debugger.server.app import create_app
from debugger.server.connections import (
    MIN_CONNECTIONS,
    RESERVED_DESCRIPTORS,
    BoundedProtocol,
    Connections,
)
from debugger.server.health import Readiness
from debugger.server.limits import ConnectionLimits
from debugger.server.log_redaction import RepeatFilter, limit_repeats
from debugger.server.services import BODY_LIMIT, Services
from debugger.server.turn_limiter import TurnLimiter

try:
    import resource
except ImportError:  # on Windows
    resource = None  # type: ignore[assignment]

MAX_PENDING = 2048
"""Connections that wait to be accepted; the system may allow fewer."""


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
        """Make the server; it accepts no connections yet.

        Raises ValueError when a trusted proxy of the limits is neither an address, nor a network, nor ``*``.
        """
        super().__init__(config)
        self._readiness = readiness
        self._repeats = repeats
        self._open = Connections(limits or ConnectionLimits(), self.server_state.connections)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle a signal to end: the server is not ready any more, then uvicorn ends."""
        self._readiness.shut_down()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections."""
        await super().startup(sockets=[])
        self.servers = [_Background(self._accept(listener)) for listener in sockets or []]  # type: ignore[misc]
        self.servers.append(_Background(self._sweep()))  # type: ignore[arg-type]

    async def _accept(self, listener: socket.socket) -> None:
        """Accept the connections of a listener until cancelled.

        An OSError is logged, and the next attempt comes after `RETRY_SECONDS`; where descriptors or memory
        have run out, the limit on connections is lowered first. Any other error is logged, and the next
        connection is accepted.
        """
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
        """Serve an accepted connection, or close it where the limits do not admit it.

        Making room for it may end another connection. One whose client has gone already is closed.
        """
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
        """End overdue connections every ``SWEEP_SECONDS``, until cancelled.

        It also logs the counts of repeated messages. An error is logged, and does not end it.
        """
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


def serve(
    backend: Backend,
    host: str,
    port: int,
    api_key: str | None = None,
    *,
    turns: TurnLimiter | None = None,
    limits: ConnectionLimits | None = None,
) -> None:
    """Answer requests until the process gets a signal to end.

    Prints the URL on the standard output, once it accepts connections. In the process it raises the limit on
    file descriptors, excludes present objects from garbage collection, and limits and redacts the log.

    Args:
        backend: Runs the workflows; closing it stays with the caller.
        host: The name or address to listen on.
        port: The port; 0 takes any that is free.
        api_key: A key that many may share, in addition to those in the store.
        turns: Bounds the turns that are executed at once; one with the default bounds unless it is set.
        limits: The bounds on connections; the default ones unless they are set.

    Raises:
        SettingsError: The address cannot be listened on, or other machines reach it and there is no key.
        StoreError: The keys cannot be read.
        ValueError: A trusted proxy is neither an address, nor a network, nor ``*``.
    """
    if not is_loopback(host) and not (
        api_key or (isinstance(backend, EmbeddedBackend) and backend.store.api_keys.all())
    ):
        raise SettingsError(
            f"Everyone who can reach {host} could run workflows here: the server has no key.",
            advice="Add one with `workflow-debugger keys add NAME --role admin`, or start the server with "
            "--api-key. Without a key it listens on 127.0.0.1.",
        )
    limits = fit_to_descriptors(limits or ConnectionLimits())
    app = create_app(backend, api_key=api_key, turns=turns)
    services: Services = app.state.services
    if not is_loopback(host):
        services.keys.require()  # the store may be replaced by one without keys
    with listen(host, port) as listener:
        name = f"[{host}]" if ":" in host else host
        print(f"Serving the API on http://{name}:{listener.getsockname()[1]}{BASE_PATH}", flush=True)
        config = uvicorn.Config(
            app,
            http=BoundedProtocol,
            log_config=None,  # its lines go where all others go
            ws_max_size=BODY_LIMIT,
            timeout_graceful_shutdown=5,
            # Without a proxy that is named, a client could pass for any address.
            proxy_headers=bool(limits.trusted_proxies),
            forwarded_allow_ips=list(limits.trusted_proxies),
        )
        _freeze_objects()
        try:
            HttpServer(config, services.readiness, limits, limit_repeats()).run(sockets=[listener])
        finally:
            services.audit.flush()


def _freeze_objects() -> None:
    """Exclude the objects of the libraries from garbage collection.

    They stay until the process ends. A pass over some hundred thousand of them takes 0.1 s, in which no
    turn continues, about once in a thousand turns.
    """
    gc.collect()
    gc.freeze()


def fit_to_descriptors(limits: ConnectionLimits) -> ConnectionLimits:
    """Return limits that fit the process's file descriptors, with at least `MIN_CONNECTIONS` in total.

    Raises the system's limit on descriptors, too, as far as it may and as is needed. Where a system has no
    such limit, the limits are returned as they are.
    """
    if resource is None:  # Windows has no such limit
        return limits
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.total + 4 * RESERVED_DESCRIPTORS
    if soft < wanted and soft != resource.RLIM_INFINITY:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return replace(limits, total=min(limits.total, max(soft - RESERVED_DESCRIPTORS, MIN_CONNECTIONS)))


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that accepts connections.

    Raises:
        SettingsError: The port does not exist or is taken, or the host is another machine.
    """
    if not 0 <= port <= 65_535:
        raise SettingsError(f"The server cannot listen on port {port}.", advice="Ports go from 0 to 65535.")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=MAX_PENDING)
    except (OSError, UnicodeError) as error:
        raise SettingsError(
            f"The server cannot listen on {host!r}, port {port}: {error}.",
            advice="Choose another port, or stop the program that has it.",
        ) from error
    # Connections inherit it. Without it a response's body waits 40 ms for the acknowledgement of its headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener

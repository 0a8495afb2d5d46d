"""Serving of a backend on a port."""

from __future__ import annotations

import gc
import socket
from dataclasses import replace

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
)
from debugger.server.http_server import HttpServer
from debugger.server.limits import ConnectionLimits
from debugger.server.log_redaction import limit_repeats
from debugger.server.services import BODY_LIMIT, Services
from debugger.server.turn_limiter import TurnLimiter

try:
    import resource
except ImportError:  # on Windows
    resource = None  # type: ignore[assignment]

MAX_PENDING = 2048
"""Connections that wait to be accepted; the system may allow fewer."""


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

    Prints the URL on the standard output, once it accepts connections.

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
    """
    if not is_loopback(host) and not api_key and not _has_keys(backend):
        raise SettingsError(
            f"Everyone who can reach {host} could run workflows here: the server has no key.",
            advice="Add one with `python -m debugger keys add NAME --role admin`, or start the server with "
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


def _has_keys(backend: Backend) -> bool:
    return isinstance(backend, EmbeddedBackend) and bool(backend.store.api_keys.all())


def fit_to_descriptors(limits: ConnectionLimits) -> ConnectionLimits:
    """Return limits that fit the process's file descriptors.

    Raises the system's limit on descriptors, too, as far as it may and as is needed.
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

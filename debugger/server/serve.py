"""Serving on a port."""

from __future__ import annotations

import socket

import uvicorn

from debugger.backends.base import Backend
from debugger.backends.base_url import is_loopback
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import SettingsError
from debugger.protocol.urls import BASE_PATH
from debugger.server.app import create_app
from debugger.server.collecting import spare_the_collector
from debugger.server.ending import EndingServer


def serve(backend: Backend, host: str, port: int, api_key: str | None = None, *, rate_limit: int = 0) -> None:
    """Answer requests until the process is asked to end.

    Says on the standard output where it serves, once it accepts connections.

    Args:
        backend: What runs the workflows; closing it stays with the caller.
        host: The name or address to listen on.
        port: The port; 0 takes any that is free.
        api_key: A key that many may share, beside those of people that are in the store.
        rate_limit: Requests a minute and key; 0 for as many as one likes.

    Raises:
        SettingsError: The address cannot be listened on, or other machines reach it and no key guards it.
        StoreError: The database does not tell whether there is a key.
    """
    if not is_loopback(host) and not api_key and not _has_keys(backend):
        raise SettingsError(
            f"Everyone who can reach {host} could run workflows here: the server has no key.",
            advice="Add one with `python -m debugger keys add NAME --role admin`, or start the server with "
            "--api-key. Without a key it listens on 127.0.0.1.",
        )
    app = create_app(backend, api_key=api_key, rate_limit=rate_limit)
    if not is_loopback(host):
        app.state.ring.demand()  # the store may be replaced by one without keys
    with listen(host, port) as listener:
        name = f"[{host}]" if ":" in host else host
        print(f"Serving the API on http://{name}:{listener.getsockname()[1]}{BASE_PATH}", flush=True)
        config = uvicorn.Config(app, timeout_graceful_shutdown=5)
        spare_the_collector()
        try:
            EndingServer(config, app.state.readiness).run(sockets=[listener])
        finally:
            app.state.audit.flush()
            app.state.teams.close()


def _has_keys(backend: Backend) -> bool:
    return isinstance(backend, EmbeddedBackend) and bool(backend.store.api_keys.all())


def listen(host: str, port: int) -> socket.socket:
    """A socket that accepts connections.

    Raises:
        SettingsError: There is no such port, it is taken, or the host is not this machine's.
    """
    if not 0 <= port <= 65_535:
        raise SettingsError(f"The server cannot listen on port {port}.", advice="Ports go from 0 to 65535.")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        raise SettingsError(
            f"The server cannot listen on {host!r}, port {port}: {error}.",
            advice="Choose another port, or stop the program that has it.",
        ) from error
    # Connections inherit it. Without, an answer's body waits 40 ms for the client to acknowledge its headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener

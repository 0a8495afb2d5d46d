"""Serving on a port."""

from __future__ import annotations

import logging
import socket

import uvicorn

from debugger.backends.base import Backend
from debugger.backends.base_url import is_loopback
from debugger.errors import SettingsError
from debugger.protocol.urls import BASE_PATH
from debugger.server.app import create_app
from debugger.server.ending import EndingServer

logger = logging.getLogger(__name__)


def serve(backend: Backend, host: str, port: int, api_key: str | None = None) -> None:
    """Answer requests until the process is asked to end.

    Says on the standard output where it serves, once it accepts connections.

    Args:
        backend: What runs the workflows; closing it stays with the caller.
        host: The name or address to listen on.
        port: The port; 0 takes any that is free.
        api_key: What a request must show.

    Raises:
        SettingsError: The address cannot be listened on.
    """
    if not api_key and not is_loopback(host):
        logger.warning("Without an API key, everyone who can reach %s can run workflows here.", host)
    with listen(host, port) as listener:
        name = f"[{host}]" if ":" in host else host
        print(f"Serving the API on http://{name}:{listener.getsockname()[1]}{BASE_PATH}", flush=True)
        app = create_app(backend, api_key=api_key)
        config = uvicorn.Config(app, timeout_graceful_shutdown=5)
        EndingServer(config, app.state.readiness).run(sockets=[listener])


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

"""A loopback listener that records bytes; none may arrive."""

from __future__ import annotations

import socketserver
import threading
from typing import Self

HOST = "127.0.0.2"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{}"


class Sink(socketserver.ThreadingTCPServer):
    """The listener. Use it as a context manager."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Connection)
        self.connections: list[bytes] = []
        """The bytes that arrived on each connection, empty for one that sent none."""
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def netloc(self) -> str:
        return f"{HOST}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Connection(socketserver.BaseRequestHandler):
    server: Sink

    def handle(self) -> None:
        self.request.settimeout(1)
        try:
            received = self.request.recv(65_536)
        except OSError:
            received = b""
        self.server.connections.append(received)
        self.request.sendall(_ANSWER)

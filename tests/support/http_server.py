"""A real HTTP server in a thread that records its requests.

It answers as the test says.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass
class Received:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Respond = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Handler by path, for any method.

    The response of an unknown path is the request.
    """

    server: HttpServer
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.append(Received(self.command, self.path, headers, body))
        self.close_connection = True
        self.server.routes.get(self.path.partition("?")[0], Handler.echo)(self)

    def echo(self) -> None:
        """Tell what was received."""
        last = self.server.received[-1]
        self.send_json({"method": last.method, "path": last.path, "headers": last.headers})

    def send_json(self, value: Any, status: int = 200) -> None:
        """Answer a JSON value."""
        self.send_body(json.dumps(value).encode(), "application/json", status)

    def send_body(self, body: bytes, content_type: str, status: int = 200, **headers: str) -> None:
        """Answer some bytes."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")  # as it is: a caller that went on using it would find it gone
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def redirect(self, location: str, status: int = 302) -> None:
        """Send the caller on."""
        self.send_body(b"", "text/plain", status, Location=location)

    def trickle(self, piece: bytes) -> None:
        """Send one piece repeatedly, until caller or test ends it."""
        while not self.server.closing.wait(0.02):
            self.wfile.write(piece)
            self.wfile.flush()

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


class HttpServer(ThreadingHTTPServer):
    """The server. Use it as a context manager."""

    daemon_threads = True

    def __init__(self, **routes: Respond) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.routes = {f"/{name}": respond for name, respond in routes.items()}
        self.received: list[Received] = []
        self.closing = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_args: Any) -> None:
        """A caller that leaves early is what many tests are about."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_args: Any) -> None:
        self.closing.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

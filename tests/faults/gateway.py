"""A gateway in front of a server whose answers a test chooses, request by request.

It forwards each request over a connection of its own, and keeps those of its clients open between requests,
as a gateway does.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.faults.fault import target_of


@dataclass(frozen=True)
class Reply:
    """Reaction of the gateway to one request."""

    raw: bytes | None = None
    """The bytes that the client gets; ``None`` passes on the server's answer."""
    forwards: str = "before"
    """Whether the server gets the request ``before`` the client gets the bytes, ``after``, or ``never``."""
    seconds: float = 0.0
    """How long a request that is forwarded after the answer is held back."""


PASS = Reply()


@dataclass
class Seen:
    """One request, and what the server answered."""

    target: str
    path: str
    status: int | None = None
    answer: bytes = b""


class _Handler(BaseHTTPRequestHandler):
    server: Gateway
    protocol_version = "HTTP/1.1"

    def _relay(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = Seen(target_of(self.command, self.path), self.path)
        reply = self.server.choose(seen)
        if reply.forwards == "before":
            raw = self._forward(seen, body)
            self._send(raw if reply.raw is None else reply.raw)
            return
        self._send(reply.raw or b"")
        if reply.forwards == "after":
            self.server.start(lambda: (time.sleep(reply.seconds), self._forward(seen, body)))

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _relay

    def _send(self, raw: bytes) -> None:
        try:
            self.wfile.write(raw)
        except OSError:
            raw = b""
        if not raw or b"connection: close" in raw.partition(b"\r\n\r\n")[0].lower():
            self.close_connection = True

    def _forward(self, seen: Seen, body: bytes) -> bytes:
        """Return the server's answer as bytes; none where it gave none."""
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=60)
        try:
            upstream.request(self.command, self.path, body, dict(self.headers.items()))
            answer = upstream.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            return b""
        finally:
            upstream.close()
        seen.status, seen.answer = answer.status, content
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
        left_out = ("connection", "content-length", "transfer-encoding")
        lines += [f"{name}: {text}" for name, text in answer.getheaders() if name.lower() not in left_out]
        return "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode("latin-1") + content

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


class Gateway(ThreadingHTTPServer):
    """The gateway, as a context manager.

    Args:
        upstream: The port of the server on 127.0.0.1.
        choose: Returns what happens to a request; called on any thread.
    """

    daemon_threads = True

    def __init__(self, upstream: int, choose: Callable[[Seen], Reply] = lambda _: PASS) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.choose = choose
        self._lock = threading.Lock()
        self._late: list[threading.Thread] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    def start(self, work: Callable[[], object]) -> None:
        """Do something after the answer; `wait_for_late` waits for it."""
        thread = threading.Thread(target=work)
        with self._lock:
            self._late.append(thread)
        thread.start()

    def wait_for_late(self) -> None:
        """Wait until every request that was held back is answered."""
        with self._lock:
            late = list(self._late)
        for thread in late:
            thread.join(60)

    def process_request(self, request: Any, client_address: Any) -> None:
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().process_request(request, client_address)

    def handle_error(self, *_args: Any) -> None:
        """A client that leaves early is what the tests are about."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_args: Any) -> None:
        self.wait_for_late()
        self.shutdown()
        self._thread.join()
        self.server_close()

"""A TCP proxy that places faults at the level of bytes.

It understands just enough of HTTP/1.1 and of WebSocket frames to know where a request, an answer or a frame
begins and ends; what no fault strikes is passed on byte by byte. Answers are passed on when they are whole.
Each request goes to the server over a connection of its own, so that an idle one is never found closed.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress

from tests.faults.fault import CONNECTION, HANDSHAKE, Applied, target_of
from tests.faults.http_faults import Exchange, close
from tests.faults.http_messages import brief, read_request
from tests.faults.socket_relay import SocketRelay

LARGEST_HEAD = 1024 * 1024


@contextmanager
def fault_proxy(port):
    """Run a proxy to a local port on its own thread."""
    proxy = FaultProxy(port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
    assert not proxy.errors, proxy.errors


class FaultProxy:
    """Proxy between clients and a server.

    Its methods may be called from any thread but those of its connections.
    Args:
        port: Where the server listens, on 127.0.0.1.
    """

    def __init__(self, port):
        self.errors = []
        """What went wrong in the proxy itself."""
        self.struck = threading.Event()
        """Set by each fault that strikes."""
        self.requests = Counter()
        """Requests by target, those that were struck included."""
        self._server_port = port
        self._lock = threading.Lock()
        self._armed = []
        """Faults with the number of requests that are still to pass."""
        self._applied = []
        self._answers = {}
        """The last answer of the server to a request of each target."""
        self._cached = {}
        """The last answer to a request of each path and query, and when it came."""
        self._past = None
        """What the record is shown as, and until when."""
        self.trace = []
        """What passed: the time of day, and a line."""
        self.held = []
        """Frames of the server that are held until the next turn."""
        self.runs = []
        """Ids of runs that sockets have named."""
        self._clients = set()
        """The writers of all connections of clients."""
        self._tasks = set()
        self._listener = None
        self._listening = threading.Event()
        self._back_at = 0.0
        # Bound but not listening: it holds the port while connections are refused.
        self._holder = _bound(0)
        self.port = self._holder.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault proxy")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def applied(self):
        """The faults that have struck, in order."""
        with self._lock:
            return list(self._applied)

    def start(self):
        """Begin to listen."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def stop(self):
        """Break all connections and end the thread."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._holder.close()

    def arm(self, *faults):
        """Let each fault strike once; faults of connections break open ones."""
        for fault in faults:
            if fault.kind == "refuse":
                self._log(fault, "all connections")
            else:
                with self._lock:
                    self._armed.append([fault, fault.skip, fault.times])
            if fault.target == CONNECTION:
                asyncio.run_coroutine_threadsafe(self._break(fault), self._loop).result()

    def disarm(self):
        """Take back the faults that have not struck, and return them."""
        with self._lock:
            left = [fault for fault, *_ in self._armed]
            self._armed.clear()
        return left

    def lag(self, past, seconds):
        """Show the record as it was before, for some seconds."""
        self._past = past, time.monotonic() + seconds

    @property
    def is_lagging(self):
        """Return whether the record is shown as it was before."""
        return self._past is not None and time.monotonic() < self._past[1]

    def wait_for_record(self):
        """Wait until the record is shown as it is."""
        while self.is_lagging:
            time.sleep(0.05)

    def wait_until_listening(self, timeout=10.0):
        """Wait until connections are accepted again."""
        assert self._listening.wait(timeout)

    # What follows is called on the proxy's own thread.

    def take(self, target, subject, *, frame=None):
        """Return the fault of a request or frame; ``None`` without one."""
        with self._lock:
            for entry in self._armed:
                fault, left, _ = entry
                if fault.target != target or (frame is not None and fault.frame != frame):
                    continue
                if fault.kind == "duplicate answer" and target not in self._answers:
                    continue
                if left:
                    entry[1] -= 1
                    continue
                entry[2] -= 1
                if not entry[2]:
                    self._armed.remove(entry)
                break
            else:
                return None
        self._log(fault, subject)
        return fault

    def note(self, line):
        """Add a line to the trace."""
        self.trace.append((time.clock_gettime(time.CLOCK_REALTIME), line))

    def remember(self, target, path, message):
        """Keep an answer of the server."""
        self._answers[target] = message
        if message.status == 200:
            self._cached[path] = message, time.monotonic()

    def cached(self, path):
        """Return the server's last answer to a path and query, and its age; ``None`` without one."""
        message, at = self._cached.get(path, (None, 0.0))
        return None if message is None else (message, time.monotonic() - at)

    def as_of_then(self, target, message):
        """Return an answer as the record was before, while it lags."""
        past = self._past if self.is_lagging else None
        return message if past is None else past[0].rewrite(target, message)

    def run_aside(self, coroutine):
        """Run something without waiting for it; the server may break the connection."""

        async def run():
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await coroutine

        self._start(run())

    def remembered(self, target):
        """Return the server's last response to a target; ``None`` without one."""
        return self._answers.get(target)

    async def connect(self):
        """Open a connection to the server."""
        return await asyncio.open_connection("127.0.0.1", self._server_port, limit=LARGEST_HEAD)

    def go_away(self, seconds):
        """Break all connections, and refuse new ones for a while."""
        if self._listener is not None:
            self._listening.clear()
            self._listener.close()
            self._listener = None
        self._break_connections()
        self._back_at = max(self._back_at, self._loop.time() + seconds)
        self._loop.call_later(seconds, self._come_back)

    async def _break(self, fault):
        if fault.kind == "refuse":
            self.go_away(fault.seconds)
        else:
            self._break_connections()

    def _break_connections(self):
        for writer in list(self._clients):
            close(writer)

    def _come_back(self):
        if self._listener is None and self._loop.time() >= self._back_at:
            self._start(self._listen())

    async def _listen(self):
        self._listener = await asyncio.start_server(self._accept, sock=_bound(self.port), limit=LARGEST_HEAD)
        self._listening.set()

    def _accept(self, reader, writer):
        fault = self.take(CONNECTION, "a new connection")
        if fault is not None:
            assert fault.kind == "reset", f"no fault of connections is called {fault.kind!r}"
            close(writer, is_reset=True)
            return
        self._start(self._serve(reader, writer))

    def _start(self, coroutine):
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task):
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.errors.append(task.exception())

    async def _serve(self, reader, writer):
        self._clients.add(writer)
        try:
            # The connection may break at any moment: that is what the proxy is for.
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while (request := await read_request(reader)) is not None:
                    if not await self._answer(request, reader, writer):
                        break
        finally:
            self._clients.discard(writer)
            writer.close()

    async def _answer(self, request, reader, writer):
        """Answer a request; return whether the connection stays usable."""
        method, path, _ = request.first_line.split(" ", 2)
        target = target_of(method, path)
        self.requests[target] += 1
        self.note(f"client sends {brief(request)}")
        exchange = Exchange(self, request, target, reader, writer)
        try:
            await exchange.run(self.take(target, request.first_line))
            if target == HANDSHAKE and exchange.sent is not None and exchange.sent.status == 101:
                await SocketRelay(self, (reader, writer), exchange.upstream).run()
                return False
        finally:
            exchange.leave_upstream()
        return exchange.is_open

    def _log(self, fault, subject):
        with self._lock:
            self._applied.append(Applied(fault, subject, time.monotonic()))
        self.note(f"  struck by {fault.kind} on {fault.target} ({subject})")
        self.struck.set()

    async def _stop(self):
        self._back_at = float("inf")  # a timer that is under way must not listen again
        if self._listener is not None:
            self._listener.close()
        for writer in list(self._clients):
            writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # transports that were aborted close their sockets in the next round


def _bound(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", port))
    return sock

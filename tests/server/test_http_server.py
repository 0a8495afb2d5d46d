from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import closing
from types import SimpleNamespace

import httpx
import pytest
import uvicorn

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import SettingsError
from debugger.server import http_server as serve_module
from debugger.server.app import create_app
from debugger.server.connections import BoundedProtocol
from debugger.server.health import SHUTTING_DOWN
from debugger.server.http_server import HttpServer, listen, serve
from debugger.server.limits import ConnectionLimits
from debugger.settings import Settings
from debugger.store import Role

CHILD = textwrap.dedent(
    """
    from types import SimpleNamespace
    from debugger.server.http_server import serve

    serve(SimpleNamespace(), "127.0.0.1", 0, "sk-right")
    """
)


def test_serve_prints_url_and_ends_on_signal():
    with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True) as child:
        line = child.stdout.readline().strip()
        url = line.rpartition(" ")[2]

        answer = httpx.get(f"{url}/v1/workflows", trust_env=False)
        child.send_signal(signal.SIGTERM)
        child.wait(10)

    assert line.startswith("Serving the API on http://127.0.0.1:")
    assert url.endswith("/workflows")
    assert answer.status_code == 401


@pytest.mark.parametrize("api_key", [None, ""])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "debugger.example"])
def test_serve_refuses_open_server(embedded, host, api_key):
    with pytest.raises(SettingsError, match=f"who can reach {host}") as raised:
        serve(embedded, host, 0, api_key)

    assert "keys add" in raised.value.advice
    assert "127.0.0.1" in raised.value.advice


def test_serve_listens_beyond_loopback_with_key():
    with closing(EmbeddedBackend(Settings(database="sqlite://"))) as backend:
        backend.store.api_keys.add("Ada", Role.READ)

        with socket.create_server(("0.0.0.0", 0)) as taken:
            for served, api_key in ((backend, None), (SimpleNamespace(), "sk-right")):
                with pytest.raises(SettingsError, match="cannot listen"):
                    serve(served, "0.0.0.0", taken.getsockname()[1], api_key)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.9.9.9"])
def test_this_machine_alone_needs_no_key(host):
    with socket.create_server((host, 0)) as taken, pytest.raises(SettingsError, match="cannot listen"):
        serve(SimpleNamespace(), host, taken.getsockname()[1])


def test_a_port_that_is_taken_is_told():
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(SettingsError, match="cannot listen") as raised,
    ):
        listen("127.0.0.1", taken.getsockname()[1])

    assert "another port" in raised.value.advice


@pytest.mark.parametrize(
    "host, port", [("host.invalid", 0), ("a" * 70 + ".invalid", 0), ("127.0.0.1", 70_000)]
)
def test_a_place_that_cannot_be_is_told(host, port):
    with pytest.raises(SettingsError, match="cannot listen"):
        listen(host, port)


def test_listen_accepts_ipv6():
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")

    with listen("::1", 0) as listener:
        assert listener.family == socket.AF_INET6


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_connections_leave_descriptors_to_the_store():
    code = textwrap.dedent(
        """
        import resource
        from debugger.server.limits import ConnectionLimits
        from debugger.server.http_server import fit_to_descriptors

        for limits in ((5000, 5000), (256, 2000), (256, 256), (40, 40)):
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            total = fit_to_descriptors(ConnectionLimits()).total
            print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], total)
        """
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert child.stdout.splitlines() == ["5000 1000", "1256 1000", "256 192", "40 16"]


def test_listener_disables_delay():
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


GC_CHILD = """
import gc
from debugger.server.http_server import _freeze_objects

class Loop:
    pass

kept, lost = Loop(), Loop()
kept.own, lost.own = kept, lost
del lost
_freeze_objects()
print(sum(isinstance(thing, Loop) for thing in gc.get_objects()), gc.get_freeze_count() > 1_000)
"""


def test_freeze_objects_collects_garbage_first():
    before = gc.get_freeze_count()

    told = subprocess.run([sys.executable, "-c", GC_CHILD], capture_output=True, text=True, check=True)

    assert told.stdout.split() == ["0", "True"]
    assert gc.get_freeze_count() == before


HEALTH = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
NOT_FOUND = b"HTTP/1.1 404"
LARGE = b"x" * 40_000_000


async def large_response(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": LARGE})


@pytest.fixture(autouse=True)
def frequent_sweeps(monkeypatch):
    monkeypatch.setattr(serve_module, "SWEEP_SECONDS", 0.05)


@contextlib.contextmanager
def serving(limits, app=None):
    """Serve with these limits: gives a function that connects."""
    app = app or create_app(SimpleNamespace())
    config = uvicorn.Config(app, http=BoundedProtocol, lifespan="off", log_config=None)
    server = HttpServer(config, SimpleNamespace(), limits)
    with listen("127.0.0.1", 0) as listener, contextlib.ExitStack() as stack:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        port = listener.getsockname()[1]

        def connect(data=b"", source="127.0.0.1"):
            connection = socket.create_connection(("127.0.0.1", port), 10, source_address=(source, 0))
            connection.sendall(data)
            return stack.enter_context(connection)

        yield connect
        server.should_exit = True
        thread.join()


def is_ended(connection):
    """Return whether the server ends a connection soon, without a byte."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_ending_server_is_not_ready(serve):
    app = create_app(SimpleNamespace())
    client = serve(None, app=app)
    config = uvicorn.Config(app, log_config=None)
    HttpServer(config, app.state.services.readiness).handle_exit(signal.SIGTERM, None)

    answer = client.get(client.base_url.join("/readyz"))

    assert (answer.status_code, answer.json()) == (503, {"detail": SHUTTING_DOWN})
    assert client.get(client.base_url.join("/healthz")).status_code == 200


def test_a_client_that_reads_nothing_is_disconnected(caplog):
    caplog.set_level(logging.INFO)
    with serving(ConnectionLimits(read_seconds=0.5), large_response) as connect:
        lazy = connect(HEALTH)
        deadline = time.monotonic() + 20
        while "its client reads nothing" not in caplog.text:
            assert time.monotonic() < deadline
            time.sleep(0.02)

        lazy.settimeout(10)
        total = 0
        with contextlib.suppress(ConnectionResetError):
            while chunk := lazy.recv(1_000_000):
                total += len(chunk)
        assert total < len(LARGE)


def test_a_slow_reader_gets_everything():
    with serving(ConnectionLimits(read_seconds=1.5), large_response) as connect:
        reader = connect(HEALTH)
        total, began = 0, time.monotonic()
        while total < len(LARGE):
            total += len(reader.recv(1_000_000))
            time.sleep(0.04)

    assert time.monotonic() - began > 1.5


def test_the_longest_waiting_connection_makes_room():
    with serving(ConnectionLimits(per_address=3)) as connect:
        first, second, third = (connect(b"GET / HT") for _ in range(3))
        elsewhere = connect(b"GET / HT", source="127.0.0.2")

        fourth = connect(HEALTH)

        assert fourth.recv(12) == b"HTTP/1.1 200"
        assert is_ended(first)
        for connection in (second, third, elsewhere):
            connection.sendall(b"TP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert connection.recv(12) == NOT_FOUND


def test_the_address_with_most_connections_makes_room():
    with serving(ConnectionLimits(total=4, per_address=0)) as connect:
        polite = connect(b"GET / HT", source="127.0.0.2")
        time.sleep(0.05)
        many = [connect(b"GET / HT") for _ in range(3)]

        assert connect(HEALTH, source="127.0.0.3").recv(12) == b"HTTP/1.1 200"

        assert is_ended(many[0])
        polite.sendall(b"TP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert polite.recv(12) == NOT_FOUND


def test_trusted_proxy_has_no_connection_limit():
    limits = ConnectionLimits(per_address=2, trusted_proxies=("127.0.0.0/24",))
    with serving(limits) as connect:
        connections = [connect(b"GET / HT") for _ in range(5)]
        for connection in connections:
            connection.sendall(b"TP/1.1\r\nHost: 127.0.0.1\r\n\r\n")

        assert all(connection.recv(12) == NOT_FOUND for connection in connections)


def test_a_deadline_begins_with_each_request():
    with serving(ConnectionLimits(header_seconds=1.5, body_seconds=1.5)) as connect:
        connection = connect()
        for _ in range(4):
            time.sleep(0.6)
            connection.sendall(HEALTH)
            answer = b""
            while b'"ok"' not in answer:
                answer += connection.recv(4000)


def test_an_idle_new_connection_is_ended_silently(caplog):
    caplog.set_level(logging.INFO)
    with serving(ConnectionLimits(header_seconds=0.2)) as connect:
        assert is_ended(connect())

    assert "the headers of a request did not arrive" in caplog.text


@pytest.mark.parametrize("limit", ["total", "per_address"])
def test_connections_in_use_are_never_ended(limit):
    entered, release = threading.Semaphore(0), threading.Event()

    async def slow(scope, receive, send):
        entered.release()
        while not release.is_set():
            await asyncio.sleep(0.01)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    with serving(ConnectionLimits(**{limit: 2}), slow) as connect:
        in_use = [connect(HEALTH), connect(HEALTH)]
        assert all(entered.acquire(timeout=20) for _ in in_use)

        assert is_ended(connect(HEALTH))

        release.set()
        assert all(connection.recv(12) == b"HTTP/1.1 200" for connection in in_use)

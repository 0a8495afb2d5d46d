"""Attacks on a server process: connections, slow requests, slow turns."""

from __future__ import annotations

import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from debugger.backends.embedded import EmbeddedBackend
from debugger.settings import Settings
from debugger.store import Role
from tests.conformance.graphs import direct, graph, http, static
from tests.support.http_server import HttpServer

ROOT = Path(__file__).parents[2]
HALF_OPEN, SLOW_TURNS = 400, 80
MEGABYTE = 1_000_000


class Server:
    """A server, and the keys of two users."""

    def __init__(self, folder, process, port, keys):
        self.process, self.port, self._keys = process, port, keys
        self._log = folder / "log.txt"

    @property
    def log(self):
        return self._log.read_text()

    def client(self, name="admin"):
        headers = {"Authorization": f"Bearer {self._keys[name]}"}
        base_url = f"http://127.0.0.1:{self.port}/workflows"
        return httpx.Client(base_url=base_url, headers=headers, verify=False, trust_env=False, timeout=30)

    def connect(self, source="127.0.0.1"):
        return socket.create_connection(("127.0.0.1", self.port), timeout=30, source_address=(source, 0))

    def create(self, *parts):
        with self.client() as client:
            answer = client.post("/v1/workflows", json={**graph(*parts), "name": "Tea"})
        assert answer.is_success, answer.text
        return answer.json()["workflow"]["_id"]

    def send_turn(self, workflow_id, name):
        """Send a turn without waiting for its response."""
        body = json.dumps({"run_input": {"command": "start"}})
        lines = (
            f"POST /workflows/v1/workflows/{workflow_id}/execute HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {self._keys[name]}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        )
        connection = self.connect()
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        return connection

    def seconds_of_turn(self, workflow_id, name):
        began = time.perf_counter()
        with self.client(name) as client:
            answer = client.post(
                f"/v1/workflows/{workflow_id}/execute", json={"run_input": {"command": "start"}}
            )
        assert answer.status_code == 200, answer.text
        return time.perf_counter() - began

    def seconds_of_health(self):
        began = time.perf_counter()
        with self.connect() as connection:
            connection.settimeout(5)
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            assert b" 200 OK" in connection.recv(1000)
        return time.perf_counter() - began


@contextmanager
def serving(folder, *options, descriptors=None):
    """Serve during the block, with an administrator's and two users' keys."""
    database = f"sqlite:///{folder}/runs.sqlite3"
    with closing(EmbeddedBackend(Settings(database=database))) as backend:
        add = backend.store.api_keys.add
        keys = {
            name: add(name, role)[1]
            for name, role in (("admin", Role.ADMIN), ("a", Role.RUN), ("b", Role.RUN))
        }
    command = [sys.executable, "-m", "debugger", "serve", "--port", "0", "--database", database, *options]
    if descriptors:
        command = ["sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh", *command]
    environment = {name: value for name, value in os.environ.items() if "WORKFLOW_DEBUGGER" not in name}
    with (
        (folder / "log.txt").open("w") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment, cwd=ROOT
        ) as process,
    ):
        try:
            line = process.stdout.readline()
            assert "Serving the API on" in line, (folder / "log.txt").read_text()
            threading.Thread(target=process.stdout.read, daemon=True).start()
            yield Server(folder, process, httpx.URL(line.split()[-1]).port, keys)
        finally:
            process.kill()


def half_open(server, stack, count):
    """Open connections that send the beginning of a request."""
    for _ in range(count):
        connection = stack.enter_context(server.connect())
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n")


def received(connection, seconds):
    """Return the bytes until the end of the connection or timeout."""
    connection.settimeout(seconds)
    data = b""
    try:
        while chunk := connection.recv(65_536):
            data += chunk
    except ConnectionResetError:
        pass
    return data


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A server without options."""
    with serving(tmp_path_factory.mktemp("plain")) as server:
        yield server


@pytest.fixture(scope="module")
def poor(tmp_path_factory):
    """A server with few file descriptors."""
    with serving(tmp_path_factory.mktemp("poor"), descriptors=256) as server:
        yield server


@pytest.mark.parametrize("name", ["plain", "poor"])
def test_pressure_leaves_health_and_another_key_quick(request, name):
    server = request.getfixturevalue(name)
    may_go = threading.Event()

    def hold(handler):
        may_go.wait(120)
        handler.send_json({})

    with HttpServer(hold=hold) as service, ExitStack() as stack:
        stack.callback(may_go.set)
        slow = server.create(
            http("call", f"{service.url}/hold"), static("done", "Done"), direct("call", "done")
        )
        quick = server.create(static("hello", "Hello"))
        quiet = statistics.median(server.seconds_of_turn(quick, "b") for _ in range(15))
        logged = len(server.log)

        turns = [stack.enter_context(server.send_turn(slow, "a")) for _ in range(SLOW_TURNS)]
        half_open(server, stack, HALF_OPEN)
        health, others = [], []
        for _ in range(15):
            health.append(server.seconds_of_health())
            others.append(server.seconds_of_turn(quick, "b"))

        assert max(health) < 1
        assert statistics.median(others) <= 3 * quiet
        may_go.set()
        for turn in turns:
            turn.settimeout(30)
            assert turn.recv(12) == b"HTTP/1.1 200"
        assert len(server.log) - logged < MEGABYTE


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A server with short deadlines and few connections for each address."""
    folder = tmp_path_factory.mktemp("strict")
    options = ("--header-timeout", "1", "--body-timeout", "1", "--max-connections-per-address", "8")
    with serving(folder, *options) as server:
        yield server


HEADERS = b"POST /workflows/v1/workflows HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.mark.parametrize(
    "beginning, drip, part",
    [
        (HEADERS, b"a", b"headers"),
        (b"GET /workflows/v1/workflow-runs/ws HTTP/1.1\r\nUpgrade: websocket\r\n", b"a", b"headers"),
        (HEADERS + b"Authorization: Bearer KEY\r\nContent-Length: 999\r\n\r\n", b" ", b"body"),
        (b"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999\r\n\r\n", b" ", None),
    ],
    ids=["headers", "handshake", "body", "ignored body"],
)
def test_a_request_that_drips_is_cut(strict, beginning, drip, part):
    key = strict.client().headers["Authorization"].split()[1].encode()
    with strict.connect() as connection:
        connection.sendall(beginning.replace(b"KEY", key))
        ended = threading.Event()

        def trickle():
            while not ended.wait(0.1):
                try:
                    connection.sendall(drip)
                except OSError:
                    return

        dripping = threading.Thread(target=trickle)
        dripping.start()
        try:
            answer = received(connection, 5)  # fails by a timeout where the connection stays open
        finally:
            ended.set()
            dripping.join()

    if part is not None:
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"The %s of the request did not arrive in time." % part in answer


def test_connections_of_one_address_are_limited(strict):
    with strict.client("a") as client, ExitStack() as stack:
        url = f"ws://127.0.0.1:{strict.port}/workflows/v1/workflow-runs/ws"
        for _ in range(8):
            shown = {"Authorization": client.headers["Authorization"]}
            stack.enter_context(connect(url, additional_headers=shown, proxy=None))

        with strict.connect() as connection:
            assert received(connection, 5) == b""
        with strict.connect("127.0.0.2") as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            assert b" 200 OK" in received(connection, 5)


@pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="only Linux changes the limits of another process"
)
def test_connections_are_accepted_once_descriptors_are_free(plain):
    server = plain
    with ExitStack() as stack:
        server.seconds_of_health()
        limits = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
        logged = len(server.log)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (4, limits[1]))
        half_open(server, stack, 50)
        time.sleep(1)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, limits)

        assert server.seconds_of_health() < 1
        assert len(server.log) - logged < 10_000
        assert "a connection cannot be accepted yet" in server.log


def test_address_is_not_read_from_header(plain):
    with plain.client() as client:
        client.headers["Authorization"] = "Bearer wrong"
        statuses = [
            client.get("/v1/workflows", headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code
            for number in range(65)
        ]

    assert statuses[0] == 401
    assert statuses[-1] == 429

"""Isolation is for good, so each test looks at it from inside a child process."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from debugger.engine.tools import sandbox


def inside(code: str, memory: int = 512_000_000, **arguments: Any) -> sandbox.Answer:
    request = {"code": dedent(code), "name": "", "arguments": arguments}
    return sandbox.run(request, sandbox.Limits(timeout=20, memory=memory), threading.Event())


def test_the_limits_are_set_and_cannot_be_raised() -> None:
    code = """
        import resource

        def f():
            try:
                resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000))
                raised = True
            except (ValueError, OSError):
                raised = False
            names = "RLIMIT_CPU", "RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE"
            return [resource.getrlimit(getattr(resource, name))[0] for name in names] + [raised]
    """

    assert inside(code).value == [21, 512_000_000, 0, 64, 0, False]


def test_memory_beyond_the_limit_is_refused_and_said() -> None:
    code = """\
        def f():
            kept = []
            while True:
                kept.append(bytearray(1_000_000))
    """

    answer = inside(code, memory=100_000_000)

    assert answer.error == "The code raised MemoryError in line 4 (it may use 100 MB)."


def test_a_server_on_this_machine_cannot_be_reached() -> None:
    if not sandbox.network_isolation():
        pytest.skip("this system isolates no network")
    code = """
        import socket

        def f(port):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
                try:
                    datagrams.sendto(b"hello", ("127.0.0.1", port))
                    sent = True
                except OSError:
                    sent = False
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5)
                connected = True
            except OSError:
                connected = False
            return [sent, connected]
    """

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()
        answer = inside(code, port=port)

    assert answer.value == [False, False]


def test_files_of_the_user_can_be_neither_read_nor_changed_nor_listed(tmp_path: Path) -> None:
    if not sandbox.file_isolation():
        pytest.skip("this system isolates no files")
    secret = tmp_path / "secrets.toml"
    secret.write_text("key")
    code = """
        import os, shutil

        def f(path):
            folder = os.path.dirname(path)
            attempts = [
                lambda: open(path).read(),
                lambda: open(path, "w"),
                lambda: os.truncate(path, 0),
                lambda: os.remove(path),
                lambda: os.listdir(folder),
                lambda: os.mkdir(os.path.join(folder, "new")),
                lambda: open("here.txt", "w"),
                lambda: open("/dev/shm/left-behind", "w"),
                lambda: open(f"/proc/{os.getppid()}/environ").read(),
            ]
            outcomes = []
            for attempt in attempts:
                try:
                    attempt()
                    outcomes.append("done")
                except PermissionError:
                    outcomes.append("refused")
            return outcomes
    """

    answer = inside(code, path=str(secret))

    assert answer.value == ["refused"] * 9
    assert secret.read_text() == "key"
    assert list(tmp_path.iterdir()) == [secret]


def test_the_standard_library_can_be_read() -> None:
    code = """
        def f():
            import asyncio, csv, ctypes, decimal, hashlib, sqlite3, ssl, statistics, uuid, zoneinfo
            return hashlib.sha256(str(decimal.Decimal("1.10")).encode()).hexdigest()[:8]
    """

    assert inside(code).value == "aa672d37"


def test_no_privilege_is_left() -> None:
    code = """
        import ctypes, struct

        def f():
            libc = ctypes.CDLL(None)
            data = ctypes.create_string_buffer(24)
            libc.capget(struct.pack("=Ii", 0x20080522, 0), data)
            return [any(data.raw), libc.prctl(39, 0, 0, 0, 0)]
    """

    assert inside(code).value == [False, 1]


def test_the_application_cannot_be_sent_a_signal() -> None:
    if not sandbox.network_isolation():
        pytest.skip("this system has no separate process ids")
    code = """
        import os

        def f(process):
            os.kill(process, 0)
    """

    answer = inside(code, process=os.getpid())

    assert (answer.error or "").startswith("The code raised ProcessLookupError in line 5")

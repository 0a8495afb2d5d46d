"""Attacks of inline Python that exhaust resources or outlive the call."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import pytest

from debugger.engine.tools.sandbox import Limits, run
from tests.safety.attacks import attack

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")


def descendants(process: int | str = "self") -> set[int]:
    """Return the processes below one, as far as they have not ended."""
    found = set()
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            for child in task.read_text().split():
                if "Z" not in Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]:
                    found |= {int(child)} | descendants(int(child))
    return found


def wait_until_gone(processes: set[int]) -> bool:
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{process}").exists() for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_sandbox_ends_a_thread_bomb() -> None:
    code = """
        def attack():
            threading.stack_size(32_768)
            gate = threading.Event()
            for _ in range(20_000):
                threading.Thread(target=gate.wait, daemon=True).start()
            return "all threads"
    """
    before = descendants()

    assert attack(code).error == "The code started more than 64 threads."
    assert descendants() == before


def test_sandbox_limits_memory_of_all_threads() -> None:
    code = """
        def attack():
            import mmap
            blocks, full, gate = [], [], threading.Event()

            def fill():
                gate.wait()
                try:
                    while True:
                        blocks.append(mmap.mmap(-1, 1_000_000))
                        blocks[-1].write(b"x" * 1_000_000)
                except (MemoryError, OSError):
                    full.append(True)

            threads = [threading.Thread(target=fill) for _ in range(8)]
            for thread in threads: thread.start()
            gate.set()
            for thread in threads: thread.join()
            count = len(blocks)
            blocks.clear()
            return [count, len(full)]
    """

    answer = attack(code, memory=400_000_000)

    assert answer.error is None, answer
    count, full = answer.value

    assert full == 8
    assert 50 < count < 400


def test_sandbox_has_no_memory_outside_address_space() -> None:
    shmget, msgget = (29, 68) if platform.machine() == "x86_64" else (194, 186)
    code = """
        def attack(shmget, msgget):
            import fcntl
            file = open("/tmp/file", "w")
            return names_of_errors(
                lambda: os.memfd_create("memory"),
                lambda: call(libc.syscall, 447, 0),
                lambda: call(libc.syscall, shmget, 0, 1_000_000_000, 0o1600),
                lambda: call(libc.syscall, msgget, 0, 0o1600),
                lambda: call(libc.inotify_init1, 0),
                lambda: fcntl.lockf(file, fcntl.LOCK_EX, 1, 5),
                lambda: fcntl.flock(file, fcntl.LOCK_EX),
                lambda: socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 100_000_000),
            )
    """

    assert attack(code, shmget=shmget, msgget=msgget).value == ["PermissionError"] * 8


def test_sandbox_ends_a_page_table_bomb() -> None:
    code = """
        def attack():
            libc.mmap.restype = ctypes.c_void_p
            libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
            for place in range(1, 60_000):
                address = libc.mmap((1 << 40) + place * (1 << 30), 4096, 3, 0x32, -1, 0)
                ctypes.c_char.from_address(address).value = b"x"
            import time
            time.sleep(2)
            return "all pages"
    """

    assert attack(code).error == "The code mapped memory in too many places."


def test_sandbox_limits_its_temporary_files() -> None:
    code = """
        def attack():
            sizes = []
            for number in range(4):
                try:
                    with open(f"/tmp/{number}", "wb", buffering=0) as file:
                        for _ in range(20): file.write(b"x" * 1_000_000)
                except OSError as error:
                    pass
                sizes.append(os.path.getsize(f"/tmp/{number}"))
            return sum(sizes)
    """

    assert 10_000_000 < attack(code).value < 17_000_000


def test_sandbox_ends_a_file_bomb() -> None:
    code = """
        def attack():
            import time
            for number in range(100_000): os.close(os.open(f"/tmp/{number}", os.O_CREAT))
            time.sleep(2)
            return "all files"
    """

    assert attack(code).error == "The code made more than 1,000 files in /tmp."


def test_sandbox_ends_a_flood_of_output() -> None:
    code = """
        def attack():
            for _ in range(2_000): os.write(1, b"x" * 1_000_000)
            return "all output"
    """

    answer = attack(code)

    assert answer.error == "The code printed more than 10 MB."
    assert len(answer.printed) == 500


def test_sandbox_refuses_a_long_answer() -> None:
    code = """
        def attack(forged):
            while forged:
                for number in range(3, 16):
                    try:
                        os.write(number, b"no end of it" * 10_000)
                    except OSError:
                        pass
            return "x" * 1_000_001
    """

    assert attack(code, forged=False).error == "The result is 1,000,015 bytes of JSON; it may have 1,000,000."
    assert "something of its own" in (attack(code, forged=True).error or "")


@pytest.mark.parametrize(
    ("ending", "error"),
    [
        ("return 1", None),
        ("os._exit(3)", "The process of the code ended with exit code 3 and gave no answer."),
        ("while True: pass", "The code ran longer than its limit of 0.7 s."),
        (
            "os.closerange(0, 64); threading.Event().wait()",
            "The code ran longer than its limit of 0.7 s.",
        ),
    ],
)
def test_sandbox_leaves_no_process_behind(ending: str, error: str | None) -> None:
    code = f"""
        def attack():
            for number in range(1, 65):
                libc.signal(number, 1)
            libc.prctl(1, 0, 0, 0, 0)
            for _ in range(8):
                threading.Thread(target=lambda: threading.Event().wait(), daemon=True).start()
            {ending}
    """
    before = descendants()

    assert attack(code, timeout=0.7).error == error
    assert descendants() == before


def test_sandbox_ends_with_the_application() -> None:
    code = """
        import ctypes, threading
        def attack():
            ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)  # asks to live on
            while True: pass
    """
    application = dedent(f"""
        import threading
        from debugger.engine.tools.sandbox import Limits, run
        run({{"code": {dedent(code)!r}, "name": "attack", "arguments": {{}}}}, Limits(60), threading.Event())
    """)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", application], env=environment) as started:
        deadline = time.monotonic() + 30
        while not any(looping(process) for process in descendants(started.pid)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        below = descendants(started.pid)
        started.kill()

    assert below
    assert wait_until_gone(below)


def looping(process: int) -> bool:
    """Return whether it has used half a second of processor time."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return int(fields[11]) >= os.sysconf("SC_CLK_TCK") // 2


def test_sandbox_is_ended_on_cancel_at_once() -> None:
    cancelled = threading.Event()
    timer = threading.Timer(0.4, cancelled.set)
    timer.start()
    before = descendants()

    began = time.monotonic()
    request = {"code": "def attack():\n  while True: pass", "name": "attack", "arguments": {}}
    answer = run(request, Limits(30), cancelled)

    assert answer.error == "The call was stopped."
    assert time.monotonic() - began < 2
    assert descendants() == before

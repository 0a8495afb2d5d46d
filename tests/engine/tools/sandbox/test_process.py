from __future__ import annotations

import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from debugger.engine.tools import sandbox
from debugger.engine.tools.sandbox import Limits, SandboxResult, process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")


@pytest.fixture(params=[False, True], ids=["sandboxed", "unsafe"])
def unsafe(request: pytest.FixtureRequest) -> bool:
    """Both modes."""
    return bool(request.param)


def run(code: str, timeout: float = 20, *, unsafe: bool = False, **arguments: Any) -> SandboxResult:
    request = {"code": dedent(code), "name": "", "arguments": arguments}
    return sandbox.run(request, Limits(timeout), threading.Event(), unsafe=unsafe)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def child_processes() -> list[str]:
    """Those of this process, zombies among them."""
    found: list[str] = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended meanwhile
            found += (task / "children").read_text().split()
    return sorted(found)


def test_value_goes_to_child_and_back(unsafe: bool) -> None:
    value = {"text": "Grüße\n🙂", "list": [1, 2.5, None, True], "big": 2**63}

    assert run("def f(value): return [value]", unsafe=unsafe, value=value) == SandboxResult(value=[value])


def test_run_shows_nothing_of_the_application(monkeypatch: pytest.MonkeyPatch, unsafe: bool) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "do not tell")
    code = """
        import os, sys

        def f():
            open_files = []
            for number in range(64):
                try:
                    open_files.append(os.fstat(number) and number)
                except OSError:
                    pass
            return {
                "environment": dict(os.environ),
                "arguments": sys.argv,
                "folder": os.listdir("."),
                "path": sys.path,
                "open_files": len(open_files),
            }
    """

    value = run(code, unsafe=unsafe).value

    assert value["environment"] == {}
    assert value["arguments"] == ["inline_python"]
    assert value["folder"] == []
    assert not [folder for folder in value["path"] if "site-packages" in folder or folder == "/"]
    assert value["open_files"] == 4  # request, printed twice, answer


def test_reading_input_finds_its_end_at_once(unsafe: bool) -> None:
    answer = run("def f(): return input()", unsafe=unsafe)

    assert answer.error == "The code raised EOFError in line 1: EOF when reading a line."


def test_endless_loop_ends_at_the_limit(unsafe: bool) -> None:
    begin = time.monotonic()

    answer = run("def f():\n  while True: pass", timeout=0.3, unsafe=unsafe)

    assert answer.error == "The code ran longer than its limit of 0.3 s."
    assert time.monotonic() - begin < 2


def test_catching_everything_does_not_evade_limit() -> None:
    code = """
        import signal

        def f():
            for number in range(1, 32):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except OSError:
                    pass
            while True:
                try:
                    while True: pass
                except BaseException:
                    pass
    """

    assert run(code, timeout=0.3).error == "The code ran longer than its limit of 0.3 s."


def test_stop_ends_call_within_half_a_second() -> None:
    cancelled = threading.Event()
    request = {"code": "def f():\n  while True: pass", "name": "", "arguments": {}}
    stopped_at = []

    def stop() -> None:
        stopped_at.append(time.monotonic())
        cancelled.set()

    timer = threading.Timer(0.2, stop)
    timer.start()
    answer = sandbox.run(request, Limits(timeout=20), cancelled)
    ended_at = time.monotonic()
    timer.join()

    assert answer.error == "The call was stopped."
    assert ended_at - stopped_at[0] < 0.5


def test_stopped_call_runs_nothing() -> None:
    cancelled = threading.Event()
    cancelled.set()

    answer = sandbox.run({"code": "def f(): return 1", "name": "", "arguments": {}}, Limits(20), cancelled)

    assert answer == SandboxResult(error="The call was stopped.")


def test_run_keeps_the_beginning_of_prints(unsafe: bool) -> None:
    code = """
        import os, sys

        def f():
            print("first")
            print('{"value": "forged"}', file=sys.stderr)
            os.write(1, b"third\\n" + b"x" * 5_000_000)
            return "real"
    """

    answer = run(code, unsafe=unsafe)

    assert answer.value == "real"
    assert len(answer.printed) == 500
    assert "third\nxxx" in answer.printed


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("os._exit(0)", "The process of the code ended with exit code 0 and gave no answer."),
        (
            "import ctypes; ctypes.string_at(0)",
            "The process of the code ended with signal SIGSEGV and gave no answer.",
        ),
        ("os.closerange(0, 64)", "The process of the code ended with exit code 1 and gave no answer."),
        (
            "os.write(max(files()), b'no JSON\\n')",
            "The code wrote something of its own into the pipe that its answer goes through.",
        ),
        (
            "os.write(max(files()), b'{\"value\": NaN}\\n')",
            "The code wrote something of its own into the pipe that its answer goes through.",
        ),
        (
            "os.write(max(files()), b'{\"error\": 1}\\n')",
            "The code wrote something of its own into the pipe that its answer goes through.",
        ),
        (
            "os.write(max(files()), b'[' * 100_000 + b'\\n')",
            "The code wrote something of its own into the pipe that its answer goes through.",
        ),
        (
            "while True: os.write(max(files()), b'no end of it' * 1000)",
            "The code wrote something of its own into the pipe that its answer goes through.",
        ),
        ("return 'x' * 1_000_001", "The result is 1,000,015 bytes of JSON; it may have 1,000,000."),
    ],
)
def test_broken_process_has_a_reason(statement: str, error: str, unsafe: bool) -> None:
    code = f"""
import os

def files():
    for number in range(64):
        try:
            os.fstat(number)
            yield number
        except OSError:
            pass

def f():
    {statement}
"""

    assert run(code, unsafe=unsafe).error == error


def test_processor_time_is_limited_as_well(unsafe: bool) -> None:
    # One thread alone meets the limit of time by the clock first, so this one lowers the other limit.
    code = """
        import resource

        def f():
            resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
            while True: pass
    """

    answer = run(code, timeout=29, unsafe=unsafe)

    assert answer.error == (
        "The system ended the code, which used more processor time or memory than its limit."
    )


def test_a_limit_of_time_may_be_endless() -> None:
    assert run("def f(): return 1", timeout=float("inf")) == SandboxResult(value=1)


def test_non_json_arguments_are_a_failure() -> None:
    assert "The arguments are not JSON: " in (run("def f(x): pass", x={1}).error or "")


def test_missing_folder_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))

    answer = run("def f(): pass", unsafe=True)

    assert (answer.error or "").startswith("The process for the code could not be started: ")


def test_missing_interpreter_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys._base_executable", "/nowhere/python")
    before = open_files()

    answer = run("def f(): pass", unsafe=True)

    assert "could not be started" in (answer.error or "")
    assert open_files() == before


def test_concurrent_calls_are_independent() -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: run("def f(n): return n * n", n=number), range(8)))

    assert [answer.value for answer in answers] == [number * number for number in range(8)]


def test_call_waits_for_a_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(process, "_calls", threading.BoundedSemaphore(1))
    stop, begun, ended = threading.Event(), tmp_path / "begun", tmp_path / "ended"
    code = """
        import time
        def f(begun, ended):
            open(begun, "w").close()
            while not __import__("os").path.exists(ended):
                time.sleep(0.01)
    """

    with ThreadPoolExecutor() as pool:
        first = pool.submit(run, code, unsafe=True, begun=str(begun), ended=str(ended))
        while not begun.exists():
            stop.wait(0.01)
        late = run("def f(): return 1", 0.2)
        waiting = pool.submit(run, "def f(): return 2")
        stopped = pool.submit(
            sandbox.run, {"code": "def f(): pass", "name": "", "arguments": {}}, Limits(20), stop
        )
        stop.set()
        assert stopped.result().error == "The call was stopped."
        assert not waiting.done()
        ended.touch()

    assert late.error is not None and "ran longer than its limit of 0.2 s" in late.error
    assert (first.result().error, waiting.result().value) == (None, 2)


def test_twenty_calls_leave_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unsafe: bool
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run("def f(): pass", unsafe=unsafe)
    before, children = open_files(), child_processes()

    for number in range(20):
        run("import os\ndef f(n): return n if n % 2 else os._exit(n)", unsafe=unsafe, n=number)

    assert open_files() == before
    assert list(tmp_path.iterdir()) == []
    assert child_processes() == children  # others may have some that last


def test_long_request_reaches_non_reading_code(unsafe: bool) -> None:
    text = "x" * 3_000_000

    assert run("def f(text): return len(text)", unsafe=unsafe, text=text) == SandboxResult(value=3_000_000)


def test_unsafe_code_is_ended_with_its_session() -> None:
    code = """
        import os, time

        def f():
            process = os.fork()
            while process == 0:
                time.sleep(60)
            return process
    """

    process = run(code, unsafe=True).value

    deadline = time.monotonic() + 5
    while Path(f"/proc/{process}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{process}").exists() or "Z" in Path(f"/proc/{process}/stat").read_text().split()


def test_unsafe_error_says_nothing_of_the_sandbox() -> None:
    answer = run("def f(): open('/nowhere')", unsafe=True)

    assert (answer.error or "").endswith("No such file or directory: '/nowhere'.")

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from debugger.engine.tools import sandbox
from debugger.engine.tools.sandbox import Answer, Limits


def run(code: str, timeout: float = 20, **arguments: Any) -> Answer:
    request = {"code": dedent(code), "name": "", "arguments": arguments}
    return sandbox.run(request, Limits(timeout), threading.Event())


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def child_processes() -> list[str]:
    """Those of this process, zombies among them."""
    return sorted(
        child
        for task in Path("/proc/self/task").iterdir()
        for child in (task / "children").read_text().split()
    )


def test_a_value_goes_to_the_child_and_comes_back() -> None:
    value = {"text": "Grüße\n🙂", "list": [1, 2.5, None, True], "big": 2**63}

    assert run("def f(value): return [value]", value=value) == Answer(value=[value])


def test_nothing_of_the_applications_environment_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
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

    value = run(code).value

    assert value["environment"] == {}
    assert value["arguments"] == ["inline_python"]
    assert value["folder"] == []
    assert not [folder for folder in value["path"] if "site-packages" in folder or "tools" in folder]
    assert value["open_files"] == 4  # input, output, errors, answer


def test_reading_input_finds_its_end_at_once() -> None:
    assert (
        run("def f(): return input()").error == "The code raised EOFError in line 1: EOF when reading a line."
    )


def test_a_loop_without_end_is_ended_at_the_limit() -> None:
    begin = time.monotonic()

    answer = run("def f():\n  while True: pass", timeout=0.3)

    assert answer.error == "The code took longer than its limit of 0.3 s."
    assert time.monotonic() - begin < 2


def test_catching_everything_does_not_help_against_the_limit() -> None:
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

    assert run(code, timeout=0.3).error == "The code took longer than its limit of 0.3 s."


def test_a_stop_from_another_thread_ends_the_call_within_half_a_second() -> None:
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


def test_a_call_that_is_stopped_already_runs_nothing() -> None:
    cancelled = threading.Event()
    cancelled.set()

    answer = sandbox.run({"code": "def f(): return 1", "name": "", "arguments": {}}, Limits(20), cancelled)

    assert answer == Answer(error="The call was stopped.")


def test_prints_do_not_disturb_the_answer_and_their_beginning_is_kept() -> None:
    code = """
        import os, sys

        def f():
            print("first")
            print('{"value": "forged"}', file=sys.stderr)
            os.write(1, b"third\\n" + b"x" * 5_000_000)
            return "real"
    """

    answer = run(code)

    assert answer.value == "real"
    assert len(answer.printed) == 500
    assert "third\nxxx" in answer.printed


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("os._exit(0)", "The process of the code ended with exit code 0 and gave no answer."),
        ("os.abort()", "The process of the code ended with signal SIGABRT and gave no answer."),
        (
            "import ctypes; ctypes.string_at(0)",
            "The process of the code ended with signal SIGSEGV and gave no answer.",
        ),
        ("os.kill(0, 9)", "The process of the code ended with signal SIGKILL and gave no answer."),
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
def test_code_that_breaks_its_process_is_a_failure_with_a_reason(statement: str, error: str) -> None:
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

    assert run(code).error == error


def test_processor_time_is_limited_as_well() -> None:
    # One thread alone meets the limit of time by the clock first, so this one lowers the other limit.
    code = """
        import resource

        def f():
            resource.setrlimit(resource.RLIMIT_CPU, (0, 30))
            while True: pass
    """

    assert run(code, timeout=29).error == "The code took more processor time than its limit."


def test_a_limit_of_time_may_be_endless() -> None:
    assert run("def f(): return 1", timeout=float("inf")) == Answer(value=1)


def test_arguments_that_are_not_json_are_a_failure() -> None:
    assert "The arguments are not JSON: " in (run("def f(x): pass", x={1}).error or "")


def test_a_folder_that_cannot_be_made_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))

    assert (run("def f(): pass").error or "").startswith("The process for the code could not be started: ")


def test_an_interpreter_that_does_not_start_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    before = open_files()

    answer = run("def f(): pass")

    assert "could not be started" in (answer.error or "")
    assert open_files() == before


def test_another_system_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "os", type("Windows", (), {"name": "nt"}))

    assert run("def f(): pass") == Answer(error="Python code in a workflow runs on Linux and macOS only.")


def test_four_calls_at_once_do_not_get_into_each_others_way() -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: run("def f(n): return n * n", n=number), range(8)))

    assert [answer.value for answer in answers] == [number * number for number in range(8)]


def test_thirty_calls_leave_no_file_no_folder_and_no_process_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run("def f(): pass")
    before, children = open_files(), child_processes()

    for number in range(30):
        run("import os\ndef f(n): return n if n % 2 else os._exit(n)", n=number)

    assert open_files() == before
    assert list(tmp_path.iterdir()) == []
    assert child_processes() == children  # others may have some that last


def test_whether_network_and_files_are_isolated_is_found_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = sandbox.network_isolation(), sandbox.file_isolation()

    monkeypatch.setattr("sys.executable", "/nowhere/python")

    assert (sandbox.network_isolation(), sandbox.file_isolation()) == told


def test_the_network_is_isolated_wherever_the_system_can() -> None:
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-Unpf", "true"], capture_output=True).returncode:
        pytest.skip("this system gives no namespaces")

    assert sandbox.network_isolation()

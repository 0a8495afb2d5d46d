from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from debugger.engine.tools import sandbox

LEAVE_THE_GROUP_AND_STAY = """
import os, time

def fork_twice():
    for _ in range(2):
        if os.fork():
            return
        os.setsid()
    while True:
        time.sleep(60)
"""

FORK_AND_LOOP = {
    "code": f"{LEAVE_THE_GROUP_AND_STAY}\ndef f():\n  fork_twice()\n  while True: pass",
    "name": "",
    "arguments": {},
}

APPLICATION = f"""
import threading
from debugger.engine.tools import sandbox

sandbox.run({FORK_AND_LOOP!r}, sandbox.Limits(timeout=60), threading.Event())
"""


def processes_in(folder: Path) -> list[int]:
    """Processes whose working directory is in the folder, though it may be deleted by now."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            place = str((process / "cwd").readlink())
        except OSError:
            continue
        if place.startswith(f"{folder}/"):
            found.append(int(process.name))
    return found


def parent_of(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("PPid:")[2].split()[0])


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        threading.Event().wait(0.01)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the calls of this test have their working directories."""
    if sys.platform != "linux":
        pytest.skip("only Linux tells where the processes are")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("ending", "error"),
    [
        ("return 1", None),
        ("os._exit(3)", "The process of the code ended with exit code 3 and gave no answer."),
        (
            "os.kill(os.getpid(), 9)",
            "The process of the code ended with signal SIGKILL and gave no answer.",
        ),
        ("while True: pass", "The code took longer than its limit of 0.5 s."),
    ],
)
def test_no_descendant_outlives_the_call_however_it_ends(
    folder: Path, ending: str, error: str | None
) -> None:
    code = f"{LEAVE_THE_GROUP_AND_STAY}\ndef f():\n  fork_twice()\n  {ending}"
    request = {"code": code, "name": "", "arguments": {}}

    answer = sandbox.run(request, sandbox.Limits(timeout=0.5), threading.Event())

    assert answer.error == error
    assert processes_in(folder) == []
    assert list(folder.iterdir()) == []


def test_a_descendant_is_alive_during_the_call_and_dead_when_it_is_stopped(folder: Path) -> None:
    cancelled = threading.Event()

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(sandbox.run, FORK_AND_LOOP, sandbox.Limits(timeout=60), cancelled)
        wait_until(lambda: len(processes_in(folder)) >= 4)
        cancelled.set()

    assert call.result().error == "The call was stopped."
    assert processes_in(folder) == []


def test_no_process_of_a_call_was_given_the_applications_environment(folder: Path) -> None:
    cancelled = threading.Event()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(sandbox.run, FORK_AND_LOOP, sandbox.Limits(timeout=60), cancelled)
        wait_until(lambda: len(processes_in(folder)) >= 4)
        environments = [Path(f"/proc/{process}/environ").read_bytes() for process in processes_in(folder)]
        cancelled.set()

    assert set(environments) == {b""}


def test_nothing_outlives_the_guard_when_it_is_killed(folder: Path) -> None:
    if not sandbox.network_isolation():
        pytest.skip("this system has no separate process ids")

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(sandbox.run, FORK_AND_LOOP, sandbox.Limits(timeout=60), threading.Event())
        wait_until(lambda: len(processes_in(folder)) >= 4)
        guard = next(process for process in processes_in(folder) if parent_of(process) == os.getpid())
        os.kill(guard, signal.SIGKILL)

    assert call.result().error == "The process of the code ended with signal SIGKILL and gave no answer."
    wait_until(lambda: processes_in(folder) == [])


def test_nothing_outlives_the_application_when_it_is_killed(folder: Path) -> None:
    environment = {"TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    application = subprocess.Popen([sys.executable, "-c", APPLICATION], env=environment)
    wait_until(lambda: len(processes_in(folder)) >= 4)

    application.send_signal(signal.SIGKILL)
    application.wait()

    wait_until(lambda: processes_in(folder) == [])


def test_a_system_without_namespaces_runs_the_code_and_owns_up_to_it(folder: Path) -> None:
    # In a user namespace without users, nobody may make namespaces.
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-U", "true"], capture_output=True).returncode:
        pytest.skip("there is no way to forbid namespaces here")
    script = f"""
import json, sys, tempfile, threading
from debugger.engine.tools import sandbox

def run(code):
    request = {{"code": code, "name": "", "arguments": {{}}}}
    answer = sandbox.run(request, sandbox.Limits(timeout=5), threading.Event())
    return [answer.value, (answer.error or "").partition(" in line")[0]]

tempfile.tempdir = {str(folder)!r}
stay = {LEAVE_THE_GROUP_AND_STAY!r}
print(json.dumps([
    sandbox.network_isolation(),
    run("def f(): return 1"),
    run(stay + "def f():\\n  fork_twice()\\n  return 2"),
    run(stay + "def f():\\n  fork_twice()\\n  os._exit(3)"),
]))
"""
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}

    done = subprocess.run(
        [unshare, "-U", sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )

    isolated, plain, forked, ended = json.loads(done.stdout)
    assert not isolated
    assert plain == [1, ""]
    # Root may fork, and what it forks is ended; another user's code may not.
    may_fork = os.getuid() == 0
    assert forked == ([2, ""] if may_fork else [None, "The code raised BlockingIOError"])
    assert ended[1].startswith("The process of the code ended" if may_fork else "The code raised")
    assert processes_in(folder) == []

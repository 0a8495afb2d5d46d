from __future__ import annotations

import os
import platform
import select
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from debugger.engine.tools.sandbox.bubblewrap import Bubblewrap, find_interpreter, find_programs
from debugger.engine.tools.sandbox.process import Limits, run_child
from debugger.engine.tools.sandbox.seccomp import seccomp_filter
from debugger.engine.tools.sandbox.status import find_fault

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

MODULES_OF_OTHER_SYSTEMS = {
    *("_msi", "_overlapped", "_scproxy", "_winapi", "msilib", "msvcrt", "nt", "winreg", "winsound", "_wmi"),
    *("_dbm", "_gdbm", "_android_support", "_apple_support", "_ios_support"),
}
LEFT_OUT = {"_tkinter", "tkinter", "turtle", "turtledemo", "nis"}
"""They need a display, or a directory service."""
IMPORTS = """
import importlib, warnings

def imports(names):
    warnings.simplefilter("ignore")
    faults = {}
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException as error:
            faults[name] = f"{type(error).__name__}: {error}"
    return faults
"""
WORK = """
import asyncio, concurrent.futures, ctypes, datetime, decimal, hashlib, locale, os, random, sqlite3
import tempfile, time, uuid, zoneinfo

async def work():
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        slept = sum(pool.map(lambda _: time.sleep(0.01) or 1, range(32)))
    await asyncio.sleep(0.01)
    with tempfile.TemporaryFile("w+") as file:
        file.write("kept")
        file.seek(0)
        kept = file.read()
    return [
        slept, kept, sqlite3.connect(":memory:").execute("select 1 + 1").fetchone()[0],
        datetime.datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")).isoformat(),
        locale.setlocale(locale.LC_ALL, "C.UTF-8"), len(uuid.uuid4().hex), len(os.urandom(4)),
        hashlib.sha256(b"").hexdigest()[:4], str(decimal.Decimal("0.1") * 3), random.Random(1).randint(1, 6),
        ctypes.CDLL("libm.so.6").abs(-3),
    ]
"""


def sandbox_of(executable: str | None = None) -> Bubblewrap:
    filter_program = seccomp_filter(platform.machine())
    assert filter_program
    return Bubblewrap(find_programs()[0], find_interpreter(executable), filter_program)


def test_standard_library_can_be_imported() -> None:
    wanted = sorted(sys.stdlib_module_names - MODULES_OF_OTHER_SYSTEMS - LEFT_OUT - {"antigravity", "this"})
    names = [name for name in wanted if find_spec(name)]  # Debian's Python has not all of them
    request = {"code": IMPORTS, "name": "imports", "arguments": {"names": names}}

    answer = run_child(request, Limits(60), threading.Event(), sandbox_of())

    assert answer.value == {}


def test_standard_library_works() -> None:
    request = {"code": WORK, "name": "work", "arguments": {}}

    answer = run_child(request, Limits(60), threading.Event(), sandbox_of())

    assert answer.error is None
    assert answer.value[:5] == [32, "kept", 2, "2026-07-01T00:00:00+02:00", "C.UTF-8"]
    assert answer.value[5:] == [32, 4, "e3b0", "0.3", 2, 3]


@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="the system has no Python of its own")
def test_python_of_the_system_can_be_sandboxed() -> None:
    sandbox = sandbox_of("/usr/bin/python3")
    request = {"code": "import sys\ndef f(): return sys.executable", "name": "", "arguments": {}}

    assert find_fault(sandbox) is None
    answer = run_child(request, Limits(20), threading.Event(), sandbox)
    assert answer.value == f"/python/bin/{Path(os.path.realpath('/usr/bin/python3')).name}"


def test_kill_at_any_moment_leaves_no_process() -> None:
    sandbox = sandbox_of()
    for moment in range(200):
        child = sandbox.launch()
        time.sleep(moment / 20_000)  # over the 10 ms in which bubblewrap starts
        child.kill()
        child.end()
        child.close()
        for pipe in (child.process.stdin, child.process.stdout, child.process.stderr):
            assert pipe
            if pipe is child.process.stdout:
                assert select.select([pipe], [], [], 5)[0], (
                    f"a process holds it, {moment / 20} ms after the start"
                )
            pipe.close()


def test_interpreter_without_libraries_is_an_error() -> None:
    with pytest.raises(OSError, match="/false does not list its libraries"):
        find_interpreter("/bin/false")

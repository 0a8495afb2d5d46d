"""The sandbox of an ordinary user, in tests run as root.

The limits of root are other ones.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import debugger

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.getuid() != 0 or not shutil.which("setpriv"),
    reason="only root can run the application as another user",
)

APPLICATION = """
import json, os, threading
from debugger.engine.tools.sandbox import Limits, python_status, run

def call(code, memory=512_000_000):
    answer = run({"code": code, "name": "", "arguments": {}}, Limits(20, memory), threading.Event())
    return [answer.value, answer.error]

THREADS = '''
import threading
def f():
    threading.stack_size(32_768)
    for _ in range(20_000): threading.Thread(target=threading.Event().wait, daemon=True).start()
'''
FILES = '''
import os, time
def f():
    for number in range(100_000): os.close(os.open(f"/tmp/{number}", os.O_CREAT))
    time.sleep(2)
'''
print(json.dumps({
    "user": os.getuid(),
    "status": python_status("sandboxed").description,
    "fork": call("import os\\ndef f(): os.fork()"),
    "threads": call(THREADS),
    "files": call(FILES),
    "memory": call("def f(): return len(bytearray(200_000_000))", memory=100_000_000),
    "socket": call("import socket\\ndef f(): socket.socket(socket.AF_UNIX)"),
}))
"""


def test_sandbox_holds_for_an_ordinary_user() -> None:
    # Interpreter, checkout and packages may lie in root's home, so they are mounted at other places.
    python, *path = sys.base_prefix, str(Path(debugger.__file__).parent.parent), *sys.path
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        places = {each: f"{folder}/{number}" for number, each in enumerate(dict.fromkeys([python, *path]))}
        places = {each: place for each, place in places.items() if Path(each).is_dir()}
        for place in places.values():
            Path(place).mkdir()
        environment = {
            "PATH": os.environ["PATH"],
            "LD_LIBRARY_PATH": f"{places[python]}/lib",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(places[each] for each in path if each in places),
        }
        mounts = [shlex.join(["mount", "--bind", each, place]) for each, place in places.items()]
        command = f"{places[python]}/bin/python{sys.version_info.major}.{sys.version_info.minor}"
        user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        run = f"exec {shlex.join([*user, command, '-c', APPLICATION])}"
        script = " && ".join([*mounts, run])

        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", script],
            env=environment,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=120,
        )

    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert (found["user"], found["status"]) == (65534, "sandboxed.")
    assert "PermissionError" in found["fork"][1]
    assert found["threads"] == [None, "The code started more than 64 threads."]
    assert found["files"] == [None, "The code made more than 1,000 files in /tmp."]
    assert "MemoryError" in found["memory"][1]
    assert "PermissionError" in found["socket"][1]

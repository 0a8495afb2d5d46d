"""The sandbox of an ordinary user, in tests run as root.

The limits of root are other ones.
"""

from __future__ import annotations

import json
import os
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
    # The interpreter may lie in root's home, so it is mounted at another place.
    folder = tempfile.mkdtemp()
    Path(folder).chmod(0o755)
    environment = {
        "PATH": os.environ["PATH"],
        "LD_LIBRARY_PATH": f"{folder}/lib",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(Path(debugger.__file__).parent.parent), *sys.path]),
    }
    python = f"{folder}/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    script = (
        f"mount --bind {sys.base_prefix} {folder} && "
        f'exec setpriv --reuid 65534 --regid 65534 --clear-groups {python} -c "$1"'
    )
    command = ["unshare", "-m", "sh", "-c", script, "sh", APPLICATION]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    Path(folder).rmdir()

    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert (found["user"], found["status"]) == (65534, "sandboxed.")
    assert "PermissionError" in found["fork"][1]
    assert found["threads"] == [None, "The code started more than 64 threads."]
    assert found["files"] == [None, "The code made more than 1,000 files in /tmp."]
    assert "MemoryError" in found["memory"][1]
    assert "PermissionError" in found["socket"][1]

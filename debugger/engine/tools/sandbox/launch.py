"""The child process that runs the code, and the way to start it without a sandbox."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from debugger.engine.options import PythonMode

CHILD_FOLDER = Path(__file__).parent.parent / "child"
"""The package that runs in the child process."""
_BOOTSTRAP = "import sys; sys.path.append(sys.argv[1]); from child import main; sys.path.pop(); main.main()"
_GRACE_SECONDS = 5.0


class Launcher(Protocol):
    """A way to start a child process."""

    @property
    def mode(self) -> PythonMode:
        """The mode that its children run in."""

    def launch(self) -> Child:
        """Start a child.

        Raises:
            OSError: It cannot be started.
        """


class Child:
    """A child process that was started: a request goes to its input, the answer comes from its output.

    What the code prints comes from its error output.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def excess(self) -> str | None:
        """Return what the code uses too much of, in a sentence, if anything."""
        return None

    def kill(self) -> None:
        """Kill the process that runs the code; its pipes are closed when it has ended."""
        self.process.kill()

    def end(self) -> None:
        """Wait for the end of what `kill` has left."""
        self.process.kill()
        self.process.wait()

    def wait(self) -> None:
        """Wait some seconds for the process to end by itself, so that its exit code says why."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_GRACE_SECONDS)

    def close(self) -> None:
        """Remove what the child leaves behind."""


class Unsafe:
    """A launcher of Python with the rights of the application, on any system."""

    mode: PythonMode = "unsafe"

    def launch(self) -> Child:
        """Start the child in an empty folder, without the application's environment.

        Raises:
            OSError: It cannot be started.
        """
        folder = tempfile.TemporaryDirectory(prefix="inline-python-", ignore_cleanup_errors=True)
        try:
            process = subprocess.Popen(
                child_command(base_executable(), str(CHILD_FOLDER.parent), self.mode),
                cwd=folder.name,
                env={name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except BaseException:
            folder.cleanup()
            raise
        return _UnsafeChild(process, folder)


class _UnsafeChild(Child):
    def __init__(self, process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
        super().__init__(process)
        self._folder = folder

    def kill(self) -> None:
        """Kill the process and those of its session."""
        if sys.platform != "win32":
            with suppress(ProcessLookupError, PermissionError):  # all of them have ended
                os.killpg(self.process.pid, signal.SIGKILL)
        super().kill()

    def close(self) -> None:
        """Remove the folder."""
        self._folder.cleanup()


def child_command(executable: str, folder: str, mode: PythonMode) -> list[str]:
    """Return the command of a child that finds its package in the folder."""
    return [executable, "-I", "-S", "-B", "-X", "utf8", "-c", _BOOTSTRAP, folder, mode]


def base_executable() -> str:
    """Return the interpreter below any virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable)

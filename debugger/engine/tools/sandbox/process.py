"""Child processes and calls of Python code in them."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import IO, Any, Protocol

from debugger.engine.options import PythonMode
from debugger.engine.tools.sandbox.child.json_value import NotJsonError, to_json
from debugger.protocol.base import JsonObject

MAX_CALLS = 8
"""Calls of this process that run at once; each may take the whole memory of its limit."""
_TICK_SECONDS = 0.05
"""Between two looks at whether the call is cancelled, or takes too much."""
_JOIN_SECONDS = 2.0
_DAY = 86_400
_READ = 65_536
"""Bytes that are read at once; as many as a pipe holds."""
_MAX_PRINTED = 10_000_000
_STOPPED = "The call was stopped."
_FORGED = "The code wrote something of its own into the pipe that its answer goes through."
_BUBBLEWRAP_ERROR = "bwrap: "


CHILD_FOLDER = Path(__file__).parent / "child"
"""The package that runs in the child process."""
_BOOTSTRAP = "import sys; sys.path.append(sys.argv[1]); from child import main; sys.path.pop(); main.main()"
_GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Limits:
    """The limits of one call."""

    timeout: float
    """Seconds, by the clock; also of processor time, rounded up."""
    memory: int = 512_000_000
    """Bytes of address space."""
    result: int = 1_000_000
    """Bytes of JSON."""
    printed: int = 500
    """Bytes of the output that are returned; the rest is dropped."""


@dataclass(frozen=True)
class SandboxResult:
    """The result of a call of the author's function."""

    value: Any = None
    """The JSON value that the function returned."""
    error: str | None = None
    """Why there is none, in one sentence; ``None`` when there is one."""
    printed: str = ""
    """The beginning of what the code printed."""


_calls = threading.BoundedSemaphore(MAX_CALLS)


def run_child(
    request: JsonObject, limits: Limits, cancelled: threading.Event, launcher: Launcher
) -> SandboxResult:
    """Run code in a child process and wait for its end.

    While `MAX_CALLS` others run it waits, as long as the code may run at most.

    Args:
        request: ``code``, the ``name`` of its function, and ``arguments`` for it.
        limits: What it may use.
        cancelled: Ends the call as soon as it is set.
        launcher: The way to start the child.

    Returns:
        The value, or the reason why there is none. Nothing that the code does raises an error here.
    """
    if cancelled.is_set():
        return SandboxResult(error=_STOPPED)
    caps = {"cpu": math.ceil(min(limits.timeout, _DAY)) + 1, "memory": limits.memory}
    try:
        content = json.dumps({**request, "limits": caps, "longest_result": limits.result}).encode()
    except (TypeError, ValueError, RecursionError) as error:
        return SandboxResult(error=f"The arguments are not JSON: {error}.")
    if problem := _wait_for_turn(limits.timeout, cancelled):
        return SandboxResult(error=problem)
    try:
        return _run_one(content, limits, cancelled, launcher)
    finally:
        _calls.release()


def _run_one(content: bytes, limits: Limits, cancelled: threading.Event, launcher: Launcher) -> SandboxResult:
    """Launch a child, make the call in it, and remove what it leaves behind.

    A child that cannot be started is a result with an error.
    """
    try:
        child = launcher.launch()
    except OSError as error:
        return SandboxResult(error=f"The process for the code could not be started: {error}.")
    try:
        return _Call(child, limits).wait(content, cancelled)
    finally:
        child.close()


def _wait_for_turn(seconds: float, cancelled: threading.Event) -> str | None:
    """Take one of the places of running calls; return why there was none, ``None`` with a place.

    The caller must release it. The wait ends after ``seconds`` or once cancelled.
    """
    deadline = time.monotonic() + seconds
    while not _calls.acquire(timeout=min(_TICK_SECONDS, max(deadline - time.monotonic(), 0))):
        if cancelled.is_set():
            return _STOPPED
        if time.monotonic() >= deadline:
            return (
                f"The code did not run: {MAX_CALLS} other calls of Python code ran longer than its limit of "
                f"{seconds:g} s. Send the turn again once some of them have ended."
            )
    return None


class _Call:
    """A call in progress, with a thread for each pipe."""

    def __init__(self, child: Child, limits: Limits) -> None:
        """Start the clock of the call; nothing is sent yet."""
        self._child = child
        self._limits = limits
        self._deadline = time.monotonic() + limits.timeout
        self._answer = bytearray()
        self._printed = bytearray()
        self._printed_bytes = 0
        self._changed = threading.Event()

    def wait(self, content: bytes, cancelled: threading.Event) -> SandboxResult:
        """Send the request, wait for the answer or a reason to stop, and kill the child in any case.

        A complete answer counts even where a limit was exceeded meanwhile.
        """
        process = self._child.process
        assert process.stdin and process.stdout and process.stderr
        threads = [
            threading.Thread(target=_send, args=(content, process.stdin), daemon=True),
            threading.Thread(target=self._read, args=(process.stdout, self._keep_answer), daemon=True),
            threading.Thread(target=self._read, args=(process.stderr, self._keep_printed), daemon=True),
        ]
        try:
            for thread in threads:
                thread.start()
            while not (problem := self._problem(cancelled)):
                if self._changed.wait(min(_TICK_SECONDS, max(self._deadline - time.monotonic(), 0))):
                    problem = self._problem(cancelled)
                    break
            if problem is None and b"\n" not in self._answer:
                self._child.wait()  # its output is closed: it is about to end, and with a reason
        finally:
            self._child.kill()
            for thread in filter(attrgetter("ident"), threads):  # those that could be started
                # Without a sandbox, a process that left the session can keep the pipes open.
                thread.join(_JOIN_SECONDS)
            self._child.end()
        value, error = self._read_answer() or (None, problem or self._reason())
        return SandboxResult(value, error, self._printed.decode(errors="replace"))

    def _read(self, pipe: IO[bytes], keep: Callable[[bytes], bool]) -> None:
        """Read a pipe to its end and close it; signal a change once ``keep`` says so of a chunk.

        The end of the answer's pipe is a change, too.
        """
        with pipe:
            while chunk := pipe.read1(_READ):  # type: ignore[attr-defined]
                if keep(chunk):
                    self._changed.set()
        if keep == self._keep_answer:
            self._changed.set()

    def _keep_answer(self, chunk: bytes) -> bool:
        if self._answer_is_complete():
            return True
        self._answer += chunk
        return self._answer_is_complete()

    def _answer_is_complete(self) -> bool:
        return b"\n" in self._answer or self._answer_is_too_long()

    def _answer_is_too_long(self) -> bool:
        return len(self._answer) > self._limits.result + _READ

    def _keep_printed(self, chunk: bytes) -> bool:
        self._printed += chunk[: self._limits.printed - len(self._printed)]
        self._printed_bytes += len(chunk)
        return self._printed_bytes > _MAX_PRINTED

    def _problem(self, cancelled: threading.Event) -> str | None:
        """Return the reason to stop the child now, as time or an exceeded limit, else ``None``."""
        if cancelled.is_set():
            return _STOPPED
        if time.monotonic() >= self._deadline:
            return f"The code ran longer than its limit of {self._limits.timeout:g} s."
        if self._answer_is_too_long():
            return _FORGED
        if self._printed_bytes > _MAX_PRINTED:
            return f"The code printed more than {_MAX_PRINTED // 1_000_000} MB."
        return self._child.describe_exceeded_limit()

    def _read_answer(self) -> tuple[Any, str | None] | None:
        """Return value and error of the first line of the answer; ``None`` where there is no whole line.

        A line that is not as the child writes it gives an error.
        """
        line, end, _ = self._answer.partition(b"\n")
        if not end:
            return None
        # The code can write here too, so nothing is taken on trust.
        try:
            content = json.loads(line)
            value, error = to_json(content.get("value")), content.get("error")
        except (ValueError, AttributeError, RecursionError, NotJsonError):
            return None, _FORGED
        return (value, error) if error is None or isinstance(error, str) else (None, _FORGED)

    def _reason(self) -> str:
        """Return why the child gave no answer, from its exit code and what it printed.

        The child must have ended.
        """
        code = self._child.process.returncode
        printed = self._printed.decode(errors="replace")
        if code and printed.startswith(_BUBBLEWRAP_ERROR):
            first = printed.splitlines()[0].rstrip(".")
            return f"The sandbox did not start, so the code did not run: {first}."
        # Bubblewrap reports a signal as a shell does.
        number = code - 128 if code > 128 else -code
        if number == getattr(signal, "SIGXCPU", None):
            return "The code used more processor time than its limit."
        if number == getattr(signal, "SIGKILL", None):
            return "The system ended the code, which used more processor time or memory than its limit."
        how = f"signal {_signal_name(number)}" if number > 0 else f"exit code {code}"
        return f"The process of the code ended with {how} and gave no answer."


def _send(content: bytes, pipe: IO[bytes]) -> None:
    with suppress(OSError), pipe:  # a process that has ended takes none
        pipe.write(content)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


class Launcher(Protocol):
    """A way to start a child process."""

    @property
    def mode(self) -> PythonMode:
        """Return the mode that its children run in."""

    def launch(self) -> Child:
        """Start a child.

        Raises:
            OSError: It cannot be started.
        """


class Child:
    """A child process that gets a request and outputs the answer.

    What the code prints comes from its error output.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def describe_exceeded_limit(self) -> str | None:
        """Return a sentence about an exceeded limit, if any."""
        return None

    def kill(self) -> None:
        """Kill the process that runs the code."""
        self.process.kill()

    def end(self) -> None:
        """Wait for the end of what `kill` has left."""
        self.process.kill()
        self.process.wait()

    def wait(self) -> None:
        """Wait some seconds for the process to end with an exit code."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_GRACE_SECONDS)

    def close(self) -> None:
        """Remove what the child leaves behind."""


class Unsafe:
    """A launcher of Python with the rights of the application."""

    mode: PythonMode = "unsafe"

    def launch(self) -> Child:
        """Start the child in an empty folder, without the application's environment.

        The folder is removed when the child is closed.

        Raises:
            OSError: It cannot be started; the folder is removed then.
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
        """Kill the process and those of its session; on Windows the process alone."""
        if sys.platform != "win32":
            with suppress(ProcessLookupError, PermissionError):  # all of them have ended
                os.killpg(self.process.pid, signal.SIGKILL)
        super().kill()

    def close(self) -> None:
        """Remove the folder."""
        self._folder.cleanup()


def child_command(executable: str, folder: str, mode: PythonMode) -> list[str]:
    """Return the command of a child whose package is in a folder."""
    return [executable, "-I", "-S", "-B", "-X", "utf8", "-c", _BOOTSTRAP, folder, mode]


def base_executable() -> str:
    """Return the interpreter below any virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable)

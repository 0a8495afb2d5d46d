"""A child process that runs Python code apart from the application.

The child starts with an empty environment in an empty folder and without site-packages. Every call has a new
one: a start costs about as much as the fences and the imports that any way of doing this needs. What the
child shuts itself into is in ``child/isolation.py``; where the system does not offer a part of that, the code
runs nevertheless, and `network_isolation` and `file_isolation` tell.

Memory is limited for each process of a call, not for all together; they are at most 32, except that the
system does not count them for root. The time limit ends them all.
"""

from __future__ import annotations

import functools
import json
import math
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from debugger.engine.tools.child.json_value import NotJsonError, to_json
from debugger.protocol.base import JsonObject

_BOOTSTRAP = "import sys; sys.path.append(sys.argv[1]); from child import guard; sys.path.pop(); guard.main()"
_HERE = Path(__file__).parent.parent
_REQUEST = "request.json"

_TICK = 0.05
"""Seconds between two looks at whether the call is cancelled."""
_GRACE = 5.0
"""Seconds until the guard must have ended what it guards."""
_DAY = 86_400
_READ = 65_536
"""Bytes that are read at once; as many as a pipe holds."""
_STOPPED = "The call was stopped."
_FORGED = "The code wrote something of its own into the pipe that its answer goes through."


@dataclass(frozen=True)
class Limits:
    """What one call may use."""

    timeout: float
    """Seconds, by the clock; also of processor time, rounded up."""
    memory: int = 512_000_000
    """Bytes of address space, for each process."""
    result: int = 1_000_000
    """Bytes of JSON."""
    printed: int = 500
    """Bytes of what the code prints that are kept; the rest is dropped."""


@dataclass(frozen=True)
class Answer:
    """How the code ended."""

    value: Any = None
    """The JSON value that it gave back."""
    error: str | None = None
    """Why it gave none back, in one sentence; ``None`` when it did."""
    printed: str = ""
    """The beginning of what it printed."""


def run(request: JsonObject, limits: Limits, cancelled: threading.Event) -> Answer:
    """Run code in a child process and wait for it. The process is gone when this returns, with its children.

    Args:
        request: ``code``, the ``name`` of its function, and ``arguments`` for it.
        limits: What it may use.
        cancelled: Ends the call as soon as it is set.

    Returns:
        The value, or the reason why there is none. Whatever the code does is told there, never raised.
    """
    if os.name != "posix":
        return Answer(error="Python code in a workflow runs on Linux and macOS only.")
    if cancelled.is_set():
        return Answer(error=_STOPPED)
    try:
        text = _request_text(request, limits)
    except (TypeError, ValueError, RecursionError) as error:
        return Answer(error=f"The arguments are not JSON: {error}.")
    try:
        with tempfile.TemporaryDirectory(prefix="inline-python-", ignore_cleanup_errors=True) as folder:
            Path(folder, _REQUEST).write_text(text, encoding="utf-8")
            with _Child(folder, limits) as child:
                return child.wait(cancelled)
    except OSError as error:
        return Answer(error=f"The process for the code could not be started: {error}.")


def network_isolation() -> bool:
    """Whether this system keeps the code from the network. Found out once, by a child process."""
    return bool(_probe().get("network"))


def file_isolation() -> bool:
    """Whether this system keeps the code from the user's files. Found out once, by a child process.

    What stays readable is Python's own installation and ``/usr``. Where there is no isolation, code still
    cannot write into a file, but read, empty and delete what the user may.
    """
    return bool(_probe().get("files"))


@functools.cache
def _probe() -> JsonObject:
    value = run({}, Limits(timeout=10), threading.Event()).value
    return value if isinstance(value, dict) else {}


def _request_text(request: JsonObject, limits: Limits) -> str:
    seconds = math.ceil(min(limits.timeout, _DAY)) + 1
    caps = {"cpu": seconds, "memory": limits.memory}
    return json.dumps({**request, "limits": caps, "longest_result": limits.result})


class _Child:
    """A started child, to be waited for once."""

    def __init__(self, folder: str, limits: Limits) -> None:
        self._limits = limits
        self._deadline = time.monotonic() + limits.timeout
        self._answer = bytearray()
        self._printed = bytearray()
        self._pipe, far_end = os.pipe()
        try:
            self._process = _start(folder, far_end)
            assert self._process.stdin and self._process.stdout, "both were asked for as pipes"
            self._lifeline, self._output = self._process.stdin, self._process.stdout
        except BaseException:
            os.close(self._pipe)
            raise
        finally:
            os.close(far_end)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        os.close(self._pipe)
        self._output.close()

    def wait(self, cancelled: threading.Event) -> Answer:
        """Read until there is an answer, or there can be none any more."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ, self._keep_answer)
            selector.register(self._output, selectors.EVENT_READ, self._keep_printed)
            while not (problem := self._problem(cancelled)) and not self._complete(selector):
                _read(selector)
            self._end()
            if selector.get_map():
                _read(selector)
        value, error = self._read_answer() or (None, problem or self._reason())
        return Answer(value, error, self._printed.decode(errors="replace"))

    def _keep_answer(self, chunk: bytes) -> None:
        self._answer += chunk

    def _keep_printed(self, chunk: bytes) -> None:
        self._printed += chunk[: self._limits.printed - len(self._printed)]

    def _problem(self, cancelled: threading.Event) -> str | None:
        if cancelled.is_set():
            return _STOPPED
        if time.monotonic() >= self._deadline:
            return f"The code took longer than its limit of {self._limits.timeout:g} s."
        if len(self._answer) > self._limits.result + _READ:
            return _FORGED
        return None

    def _complete(self, selector: selectors.BaseSelector) -> bool:
        # The guard keeps the output open for as long as it lives.
        ended = self._output not in selector.get_map() or self._process.poll() is not None
        return ended or b"\n" in self._answer

    def _end(self) -> None:
        """Cut the guard's lifeline, upon which it ends everything below it, and then itself."""
        self._lifeline.close()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _read_answer(self) -> tuple[Any, str | None] | None:
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
        """Why the process ended without an answer, from its exit code."""
        code = self._process.returncode
        # The guard tells of the code's end as a shell does; a negative code is its own end by a signal.
        number = code - 128 if code > 128 else -code
        if number == signal.SIGXCPU:
            return "The code took more processor time than its limit."
        how = f"signal {_signal_name(number)}" if number > 0 else f"exit code {code}"
        return f"The process of the code ended with {how} and gave no answer."


def _start(folder: str, pipe: int) -> subprocess.Popen[bytes]:
    options = ["-I", "-S", "-X", "utf8", "-c", _BOOTSTRAP]
    return subprocess.Popen(
        [sys.executable, *options, str(_HERE), _REQUEST, str(pipe)],
        cwd=folder,
        env={},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,
        pass_fds=(pipe,),
        start_new_session=True,
    )


def _read(selector: selectors.BaseSelector) -> None:
    for key, _ in selector.select(_TICK):
        chunk = os.read(key.fd, _READ)
        if chunk:
            key.data(chunk)
        else:
            selector.unregister(key.fileobj)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)

"""The process between the application and the author's code.

It forks the process that runs the code, waits for its end or for the application's word, and leaves no
descendant alive. It never runs a line of the author's, so it can be relied upon.

Its standard input is a lifeline: when the application closes it, or dies, everything here is killed. The code
runs in a process of its own below a further one which, where process ids can be separated, is the first of
its namespace: with it the system ends all others, wherever they hid.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from contextlib import suppress

from . import author_code, isolation

TYPE_CHECKING = False  # importing typing would cost 2 ms of every call
if TYPE_CHECKING:
    from typing import Any, NoReturn

_TICK = 0.02
"""Seconds between two looks at whether the child has ended."""


def main() -> None:
    """Do what a request says and write the answer, a line of JSON.

    The last two arguments of the process are the file of the request, which is gone before the code runs, and
    the number of the pipe for the answer. A request without ``code`` asks what this system isolates.
    """
    path, number = sys.argv[-2:]
    sys.argv = [author_code.FILE]
    os.environ.clear()  # Python puts its locale there
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs an import
        request = json.load(file)
    os.remove(path)  # noqa: PTH107
    pipe = int(number)
    isolation.adopt_orphans()
    apart = isolation.leave_namespaces()
    child = os.fork()
    if child == 0:
        _run_below(request, pipe, apart)
    os.close(pipe)
    os._exit(_watch(child))


def _run_below(request: dict[str, Any], pipe: int, apart: bool) -> NoReturn:
    """Run the code in this process, or below it when this is the first one of a namespace."""
    # Signals to a process's group must not reach the guard.
    os.setsid()
    isolation.die_with_parent()
    # The first process of a namespace cannot be ended by a signal from inside, so the code is not it.
    runner = os.fork() if apart else 0
    if runner == 0:
        _run(request, pipe, apart)
    os.close(pipe)
    while True:
        child, status = os.wait()
        if child == runner:
            os._exit(_exit_code(status))


def _run(request: dict[str, Any], pipe: int, apart: bool) -> NoReturn:
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        # Alone in a user namespace, the count is of this call; elsewhere it would be of all the user's own.
        isolation.limit(**request["limits"], processes=32 if apart else 0)
        closed = isolation.give_up_rights()
        if "code" in request:
            line = author_code.answer(request)
        else:
            line = author_code.encode({"value": {"network": apart, "files": closed}})
        with suppress(Exception):  # the code may have put anything in its place
            sys.stdout.flush()
        _write(pipe, line)
    finally:
        os._exit(1)


def _write(pipe: int, line: bytes) -> None:
    while line:
        line = line[os.write(pipe, line) :]
    os._exit(0)


def _watch(child: int) -> int:
    """Wait until the child ends or the lifeline is cut; end all that is left.

    Returns:
        The exit code that tells how the child ended.
    """
    ended, status = 0, 0
    while not ended and not select.select([0], [], [], _TICK)[0]:
        ended, status = os.waitpid(child, os.WNOHANG)
    with suppress(OSError):
        os.killpg(child, signal.SIGKILL)
    if not ended:
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
    with suppress(OSError):
        _end_adopted()
    return _exit_code(status)


def _end_adopted() -> None:
    """End the descendants that left the child's group, and those that their end leaves behind."""
    while True:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:  # noqa: PTH123
            for child in file.read().split():
                os.kill(int(child), signal.SIGKILL)
        os.wait()


def _exit_code(status: int) -> int:
    """As a shell puts it: 128 and more is a signal."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code

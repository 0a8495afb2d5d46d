"""Graphviz's layout program, found in one place and run with limits."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from debugger.errors import DebuggerError, InputError, UnsupportedError

if sys.platform == "linux":
    import resource

SECONDS: Final = 20.0
"""The time that a picture may take; a graph whose edges lead far back can take hours."""
_VERSION_SECONDS = 2.0
"""The time that the program may take to tell its version, which the page waits for."""
MEMORY: Final = 2 * 2**30
"""Bytes of address space of the program, where the system can set a limit for another process (Linux)."""
MOST_OUTPUT: Final = 128 * 2**20
"""Bytes that the program may write; a picture of the largest size has fewer."""
_TURN_SECONDS = 30.0
"""So long it is waited for others that lay out, or make pictures."""
LAYOUT: Final = "json0"
"""The output with the places alone, without a picture."""
DOTS_PER_INCH: Final = 144
"""Of a bitmap."""
MOST_INCHES: Final = {"png": 60, "pdf": 199}
"""A larger picture is scaled down: a bitmap has at most 8,640 x 8,640 pixels, some 300 MB, and a page no more
inches than readers open, which is 200."""
_BEGINNINGS = {LAYOUT: (b"{",), "svg": (b"<?xml", b"<svg"), "png": (b"\x89PNG\r\n",), "pdf": (b"%PDF-",)}
"""Of the files; a program that is named ``dot`` may be another one."""
_ELSE = {True: "The table shows the same.", False: "DOT and Mermaid need no program."}
"""What a person has without the program, for a layout (true) and for a picture."""
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "SYSTEMROOT")
"""All that the program gets of the environment, which has keys."""
_at_once = {True: threading.BoundedSemaphore(2), False: threading.BoundedSemaphore(2)}
"""So many layouts (true), and so many pictures: a layout waits for no picture, which may take longer."""


def find_program(output: str) -> str | None:
    """Return the path of the program that writes an output, as ``json0`` or ``svg``; ``None`` without one.

    A picture is written by Graphviz's ``dot``, which knows the fonts of the system, else by the program of
    the package ``graphviz-pure``, which writes no PDF. A layout needs no fonts: the package comes first,
    because its version is ours to choose, and with it every machine has the same picture.
    """
    dot = _which("dot")
    if output == "pdf" or (dot is not None and output != LAYOUT):
        return dot
    beside = Path(sysconfig.get_path("scripts"), "graphviz-pure")
    return _which(str(beside)) or _which("graphviz-pure") or dot


def _which(name: str) -> str | None:
    """Return the path of a program; not in the current folder, or one in it, which may hold anything."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = shutil.which(name, path=os.pathsep.join(filter(os.path.isabs, folders)))
    return found if found is not None and Path(found).is_absolute() else None


def explain_missing_program(output: str) -> str:
    """Return what is missing to write an output, and how to get it; empty if nothing is."""
    if find_program(output) is not None:
        return ""
    install = "apt-get install graphviz, or brew install graphviz"
    if output == "pdf":
        return f"PDF needs Graphviz's program dot: {install}."
    wheel = "pip install graphviz-pure"
    what = "The layout" if output == LAYOUT else output.upper()
    return f"{what} needs Graphviz's program dot: {install}; or the package graphviz-pure: {wheel}."


def identify_program(output: str) -> str:
    """Return name and version of the program that writes an output, as it tells them; empty without one."""
    program = find_program(output)
    return _version(program) if program is not None else ""


@lru_cache(maxsize=8)
def _version(program: str) -> str:
    """Return path and version of a program, from its option ``-V``; the result is cached by path.

    Where it does not start, or takes more than two seconds, it is the path alone.
    """
    try:
        told = subprocess.run(
            [program, "-V"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_VERSION_SECONDS,
            env=_environment(),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return program
    return f"{program}: {(told.stdout + told.stderr).decode(errors='replace').strip()[:200]}"


def run_program(
    source: str, output: str, *, seconds: float = SECONDS, cpu_seconds: int = int(SECONDS), inches: int = 0
) -> bytes:
    """Lay out DOT and return what the program writes.

    Args:
        source: The DOT.
        output: ``json0``, ``svg``, ``png`` or ``pdf``.
        seconds: The time that it may take.
        cpu_seconds: The time that it may compute, where the system can set that limit (Linux).
        inches: The longest side, to which a larger picture is scaled down; by default that of the format.

    Raises:
        UnsupportedError: The program is missing, or cannot write this.
        InputError: The graph is too large for the limits.
        DebuggerError: Others take too long, or the program fails.
    """
    if missing := explain_missing_program(output):
        raise UnsupportedError(missing, advice=_ELSE[output == LAYOUT])
    program = find_program(output) or ""
    command = [program, f"-T{output}"]
    if output == "png":
        command += [f"-Gdpi={DOTS_PER_INCH}"]
    if inches := inches or MOST_INCHES.get(output, 0):
        command += [f"-Gsize={inches},{inches}"]
    with (
        _turn(output),
        _started(command, program, output) as process,
    ):
        written, messages = _communicate(process, source.encode(), seconds, cpu_seconds, output)
    # With code 1 a layout lacks some edges, which Graphviz could not lead around the boxes.
    is_whole = process.returncode == 0 or (process.returncode == 1 and output == LAYOUT)
    if is_whole and written and written.startswith(_BEGINNINGS.get(output, (b"",))):
        return written
    reason = (messages or written).decode(errors="replace").strip()[:300]
    if sys.platform == "linux" and process.returncode == -signal.SIGXCPU:
        raise _too_large("time", output)
    if process.returncode < 0 or "memory" in reason:
        raise _too_large("memory", output)
    raise DebuggerError(
        f"{Path(program).name} cannot write {output.upper()}: {reason or f'exit code {process.returncode}'}",
        advice=f"Is Graphviz complete? {_ELSE[output == LAYOUT]}",
    )


@contextmanager
def _turn(output: str) -> Iterator[None]:
    """Wait for a turn.

    Raises:
        DebuggerError: Others take too long.
    """
    turns = _at_once[output == LAYOUT]
    if not turns.acquire(timeout=_TURN_SECONDS):
        what = "layouts" if output == LAYOUT else "pictures"
        raise DebuggerError(
            f"Too many {what} are asked for at once.",
            advice=f"Try again in two minutes. {_ELSE[output == LAYOUT]}",
        )
    try:
        yield
    finally:
        turns.release()


def _started(command: Sequence[str], program: str, output: str) -> subprocess.Popen[bytes]:
    """Start the program.

    Raises:
        UnsupportedError: It cannot be started.
    """
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            start_new_session=True,
        )
    except OSError as error:
        raise UnsupportedError(
            f"Graphviz's program {program} cannot be started: {error.strerror or error}.",
            advice=f"Install it again. {_ELSE[output == LAYOUT]}",
        ) from error


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def _communicate(
    process: subprocess.Popen[bytes], source: bytes, seconds: float, cpu_seconds: int, output: str
) -> tuple[bytes, bytes]:
    """Send the graph, wait for the end of the process, and return output and messages.

    On Linux memory and CPU are limited before anything is read, as far as the system lets; elsewhere time and
    output alone. Where it fails, the group of the process is killed. An exit code is not looked at.

    Raises:
        InputError: It takes too long, or writes too much.
    """
    if sys.platform == "linux":
        with suppress(OSError, ValueError):  # it has ended, or has a tighter limit already
            resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.prlimit(process.pid, resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    until = time.monotonic() + seconds
    told = dict.fromkeys(("stdout", "stderr"), b"")

    def write() -> None:
        if process.stdin is not None:
            with suppress(OSError), process.stdin as pipe:  # it may end before it has read all
                pipe.write(source)

    def read(stream: str) -> None:
        told[stream] = getattr(process, stream).read(MOST_OUTPUT + 1)
        if len(told[stream]) > MOST_OUTPUT:
            _end(process)

    works = [threading.Thread(target=write, daemon=True)]
    works += [threading.Thread(target=read, args=(stream,), daemon=True) for stream in told]
    try:
        for work in works:
            work.start()
        for work in works:
            work.join(max(0.0, until - time.monotonic()))
        if any(work.is_alive() for work in works):
            raise _too_large("time", output)
        process.wait(max(0.1, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise _too_large("time", output) from None
    finally:
        _end(process)
    if max(map(len, told.values())) > MOST_OUTPUT:
        raise _too_large("memory", output)
    return told["stdout"], told["stderr"]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program that still runs, and what it has started, such as the program behind a script.

    It is killed and not waited for; on Windows what it has started stays. One that has ended is left alone.
    """
    if process.returncode is not None:
        return  # its number may be another program's by now
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _too_large(what: str, output: str) -> InputError:
    """Return the error that a layout or picture takes more time or memory than it may."""
    thing = "layout" if output == LAYOUT else "picture"
    advice = "Close super nodes; the table shows the same."
    if output != LAYOUT:
        advice = "Close super nodes, or take DOT or Mermaid, which are not laid out."
    return InputError(f"The workflow takes more {what} than a {thing} may take.", advice=advice)

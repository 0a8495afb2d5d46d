"""Graphviz's layout program, found in one place and run with limits."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from debugger.errors import DebuggerError, InputError, UnsupportedError

if sys.platform == "linux":
    import resource

SECONDS: Final = 20.0
"""The time that a picture may take; a graph whose edges lead far back can take hours."""
MEMORY: Final = 2 * 2**30
"""Bytes of address space of the program, where the system can set a limit for another process (Linux)."""
DOTS_PER_INCH: Final = 144
"""Of a bitmap."""
MOST_INCHES: Final = {"png": 60, "pdf": 199}
"""A larger picture is scaled down: a bitmap has at most 8,640 x 8,640 pixels, some 300 MB, and a page no more
inches than readers open, which is 200."""
_BEGINNINGS = {"svg": (b"<?xml", b"<svg"), "png": (b"\x89PNG\r\n",), "pdf": (b"%PDF-",)}
"""Of the files; a program that is named ``dot`` may be another one."""
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "SYSTEMROOT")
"""All that the program gets of the environment, which has keys."""
_at_once = threading.BoundedSemaphore(2)


def find_program(output: str) -> str | None:
    """Return the path of the program that writes ``svg``, ``png`` or ``pdf``; ``None`` without one.

    It is Graphviz's ``dot``, else the program of the package ``graphviz-pure``, which writes no PDF.
    """
    dot = _which("dot")
    if dot is not None or output == "pdf":
        return dot
    beside = Path(sysconfig.get_path("scripts"), "graphviz-pure")
    return _which(str(beside)) or _which("graphviz-pure")


def _which(name: str) -> str | None:
    """Return the path of a program; not in the current folder, which may hold anything."""
    found = shutil.which(name)
    return found if found is not None and Path(found).is_absolute() else None


def explain_missing_program(output: str) -> str:
    """Return what is missing to write ``svg``, ``png`` or ``pdf``, and how to get it; empty if nothing is."""
    if find_program(output) is not None:
        return ""
    install = "apt-get install graphviz, or brew install graphviz"
    if output == "pdf":
        return f"PDF needs Graphviz's program dot: {install}."
    wheel = "pip install 'workflow-debugger[pictures]'"
    return f"{output.upper()} needs Graphviz's program dot: {install}; or the package graphviz-pure: {wheel}."


def run_program(source: str, output: str, *, seconds: float = SECONDS, inches: int = 0) -> bytes:
    """Lay out DOT and return the picture.

    Args:
        source: The DOT.
        output: ``svg``, ``png`` or ``pdf``.
        seconds: The time that it may take.
        inches: The longest side, to which a larger picture is scaled down; by default that of the format.

    Raises:
        UnsupportedError: The program is missing, or cannot write this.
        InputError: The graph is too large for the limits.
    """
    if missing := explain_missing_program(output):
        raise UnsupportedError(missing, advice="DOT and Mermaid need no program.")
    program = find_program(output) or ""
    command = [program, f"-T{output}"]
    if output == "png":
        command += [f"-Gdpi={DOTS_PER_INCH}"]
    if inches := inches or MOST_INCHES.get(output, 0):
        command += [f"-Gsize={inches},{inches}"]
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    with _at_once:
        try:
            with subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            ) as process:
                picture, messages = _communicate(process, source.encode(), seconds)
        except OSError as error:
            raise UnsupportedError(
                f"Graphviz's program {program} cannot be started: {error.strerror or error}.",
                advice="Install it again; DOT and Mermaid need no program.",
            ) from error
    if process.returncode == 0 and picture and picture.startswith(_BEGINNINGS.get(output, (b"",))):
        return picture
    reason = (messages or picture).decode(errors="replace").strip()[:300]
    if process.returncode < 0 or "memory" in reason:
        raise _too_large("memory")
    raise DebuggerError(
        f"{Path(program).name} cannot write {output.upper()}: {reason or f'exit code {process.returncode}'}",
        advice="Is Graphviz complete? DOT and Mermaid need no program.",
    )


def _communicate(process: subprocess.Popen[bytes], source: bytes, seconds: float) -> tuple[bytes, bytes]:
    """Send the graph and return picture and messages; the limit of memory holds before anything is read.

    Raises:
        InputError: It takes too long.
    """
    if sys.platform == "linux":
        with suppress(OSError, ValueError):  # it has ended, or has a tighter limit already
            resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        return process.communicate(source, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise _too_large("time") from None
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program that still runs, and what it has started, such as the program behind a script."""
    if process.returncode is not None:
        return  # its number may be another program's by now
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _too_large(what: str) -> InputError:
    return InputError(
        f"The workflow takes more {what} than a picture may take.",
        advice="Close super nodes, or take DOT or Mermaid, which are not laid out.",
    )

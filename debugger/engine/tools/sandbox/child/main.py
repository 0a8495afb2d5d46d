"""The child process, which calls the author's function and writes its result."""

from __future__ import annotations

import _ast
import json
import os
import sys
from contextlib import suppress
from types import ModuleType, TracebackType

from .json_value import NotJsonError, to_json

try:
    import resource
except ImportError:  # Windows has none
    resource = None  # type: ignore[assignment]

TYPE_CHECKING = False  # importing typing would cost 2 ms of every call
if TYPE_CHECKING:
    from typing import Any, NoReturn

FILE = "inline_python"
"""The name of the code in tracebacks, and as a module."""

_LONGEST_MESSAGE = 500
_MAX_FILE_BYTES = 16_000_000


def main() -> NoReturn:
    """Read the request from stdin, write a JSON line to stdout, and end the process.

    The exit code is 0 once the line is written, else 1. What the code prints goes to the standard error. The
    last argument of the process is its mode; a sandboxed one that does not isolate does not run the code.
    """
    sandboxed = sys.argv[-1] == "sandboxed"
    sys.argv = [FILE]
    os.environ.clear()
    try:
        pipe = os.dup(1)
        os.dup2(2, 1)
        request = json.loads(sys.stdin.buffer.read())
        if sandboxed and os.getpid() != 1:
            # Found by the probe at the start; bubblewrap may have been replaced since.
            line = encode({"error": "The sandbox does not isolate, so the code did not run."})
        else:
            set_limits(**request["limits"])
            line = answer(request, sandboxed=sandboxed)
        with suppress(Exception):  # the code may have put anything in its place
            sys.stdout.flush()
        while line:
            line = line[os.write(pipe, line) :]
        os._exit(0)
    finally:
        os._exit(1)


def set_limits(*, cpu: int, memory: int) -> None:
    """Set limits for this process that the code cannot raise; those that the system lacks are skipped.

    Args:
        cpu: Seconds of processor time.
        memory: Bytes of address space. `lift_memory_limit` adds a reserve to it.
    """
    if resource is None:
        return
    _lower(resource.RLIMIT_CPU, cpu, cpu)
    _lower(resource.RLIMIT_AS, memory, memory + memory // 8)
    _lower(resource.RLIMIT_FSIZE, _MAX_FILE_BYTES, _MAX_FILE_BYTES)
    _lower(resource.RLIMIT_NOFILE, 64, 64)
    _lower(resource.RLIMIT_CORE, 0, 0)
    if sys.platform == "linux":
        _lower(resource.RLIMIT_SIGPENDING, 64, 64)  # timers and queued signals take kernel memory


def lift_memory_limit() -> None:
    """Open the memory reserve, so that a process can report its error.

    Where the system has no such limit, nothing is done.
    """
    if resource is None:
        return
    with suppress(ValueError, OSError):
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _lower(kind: int, soft: int, hard: int) -> None:
    # A system that lacks the limit, or has a tighter one already, says so by an error.
    with suppress(ValueError, OSError):
        resource.setrlimit(kind, (soft, hard))


class CodeError(Exception):
    """An error in the code other than an exception that it raises."""


def answer(request: dict[str, Any], *, sandboxed: bool = True) -> bytes:
    """Call the function in ``request["code"]`` and return a line of JSON; nothing is raised.

    Args:
        request: ``code``, the tool's ``name``, the ``arguments``, the ``longest_result`` in bytes, and the
            ``limits`` that error messages name.
        sandboxed: Whether an error of the system may be the sandbox's.

    Returns:
        ``{"value": ...}`` with the result, or ``{"error": ...}`` with one sentence.
    """
    try:
        line = encode({"value": to_json(_call(request["code"], request["name"], request["arguments"]))})
        if len(line) > request["longest_result"]:
            longest = request["longest_result"]
            raise CodeError(f"The result is {len(line):,} bytes of JSON; it may have {longest:,}.")
    except (CodeError, NotJsonError) as error:
        return encode({"error": str(error)})
    except BaseException as error:
        lift_memory_limit()
        return encode({"error": _describe(error, request["limits"]["memory"], sandboxed)})
    return line


def encode(content: dict[str, Any]) -> bytes:
    """Return a line of JSON."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False).encode(errors="replace") + b"\n"


def _call(code: str, name: str, arguments: dict[str, Any]) -> Any:
    """Run the code as a module, call its function, and return the result, awaited where it must be.

    Raises:
        CodeError: The code cannot be compiled, has no function, or the arguments do not fit it.
        BaseException: The code raised it.
    """
    module = ModuleType(FILE)
    sys.modules[FILE] = module
    tree: _ast.Module = _compile(code, _ast.PyCF_ONLY_AST)
    entry_point = _entry_point(tree, name)
    exec(_compile(tree), module.__dict__)
    function = getattr(module, entry_point)
    try:
        value = function(**arguments)
    except TypeError as error:
        if _line(error.__traceback__) is None:
            raise CodeError(f"The arguments do not fit the function: {error}.") from error
        raise
    return _run_awaitable(value) if hasattr(value, "__await__") else value


def _compile(code: str | _ast.Module, flags: int = 0) -> Any:
    """Return the compiled code, or its tree with that flag.

    Raises:
        CodeError: It is not Python, or cannot be compiled.
    """
    try:
        return compile(code, FILE, "exec", flags)
    except SyntaxError as error:
        place = f"line {error.lineno}, column {error.offset}"
        raise CodeError(f"The code is not Python, {place}: {error.msg}.") from error
    except (ValueError, RecursionError, MemoryError) as error:
        reason = str(error) or "it is nested too deeply"
        raise CodeError(f"The code cannot be compiled: {reason}.") from error


def _entry_point(tree: _ast.Module, name: str) -> str:
    """Return the last function called like the tool, an exact name first, else the last one (U-54).

    Raises:
        CodeError: There is no function at the top level.
    """
    functions = [
        node.name for node in tree.body if isinstance(node, (_ast.FunctionDef, _ast.AsyncFunctionDef))
    ]
    if not functions:
        raise CodeError("The code has no function at its top level; write one with def.")
    wanted = name.replace(" ", "_")
    alike = [function for function in functions if function.lower() == wanted.lower()]
    return wanted if wanted in alike else (alike or functions)[-1]


def _run_awaitable(value: Any) -> Any:
    """Run an awaitable to its end in an event loop of its own, and return the result.

    What it raises leaves it.
    """
    # Costs more than all other imports together, and few tools need it.
    import asyncio

    async def wait() -> Any:
        return await value

    return asyncio.run(wait())


def _describe(error: BaseException, memory: int, sandboxed: bool) -> str:
    """Return a sentence about an exception of the code, with its line and a hint at the cause.

    Where the code is not in the traceback, there is no line.
    """
    line = _line(error.__traceback__)
    place = "" if line is None else f" in line {line}"
    if isinstance(error, SystemExit):
        return f"The code ended itself with sys.exit({_text(error.code)}){place}; it must return instead."
    message = _text(error)
    details = (f": {message}" if message else "").rstrip(".")
    return f"The code raised {type(error).__name__}{place}{details}{_hint(error, memory, sandboxed)}."


def _hint(error: BaseException, memory: int, sandboxed: bool) -> str:
    """Return what may explain an error in brackets: memory, packages, or the sandbox; else empty."""
    if isinstance(error, MemoryError):
        return f" (it may use {memory // 1_000_000} MB)"
    if isinstance(error, ImportError):
        return " (only Python's standard library is there)"
    refused = getattr(error, "reason", error)
    if sandboxed and isinstance(refused, OSError) and refused.errno is not None:
        return " (it may not use the network or other programs, and of files only small ones in /tmp)"
    return ""


def _text(value: Any) -> str:
    """Return the text of a value, cut after 500 characters; nothing that the value does is raised.

    Where its text cannot be made, a sentence says so.
    """
    # The text is made by the author's code, which may do anything at all.
    try:
        text = str(value)
    except BaseException as error:
        return f"its text cannot be read, because of {type(error).__name__}"
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}…"


def _line(trace: TracebackType | None) -> int | None:
    """Return the innermost line of the code in a traceback; ``None`` where the code is not in it."""
    line = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line

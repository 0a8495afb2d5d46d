"""A call of hostile code in the sandbox."""

from __future__ import annotations

import threading
from textwrap import dedent
from typing import Any

from debugger.engine.tools.sandbox import Limits, SandboxResult, run

NAMES_OF_ERRORS = """
import ctypes, os, socket, sys, threading

libc = ctypes.CDLL(None, use_errno=True)

def names_of_errors(*attempts):
    return [name_of_error(attempt) for attempt in attempts]

def name_of_error(attempt):
    try:
        return f"done: {attempt()!r}"
    except OSError as error:
        return type(error).__name__

def call(function, *arguments):
    if function(*arguments) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""


def attack(code: str, timeout: float = 20, memory: int = 512_000_000, **arguments: Any) -> SandboxResult:
    """Run the code's `attack`, with `names_of_errors` and `call` available."""
    request = {"code": NAMES_OF_ERRORS + dedent(code), "name": "attack", "arguments": arguments}
    return run(request, Limits(timeout, memory), threading.Event())

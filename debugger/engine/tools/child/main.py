"""The child process: it reads a request, runs the code in it, and writes the answer."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress

from . import author_code, limits

TYPE_CHECKING = False  # importing typing would cost 2 ms of every call
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """Answer the request in the standard input by a line of JSON on the standard output.

    What the code prints goes to the standard error. The last argument of the process is its mode.
    """
    sandboxed = sys.argv[-1] == "sandboxed"
    sys.argv = [author_code.FILE]
    os.environ.clear()
    try:
        pipe = os.dup(1)
        os.dup2(2, 1)
        request = json.loads(sys.stdin.buffer.read())
        if sandboxed and os.getpid() != 1:
            # Found by the probe at the start; bubblewrap may have been replaced since.
            line = author_code.encode({"error": "The sandbox does not isolate, so the code did not run."})
        else:
            limits.limit(**request["limits"])
            line = author_code.answer(request, sandboxed=sandboxed)
        with suppress(Exception):  # the code may have put anything in its place
            sys.stdout.flush()
        while line:
            line = line[os.write(pipe, line) :]
        os._exit(0)
    finally:
        os._exit(1)

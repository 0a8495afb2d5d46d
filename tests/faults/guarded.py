"""Runs a module until it ends, or until the process that started it is gone.

``python -m tests.faults.guarded MODULE ARGUMENTS``. Its standard input is a pipe that nothing is written to.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading


def end_with(wait):
    """End this process at once when a call returns, on a thread of its own."""

    def watch():
        wait()
        os._exit(1)

    threading.Thread(target=watch, name="end with the parent", daemon=True).start()


if __name__ == "__main__":
    # The other end of the pipe closes with its process, however that ends.
    end_with(sys.stdin.buffer.read)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)

"""The clock of the client's machine, which may be wrong."""

from __future__ import annotations

import datetime
import sys
import time
from contextlib import ExitStack, contextmanager
from unittest.mock import patch


def true_time():
    """Return the time of day, in seconds since the epoch, whatever a client's clock shows."""
    return time.clock_gettime(time.CLOCK_REALTIME)


@contextmanager
def wrong_clock(seconds):
    """Let all code of `debugger` in this process read a clock that is ahead by some seconds."""
    if not seconds:
        yield
        return

    class Shifted(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.fromtimestamp(true_time() + seconds, tz)

    modules = [module for name, module in sys.modules.items() if name.startswith("debugger")]
    with ExitStack() as stack:
        stack.enter_context(patch("time.time", lambda: true_time() + seconds))
        for module in modules:
            if getattr(module, "datetime", None) is datetime.datetime:
                stack.enter_context(patch.object(module, "datetime", Shifted))
        yield

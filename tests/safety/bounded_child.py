"""A child process that is ended before it can hurt the machine."""

from __future__ import annotations

import gc
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

MAX_CPU_SECONDS = 3
_MAX_ADDRESSES = 1_000_000_000
_MAX_WALL_SECONDS = 60
"""Far more than the CPU time, because the machine may be busy."""


@dataclass(frozen=True)
class Outcome:
    """Result of the work, and its cost."""

    value: Any
    cpu_seconds: float
    grown_bytes: int
    """By which the process outgrew what it had before, at its largest."""


def run_bounded(work: Callable[[], Any], *, cpu_seconds: int = MAX_CPU_SECONDS) -> Outcome:
    """Run work in a child of bounded CPU time and memory.

    The test fails where it needs more.
    Args:
        work: Called in the child; what it returns must be picklable.
        cpu_seconds: After which the child is ended.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(work, sender, cpu_seconds), daemon=True)
    child.start()
    sender.close()
    try:
        answer = receiver.recv() if receiver.poll(_MAX_WALL_SECONDS) else None
    except EOFError:
        answer = None
    child.kill()
    child.join()
    if answer is None:
        pytest.fail(f"The work was ended: it took more than {cpu_seconds} s of CPU time, or too much memory.")
    if isinstance(answer, str):
        pytest.fail(f"The work raised {answer}.")
    assert isinstance(answer, Outcome)
    return answer


def _work(work: Callable[[], Any], sender: Any, cpu_seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    gc.freeze()  # else a collection copies what the parent has, for which the work pays
    mapped = _own("VmSize")
    resource.setrlimit(resource.RLIMIT_AS, (mapped + _MAX_ADDRESSES,) * 2)
    before, began = _own("VmRSS"), time.process_time()
    try:
        value = work()
        grown = max(0, _own("VmHWM") - before)
        sender.send(Outcome(value, time.process_time() - began, grown))
    except BaseException as error:
        sender.send(f"{type(error).__name__}: {str(error)[:500]}")
    sys.stdout.flush()


def _own(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))

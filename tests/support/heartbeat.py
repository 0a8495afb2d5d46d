"""The cost of a call: seconds, memory, and how long it kept other threads from running.

``measure(function, argument)`` runs it in a process of its own, forked from one that has imported what is
named in `PRELOADED`, beside a thread that beats every few milliseconds.

The machine may be busy with other work, so that a beat comes late though no lock was held. Of a late beat
only that part counts in which the measured process itself used a processor and the beating thread did not
merely wait for one. And two threads on one core take more processor time for the same work: times are those
of an idle machine, by a known work that is timed before and after the call.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

import regex

PRELOADED = (
    "jsonschema",
    "debugger.cli",
    "debugger.scenarios.runner",
    "debugger.scenarios.opening",
    "debugger.exports.sheet_files",
    "debugger.protocol.run_file",
    "debugger.engine.json_schema",
    "regex",
)
"""Modules whose import is no cost of a call."""

BUSY_SECONDS = 4.0
"""The limit of a call where other tests use the machine, too; a call without a bound takes far longer."""

_BEAT = 0.005
_MAX_SECONDS = 60.0
"""A call that takes longer is ended."""
_MAX_GROWTH = 1_500_000_000
"""Bytes of address space beyond those at the start: what wants more fails instead of filling the machine."""

_KNOWN_TEXT = "card 4111 and words, of a line\n" * 3000
_KNOWN_PATTERN = regex.compile(r"\b(?:\d[ -]?){13,19}\b|[^\W\d_]+@x")
_IDLE_SECONDS = 0.021
"""Processor time of the known work on an idle machine (Python 3.11.7, 2026-12-01; the least of 150)."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([*PRELOADED])


@dataclass(frozen=True)
class Cost:
    """Costs of a call."""

    seconds: float
    """Processor time of the whole process, as on an idle machine."""
    megabytes: float
    """Growth of the resident memory at its highest."""
    longest_gap: float
    """Seconds for which the call kept the beating thread from running."""
    result: str
    """What it returned or raised, shortened."""

    def problem(self, seconds: float = 1.0, megabytes: float = 100.0, longest_gap: float = 0.1) -> str:
        """Say which limits were exceeded; empty where none was."""
        over = [
            f"{value:.2f} {unit} of {limit:g}"
            for value, limit, unit in (
                (self.seconds, seconds, "s"),
                (self.megabytes, megabytes, "MB"),
                (self.longest_gap, longest_gap, "s without a beat"),
            )
            if value > limit
        ]
        return f"{', '.join(over)} ({self.result})" if over else ""


def measure(function: Callable[..., object], *arguments: Any) -> Cost:
    """Call a function of a module in a process of its own and return what it took.

    An error that it raises is its result.
    """
    return _measured(_call, (function, arguments))


def measure_prepared(prepare: Callable[..., Callable[[], object]], *arguments: Any) -> Cost:
    """Measure the call that a function of a module prepares, without the preparation."""
    return _measured(prepare, arguments)


def _call(function: Callable[..., object], arguments: tuple[Any, ...]) -> Callable[[], object]:
    return partial(function, *arguments)


def _measured(prepare: Callable[..., Callable[[], object]], arguments: tuple[Any, ...]) -> Cost:
    reader, writer = _context.Pipe(duplex=False)
    process = _context.Process(target=_run, args=(writer, prepare, arguments), daemon=True)
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")  # a test of a page may have left its script there
    try:
        process.start()
    finally:
        sys.modules["__main__"] = main
    writer.close()
    try:
        if not reader.poll(_MAX_SECONDS):
            return Cost(_MAX_SECONDS, 0, _MAX_SECONDS, f"not done after {_MAX_SECONDS:g} s")
        return Cost(*reader.recv())
    except EOFError:
        process.join()
        return Cost(_MAX_SECONDS, 0, _MAX_SECONDS, f"ended by exit code {process.exitcode}")
    finally:
        process.kill()
        process.join()
        reader.close()


def _run(
    writer: Connection, prepare: Callable[..., Callable[[], object]], arguments: tuple[Any, ...]
) -> None:
    call = prepare(*arguments)
    gc.collect()
    gc.freeze()  # as the app does with what it has imported
    heart = _Heart()
    _bound_memory()
    heart.start()
    slowness = _slowness()
    before = _kilobytes("VmRSS")
    began = time.process_time()
    try:
        result = repr(call())[:200]
    except BaseException as error:  # a RecursionError or MemoryError is a finding, too
        result = f"{type(error).__name__}: {error}"[:200]
    seconds = time.process_time() - began
    gap = heart.stop()
    peak = _kilobytes("VmHWM")
    slowness = max(1.0, (slowness + _slowness()) / 2)
    writer.send((seconds / slowness, (peak - before) / 1024, gap / slowness, result))
    writer.close()


def _slowness() -> float:
    """Return how many times longer than on an idle machine a known work takes just now."""
    began = time.process_time()
    for _ in _KNOWN_PATTERN.finditer(_KNOWN_TEXT, concurrent=True):
        pass
    counts: dict[int, int] = {}
    for number in range(40_000):
        counts[number % 997] = counts.get(number % 997, 0) + number
    return (time.process_time() - began) / _IDLE_SECONDS


class _Heart:
    """A thread that notes how long it was kept from running."""

    def __init__(self) -> None:
        self._ends = threading.Event()
        self._beats = threading.Event()
        self._longest = 0.0
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def start(self) -> None:
        """Begin to beat, and return after the first time."""
        self._thread.start()
        self._beats.wait()

    def stop(self) -> float:
        """End, and return the longest gap in seconds."""
        self._ends.set()
        self._thread.join()
        return self._longest

    def _beat(self) -> None:
        last, used, queued = time.monotonic(), time.process_time(), _seconds_queued()
        while True:
            is_over = self._ends.wait(_BEAT)
            now, now_used, now_queued = time.monotonic(), time.process_time(), _seconds_queued()
            late = now - last - (now_queued - queued) - _BEAT
            self._longest = max(self._longest, min(late, now_used - used))
            self._beats.set()
            if is_over:
                return
            last, used, queued = now, now_used, now_queued


def _seconds_queued() -> float:
    """Return how long this thread has waited for a processor that others used."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_bytes().split()[1]) / 1e9
    except OSError:  # not a Linux that counts it
        return 0.0


def _bound_memory() -> None:
    limit = _kilobytes("VmSize") * 1024 + _MAX_GROWTH
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123
        file.write("5")  # the highest resident memory begins anew


def _kilobytes(name: str) -> int:
    for line in Path(f"/proc/{os.getpid()}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(name)

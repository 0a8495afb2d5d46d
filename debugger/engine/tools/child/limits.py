"""Limits that a process sets itself before it runs the code of someone else."""

from __future__ import annotations

import sys
from contextlib import suppress

try:
    import resource
except ImportError:  # Windows has none
    resource = None  # type: ignore[assignment]

_MAX_FILE_BYTES = 16_000_000


def limit(*, cpu: int, memory: int) -> None:
    """Cap what this process can use up; the code cannot raise it again.

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
    """Open the reserve, so that a process which ran out of memory can still say so."""
    if resource is None:
        return
    with suppress(ValueError, OSError):
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _lower(kind: int, soft: int, hard: int) -> None:
    # A system that lacks the limit, or has a tighter one already, says so by an error.
    with suppress(ValueError, OSError):
        resource.setrlimit(kind, (soft, hard))

"""Identities of processes, to prove that one has ended, and the version of their program."""

from __future__ import annotations

import os
import uuid
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PROC = Path("/proc")
_START_TIME = 19
"""The place of a process's start time among the fields after its name, see ``proc_pid_stat(5)``."""
_ENDED = frozenset("ZX")
"""The states of a process that has ended and whose parent has not read its exit code."""


def current_owner() -> str:
    """Return the identity of this process.

    On Linux it is made of the machine's boot id, the namespace of process ids, the process id and its start
    time. Elsewhere it is random: then nothing proves that the process has ended, and the lease alone counts.
    """
    return _owner_of(os.getpid())


def has_ended(owner: str) -> bool:
    """Return whether the process is proven to have ended: one of this boot and namespace, on Linux.

    Returns:
        ``False`` where that is not known, as of a process of another machine.
    """
    parts, own = owner.split("/"), current_owner().split("/")
    if len(parts) != 4 or len(own) != 4 or parts[:2] != own[:2]:
        return False
    try:
        fields = _stat_fields(int(parts[2]))
    except (FileNotFoundError, ProcessLookupError):
        return _shows_processes_of_others()
    except (OSError, ValueError):
        return False
    return fields[0] in _ENDED or fields[_START_TIME] != parts[3]


def is_running(owner: str) -> bool:
    """Return whether a process of this machine is running; ``False`` where that is not known."""
    return owner.split("/")[:2] == current_owner().split("/")[:2] and not has_ended(owner)


def program_version() -> str:
    """Return the version of this program; empty where it is not installed."""
    try:
        return version("workflow-debugger")
    except PackageNotFoundError:
        return ""


def _shows_processes_of_others() -> bool:
    """Return whether processes of other users are listed, despite ``hidepid``."""
    return (_PROC / "1").exists()


@lru_cache(maxsize=1)
def _owner_of(pid: int) -> str:
    """Return the identity of this process by its id; a random one where ``/proc`` cannot be read."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = (_PROC / "self/ns/pid").stat().st_ino
        return f"{boot}/{namespace}/{pid}/{_stat_fields(pid)[_START_TIME]}"
    except (OSError, ValueError, IndexError):
        return uuid.uuid4().hex


def _stat_fields(pid: int) -> list[str]:
    """Return the fields of a process's state after its name."""
    return (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()

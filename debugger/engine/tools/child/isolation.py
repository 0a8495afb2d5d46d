"""What a process can shut itself into before it runs the code of someone else.

Each function narrows the process that calls it, for good. What the system does not offer is left out and
reported, because a weaker fence is better than none.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import sys
from contextlib import suppress

_CLONE_NEWIPC = 0x08000000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWPID = 0x20000000
_CLONE_NEWNET = 0x40000000

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38

_CAPABILITY_VERSION_3 = 0x20080522

_LANDLOCK_CREATE_RULESET = 444
_LANDLOCK_ADD_RULE = 445
_LANDLOCK_RESTRICT_SELF = 446
_LANDLOCK_VERSION = 1
_LANDLOCK_PATH_BENEATH = 1
_LANDLOCK_WRITE_FILE = 1 << 1
_LANDLOCK_READ_FILE = 1 << 2
_LANDLOCK_READ_FOLDER = 1 << 3
_LANDLOCK_TCP = 0b11  # bind, connect
_LANDLOCK_SCOPES = 0b11  # abstract sockets, signals

_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True)


def leave_namespaces() -> bool:
    """Let the processes forked from now on have a network without devices and process ids of their own.

    The network is gone for the caller too. A user namespace comes with it: it is what lets an ordinary user
    do this, and it keeps even root from reading the environment of processes outside.

    Returns:
        Whether the system allowed it; if not, nothing has changed.
    """
    apart = _CLONE_NEWNET | _CLONE_NEWPID | _CLONE_NEWIPC
    return _LINUX and (_libc.unshare(_CLONE_NEWUSER | apart) == 0 or _libc.unshare(apart) == 0)


def die_with_parent() -> None:
    """Let the system end this process when the process that forked it ends."""
    if _LINUX:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends."""
    if _LINUX:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def limit(*, cpu: int, memory: int, processes: int) -> None:
    """Cap what this process can use up.

    Args:
        cpu: Seconds of processor time.
        memory: Bytes of address space. `lift_memory_limit` adds a reserve to it.
        processes: How many processes and threads the user may have; the system does not apply this to root.
    """
    _lower(resource.RLIMIT_CPU, cpu, cpu + 1)
    _lower(resource.RLIMIT_AS, memory, memory + memory // 8)
    _lower(resource.RLIMIT_FSIZE, 0, 0)
    _lower(resource.RLIMIT_NOFILE, 64, 64)
    _lower(resource.RLIMIT_CORE, 0, 0)
    _lower(resource.RLIMIT_NPROC, processes, processes)


def lift_memory_limit() -> None:
    """Open the reserve, so that a process which ran out of memory can still say so."""
    with suppress(ValueError, OSError):
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def give_up_rights() -> bool:
    """Give up privileges, and every file but the working directory, `/usr` and Python's own library.

    Returns:
        Whether files are out of reach. If not, they are as open as the user's rights leave them.
    """
    if not _LINUX:
        return False
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    closed = _close_files()
    _libc.capset(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), bytes(24))
    return closed


def _lower(kind: int, soft: int, hard: int) -> None:
    # A system that lacks the limit, or has a tighter one already, says so by an error.
    with suppress(ValueError, OSError):
        resource.setrlimit(kind, (soft, hard))


def _close_files() -> bool:
    """Put on a Landlock ruleset that allows reading the library, and nothing else."""
    version = _libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION)
    if version < 1:
        return False
    attributes = _ruleset_attributes(version)
    ruleset = _libc.syscall(_LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0)
    for path in {os.getcwd(), *_library()}:  # noqa: PTH109 - pathlib costs an import
        _allow(ruleset, path, _LANDLOCK_READ_FILE | _LANDLOCK_READ_FOLDER)
    for path in ("/etc/ld.so.cache", "/etc/localtime", "/dev/urandom"):
        _allow(ruleset, path, _LANDLOCK_READ_FILE)
    _allow(ruleset, os.devnull, _LANDLOCK_READ_FILE | _LANDLOCK_WRITE_FILE)
    closed: bool = _libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return closed


def _ruleset_attributes(version: int) -> bytes:
    """Everything that this version of Landlock can forbid."""
    file_rights = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    attributes = struct.pack("=QQQ", file_rights, _LANDLOCK_TCP, _LANDLOCK_SCOPES)
    return attributes[: 8 if version < 4 else 16 if version < 6 else 24]


def _library() -> set[str]:
    """The folders that Python's library and the system libraries below it are read from."""
    return {sys.base_prefix, sys.base_exec_prefix, *sys.path, "/usr", "/lib", "/lib64"}


def _allow(ruleset: int, path: str, rights: int) -> None:
    with suppress(FileNotFoundError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", rights, place)
        _libc.syscall(_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_PATH_BENEATH, rule, 0)
        os.close(place)

"""The seccomp filter of the sandbox: the system calls that the code may not make."""

from __future__ import annotations

import errno
import struct
from typing import NamedTuple

_LOAD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _JUMP_ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _ARCHITECTURE = 0, 4
"""Offsets in `struct seccomp_data`; the low half of argument n is at 16 + 8 n on both architectures."""
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_REFUSE, _UNKNOWN = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS

_X32 = 0x40000000
_FIRST_UNKNOWN = 453
"""Calls from this number on are newer than this list (Linux 6.6), and refused as if the kernel lacked them."""
_CLONE3 = 435
"""Its flags lie in memory, where a filter cannot look; libc falls back on clone."""

_CLONE_THREAD = 0x00010000
_CLONE_NAMESPACES = 0x7E020000
_SET_LOCK_COMMANDS = (6, 7, 37, 38)
"""Of fcntl: each lock takes kernel memory that no limit counts."""
_PR_SET_PDEATHSIG = 1
"""With it the code could outlive the application."""


class _Numbers(NamedTuple):
    """The numbers of one architecture."""

    audit: int
    clone: int
    socketpair: int
    prctl: int
    fcntl: int
    refused: tuple[int, ...]


# Calls that both architectures number alike.
_REFUSED_EVERYWHERE = (
    (424, 425, 426, 427)  # pidfd_send_signal, io_uring_*
    + tuple(range(428, 434))  # open_tree, move_mount, fsopen, fsconfig, fsmount, fspick
    + (434, 438)  # pidfd_open, pidfd_getfd
    + (440, 442, 443)  # process_madvise, mount_setattr, quotactl_fd
    + (447, 448, 450)  # memfd_secret, process_mrelease, set_mempolicy_home_node
)

_BY_MACHINE = {
    "x86_64": _Numbers(
        audit=0xC000003E,
        clone=56,
        socketpair=53,
        prctl=157,
        fcntl=72,
        refused=(
            (41, 42, 43, 49, 50, 288)  # socket, connect, accept, bind, listen, accept4
            + (57, 58)  # fork, vfork
            + (29, 64, 68, 240)  # shmget, semget, msgget, mq_open: memory outside the address space
            + (278, 319)  # vmsplice, memfd_create: likewise
            + (253, 254, 294, 300)  # inotify_init, inotify_add_watch, inotify_init1, fanotify_init: likewise
            + (248, 249, 250)  # add_key, request_key, keyctl
            + (101, 310, 311, 312)  # ptrace, process_vm_readv, process_vm_writev, kcmp
            + (155, 161, 165, 166, 272, 308)  # pivot_root, chroot, mount, umount2, unshare, setns
            + (298, 321, 323)  # perf_event_open, bpf, userfaultfd
            + (246, 320, 174, 175, 176, 313)  # kexec_*, *_module
            + (303, 304)  # name_to_handle_at, open_by_handle_at
            + (103, 135, 154, 134, 212)  # syslog, personality, modify_ldt, uselib, lookup_dcookie
            + (163, 167, 168, 169, 172, 173, 179)  # acct, swapon, swapoff, reboot, iopl, ioperm, quotactl
            + (237, 238, 256, 279)  # mbind, set_mempolicy, migrate_pages, move_pages
        ),
    ),
    "aarch64": _Numbers(
        audit=0xC00000B7,
        clone=220,
        socketpair=199,
        prctl=167,
        fcntl=25,
        refused=(
            (198, 203, 202, 200, 201, 242)  # socket, connect, accept, bind, listen, accept4
            + (194, 190, 186, 180)  # shmget, semget, msgget, mq_open
            + (75, 279)  # vmsplice, memfd_create
            + (26, 27, 262)  # inotify_init1, inotify_add_watch, fanotify_init
            + (217, 218, 219)  # add_key, request_key, keyctl
            + (117, 270, 271, 272)  # ptrace, process_vm_readv, process_vm_writev, kcmp
            + (41, 51, 40, 39, 97, 268)  # pivot_root, chroot, mount, umount2, unshare, setns
            + (241, 280, 282)  # perf_event_open, bpf, userfaultfd
            + (104, 294, 105, 106, 273)  # kexec_*, *_module
            + (264, 265)  # name_to_handle_at, open_by_handle_at
            + (116, 92, 18)  # syslog, personality, lookup_dcookie
            + (89, 224, 225, 142, 60)  # acct, swapon, swapoff, reboot, quotactl
            + (235, 237, 238, 239)  # mbind, set_mempolicy, migrate_pages, move_pages
        ),
    ),
}


def seccomp_filter(machine: str) -> bytes | None:
    """Return the filter as BPF instructions; ``None`` for a machine whose calls are not known here.

    It refuses sockets of every family (of socket pairs only streams stay, which reach nothing but each other),
    processes of its own (threads stay), namespaces, mounts, keyrings, tracing, and what takes kernel memory
    that no limit counts. A program of another architecture's calls (i386, x32) is killed.
    """
    numbers = _BY_MACHINE.get(machine)
    if numbers is None:
        return None
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, numbers.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_GREATER_EQUAL, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
        (_JUMP_EQUAL, 1, 0, _CLONE3),
        (_JUMP_GREATER_EQUAL, 0, 1, _FIRST_UNKNOWN),
        (_RETURN, 0, 0, _UNKNOWN),
    ]
    for number in (*_REFUSED_EVERYWHERE, *numbers.refused):
        program += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    program += _rule(
        numbers.clone,
        (_LOAD, 0, 0, _argument(0)),
        (_JUMP_ANY_BIT, 0, 2, _CLONE_THREAD),
        (_JUMP_ANY_BIT, 1, 0, _CLONE_NAMESPACES),
        (_RETURN, 0, 0, _ALLOW),
    )
    program += _rule(
        numbers.socketpair,
        (_LOAD, 0, 0, _argument(0)),
        (_JUMP_EQUAL, 0, 4, 1),  # AF_UNIX
        (_LOAD, 0, 0, _argument(1)),
        (_AND, 0, 0, 0xF),
        (_JUMP_EQUAL, 0, 1, 1),  # SOCK_STREAM; a pair of datagram sockets can send to other addresses
        (_RETURN, 0, 0, _ALLOW),
    )
    program += _rule(
        numbers.prctl,
        (_LOAD, 0, 0, _argument(0)),
        (_JUMP_EQUAL, 1, 0, _PR_SET_PDEATHSIG),
        (_RETURN, 0, 0, _ALLOW),
    )
    program += _rule(
        numbers.fcntl,
        (_LOAD, 0, 0, _argument(1)),
        *[(_JUMP_EQUAL, 4 - place, 0, command) for place, command in enumerate(_SET_LOCK_COMMANDS)],
        (_RETURN, 0, 0, _ALLOW),
    )
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


_Instruction = tuple[int, int, int, int]


def _rule(number: int, *check: _Instruction) -> list[_Instruction]:
    """Return the check of a call's arguments, behind which the call is refused."""
    return [(_JUMP_EQUAL, 0, len(check) + 1, number), *check, (_RETURN, 0, 0, _REFUSE)]


def _argument(index: int) -> int:
    return 16 + 8 * index

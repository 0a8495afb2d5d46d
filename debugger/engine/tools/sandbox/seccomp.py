"""The seccomp filter of the sandbox: the refused system calls."""

from __future__ import annotations

import errno
import struct

_LOAD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _JUMP_ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _ARCHITECTURE = 0, 4
"""Offsets in `struct seccomp_data`; the low half of argument n is at 16 + 8 n on both architectures."""
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_REFUSE, _UNKNOWN = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS

_X32 = 0x40000000
_FIRST_UNKNOWN = 453
"""Calls from this number on are newer than Linux 6.6 and this list: refused as if the kernel lacked them."""
_CLONE3 = 435
"""Its flags lie in memory, where a filter cannot look; libc falls back on clone."""

_CLONE_THREAD = 0x00010000
_CLONE_NAMESPACES = 0x7E020000
_REFUSED_COMMANDS = (6, 7, 37, 38, 1024, 1026)
"""Of fcntl: locks, which take kernel memory that no limit counts, leases and F_NOTIFY, which delay others."""
_PR_SET_PDEATHSIG = 1
"""With it the code could outlive the application."""


# The numbers on x86_64 and on aarch64.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    # Sockets; a socketpair is a call of its own.
    "socket": (41, 198),
    "connect": (42, 203),
    "accept": (43, 202),
    "accept4": (288, 242),
    "bind": (49, 200),
    "listen": (50, 201),
    "setsockopt": (54, 208),  # of a socketpair, too: its filters and buffers are memory of the kernel
    # Processes, and the memory and descriptors of others.
    "fork": (57, None),
    "vfork": (58, None),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    # Memory that no limit of the process counts.
    "flock": (73, 32),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "vmsplice": (278, 75),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27),
    "fanotify_init": (300, 262),
    # Metadata of files: the devices cannot be read-only, and for root's code they are its own.
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    # Keyrings.
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # Namespaces and mounts.
    "unshare": (272, 97),
    "setns": (308, 268),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "mount": (165, 40),
    "umount2": (166, 39),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    # Parts of the kernel with many faults in the past.
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    "uselib": (134, None),
    "lookup_dcookie": (212, 18),
    # The machine.
    "sync": (162, 81),
    "syncfs": (306, 267),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "create_module": (174, None),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "syslog": (103, 116),
    "acct": (163, 89),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "iopl": (172, None),
    "ioperm": (173, None),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "mbind": (237, 235),
    "set_mempolicy": (238, 237),
    "set_mempolicy_home_node": (450, 450),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
}
_CHECKED = {"clone": (56, 220), "socketpair": (53, 199), "prctl": (157, 167), "fcntl": (72, 25)}
"""Calls that some arguments make harmful."""
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""The column of the numbers, and the architecture as the kernel's audit names it."""


def seccomp_filter(machine: str) -> bytes | None:
    """Return the filter as BPF instructions; ``None`` for a machine whose calls are not known here.

    It refuses sockets of every family (of socket pairs only streams stay, which reach nothing but each
    other), processes (threads stay), namespaces, mounts, keyrings, tracing, and what takes kernel memory that
    no limit counts. A program of another architecture's calls (i386, x32) is killed.
    """
    if machine not in _MACHINES:
        return None
    column, architecture = _MACHINES[machine]
    clone, socketpair, prctl, fcntl = (numbers[column] for numbers in _CHECKED.values())
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_GREATER_EQUAL, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
        (_JUMP_EQUAL, 1, 0, _CLONE3),
        (_JUMP_GREATER_EQUAL, 0, 1, _FIRST_UNKNOWN),
        (_RETURN, 0, 0, _UNKNOWN),
    ]
    for numbers in _REFUSED.values():
        if (number := numbers[column]) is not None:
            program += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    program += _rule(
        clone,
        (_LOAD, 0, 0, _argument(0)),
        (_JUMP_ANY_BIT, 0, 2, _CLONE_THREAD),
        (_JUMP_ANY_BIT, 1, 0, _CLONE_NAMESPACES),
        (_RETURN, 0, 0, _ALLOW),
    )
    program += _rule(
        socketpair,
        (_LOAD, 0, 0, _argument(0)),
        (_JUMP_EQUAL, 0, 4, 1),  # AF_UNIX
        (_LOAD, 0, 0, _argument(1)),
        (_AND, 0, 0, 0xF),
        (_JUMP_EQUAL, 0, 1, 1),  # SOCK_STREAM; a pair of datagram sockets can send to other addresses
        (_RETURN, 0, 0, _ALLOW),
    )
    program += _rule(
        prctl,
        (_LOAD, 0, 0, _argument(0)),
        (_JUMP_EQUAL, 1, 0, _PR_SET_PDEATHSIG),
        (_RETURN, 0, 0, _ALLOW),
    )
    program += _rule(
        fcntl,
        (_LOAD, 0, 0, _argument(1)),
        *[
            (_JUMP_EQUAL, len(_REFUSED_COMMANDS) - place, 0, command)
            for place, command in enumerate(_REFUSED_COMMANDS)
        ],
        (_RETURN, 0, 0, _ALLOW),
    )
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


_Instruction = tuple[int, int, int, int]


def _rule(number: int, *check: _Instruction) -> list[_Instruction]:
    return [(_JUMP_EQUAL, 0, len(check) + 1, number), *check, (_RETURN, 0, 0, _REFUSE)]


def _argument(index: int) -> int:
    return 16 + 8 * index

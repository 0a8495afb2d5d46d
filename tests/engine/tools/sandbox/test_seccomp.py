from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from debugger.engine.tools.sandbox import seccomp

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
SINCE_REMOVED = {"create_module"}


@pytest.mark.parametrize("machine", HEADERS)
def test_numbers_are_those_of_the_kernel(machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip("the kernel's headers are not installed")
    lines = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", HEADERS[machine].read_text())
    kernel = {name: int(number) for name, number in lines}
    column, _ = seccomp._MACHINES[machine]

    numbers = {name: pair[column] for name, pair in {**seccomp._REFUSED, **seccomp._CHECKED}.items()}

    wrong = {name for name, number in numbers.items() if kernel.get(name) != number}
    assert wrong <= SINCE_REMOVED


def test_filter_is_none_for_another_machine() -> None:
    assert seccomp.seccomp_filter("riscv64") is None


def run_filter(machine: str, architecture: int, number: int, *arguments: int) -> str:
    """Interpret the filter as the kernel does."""
    data = struct.pack("=IIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    program = list(struct.iter_unpack("=HBBI", seccomp.seccomp_filter(machine) or b""))
    accumulator = place = 0
    while True:
        code, if_true, if_false, value = program[place]
        place += 1
        if code == 0x20:
            accumulator = struct.unpack_from("=I", data, value)[0]
        elif code == 0x54:
            accumulator &= value
        elif code == 0x06:
            names = {0x7FFF0000: "allow", 0x80000000: "kill", 0x50001: "EPERM", 0x50026: "ENOSYS"}
            return names[value]
        else:
            is_true = {
                0x15: accumulator == value,
                0x35: accumulator >= value,
                0x45: bool(accumulator & value),
            }[code]
            place += if_true if is_true else if_false


ARM = 0xC00000B7
THREAD = 0x3D0F00


@pytest.mark.parametrize(
    ("number", "arguments", "verdict"),
    [
        (198, (1, 1), "EPERM"),  # socket
        (199, (1, 1), "allow"),  # socketpair of streams
        (199, (1, 0x80801), "allow"),  # with SOCK_CLOEXEC and SOCK_NONBLOCK
        (199, (1, 2), "EPERM"),  # of datagrams
        (199, (16, 1), "EPERM"),
        (208, (3, 1, 26), "EPERM"),  # setsockopt(SO_ATTACH_FILTER)
        (32, (3, 2), "EPERM"),  # flock
        (220, (THREAD,), "allow"),  # clone
        (220, (17,), "EPERM"),
        (220, (THREAD | 0x10000000,), "EPERM"),
        (435, (), "ENOSYS"),  # clone3
        (453, (), "ENOSYS"),
        (451, (), "allow"),
        (452, (), "EPERM"),  # fchmodat2
        (167, (1, 0), "EPERM"),  # prctl(PR_SET_PDEATHSIG)
        (167, (15,), "allow"),
        (25, (3, 1), "allow"),  # fcntl(F_GETFD)
        (25, (3, 6), "EPERM"),
        (25, (3, 38), "EPERM"),
        (63, (0,), "allow"),  # read
        (219, (), "EPERM"),  # keyctl
        (0x40000000 | 63, (), "kill"),
    ],
)
def test_filter_of_aarch64_judges_calls(number: int, arguments: tuple[int, ...], verdict: str) -> None:
    assert run_filter("aarch64", ARM, number, *arguments) == verdict


def test_filter_kills_another_architecture() -> None:
    assert run_filter("x86_64", 0x40000003, 20) == "kill"
    assert run_filter("aarch64", 0x40000028, 20) == "kill"

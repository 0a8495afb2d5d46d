"""Attacks of inline Python on the machine, in a real sandbox."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from debugger.engine.tools import sandbox
from tests.safety.attacks import attack

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")


def test_sandbox_reaches_no_unix_socket(tmp_path: Path) -> None:
    code = """
        def attack(paths):
            connect = lambda path: socket.socket(socket.AF_UNIX).connect(path)
            return names_of_errors(*[lambda path=path: connect(path) for path in paths])
    """
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "server"))
        server.listen()
        server.settimeout(0)
        paths = [str(tmp_path / "server"), "/var/run/postgresql/.s.PGSQL.5432"]

        answer = attack(code, paths=paths)

        with pytest.raises(BlockingIOError):
            server.accept()
        client.connect(paths[0])
    assert answer.value == ["PermissionError"] * 2


def test_sandbox_reaches_no_tcp_port() -> None:
    code = """
        def attack(port):
            return names_of_errors(
                lambda: socket.create_connection(("127.0.0.1", port), timeout=2),
                lambda: socket.create_connection(("127.0.0.1", 5432), timeout=2),
                lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port)),
            )
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert attack(code, port=server.getsockname()[1]).value == ["PermissionError"] * 3


def test_sandbox_opens_no_socket_of_any_family() -> None:
    code = """
        def attack():
            kinds = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET
            pair = lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            return list({name_of_error(pair)} | {
                name_of_error(lambda: socket.socket(family, kind)) for family in range(64) for kind in kinds
            })
    """

    assert attack(code).value == ["PermissionError"]


def test_sandbox_reaches_no_abstract_socket() -> None:
    name = f"\0sandbox-test-{os.getpid()}"
    code = """
        def attack(name):
            def send():
                socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b"x", name)
            return names_of_errors(lambda: socket.socket(socket.AF_UNIX).connect(name), send)
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(name)
        server.settimeout(0)

        answer = attack(code, name=name)

        with pytest.raises(BlockingIOError):
            server.recv(1)
    assert answer.value == ["PermissionError"] * 2


def test_sandbox_sees_no_file_of_the_user(tmp_path: Path) -> None:
    secret = tmp_path / "secrets.toml"
    secret.write_text("key")
    os.utime(secret, (1, 1))
    secret.chmod(0o640)
    code = """
        def attack(path):
            return names_of_errors(
                lambda: open(path).read(),
                lambda: open(path, "a"),
                lambda: os.stat(path),
                lambda: os.chmod(path, 0o777),
                lambda: os.utime(path, (5, 5)),
                lambda: os.setxattr(path, "user.planted", b"x"),
                lambda: os.truncate(path, 0),
                lambda: os.remove(path),
                lambda: os.listdir(os.path.dirname(path)),
                lambda: os.listdir(os.path.expanduser("~root/.ssh")),
            )
    """

    assert set(attack(code, path=str(secret)).value) == {"FileNotFoundError", "PermissionError"}
    assert secret.read_text() == "key"
    assert (secret.stat().st_mtime, secret.stat().st_mode & 0o777) == (1, 0o640)
    assert "user.planted" not in os.listxattr(secret)


def test_sandbox_sees_nothing_of_the_system() -> None:
    code = """
        def attack():
            paths = "/etc/passwd", "/etc/hostname", "/usr/bin/env", "/proc/1", "/sys/kernel", "/run", "/var"
            seen = [path for path in paths if os.path.lexists(path)]
            return [seen, sorted(os.listdir("/usr")), sorted(os.listdir("/dev")), os.uname().nodename]
    """

    seen, usr, dev, name = attack(code).value

    assert seen == []
    assert set(usr) <= {"share", "lib", "lib64", "bin", "local"}
    assert dev == ["null", "urandom"]
    assert name == "sandbox"


def test_sandbox_names_no_installation() -> None:
    code = """
        def attack():
            import sysconfig, tempfile, traceback
            from importlib.util import cache_from_source

            def text(path):
                try:
                    return open(path, errors="replace").read()
                except OSError:
                    return ""

            try:
                open("nowhere")
            except OSError:
                trace = traceback.format_exc()
            frames, frame = [], sys._getframe()
            while frame:
                frames.append(frame.f_code.co_filename)
                frame = frame.f_back
            libc.getenv.restype = ctypes.c_char_p
            own = "".join(text(f"/child/{name}") for name in os.listdir("/child/"))
            own += "".join(text(f"/child/__pycache__/{name}") for name in os.listdir("/child/__pycache__"))
            below = "/python", "/usr", "/libraries"
            folders = [folder for top in below for folder, _, _ in os.walk(top)]
            library = os.path.dirname(os.__file__)
            records = [each for each in os.listdir(library) if each.startswith(("_sysconfig", "config-"))]
            return {
                "paths": [sys.path, sys.prefix, sys.base_prefix, sys.executable, sys.orig_argv, os.getcwd()],
                "modules": [repr(module) for module in sys.modules.values()],
                "build": [str(sysconfig.get_config_vars()), str(sysconfig.get_paths()), own],
                "records": [text(os.path.join(library, each)) for each in records]
                + [text(cache_from_source(os.path.join(library, each))) for each in records],
                "trace": [trace, frames],
                "environment": [str(os.environ), str(libc.getenv(b"LD_LIBRARY_PATH"))],
                "folders": [os.listdir("/"), folders],
                "processes": [text(f"/proc/self/{name}") for name in ("maps", "mountinfo", "environ")],
            }
    """
    places = {sys.base_prefix, str(Path(sandbox.__file__).parents[4]), str(Path.home()), str(Path.cwd())} - {
        "/usr"
    }

    found = attack(code).value

    shown = {key: [place for place in places if place in str(value)] for key, value in found.items()}
    assert shown == {key: [] for key in found}
    assert found["paths"][1] == "/python"
    assert any("build_time_vars" in text for text in found["records"])


def test_sandbox_changes_no_file_that_it_reads() -> None:
    code = """
        def attack():
            library = os.path.dirname(os.__file__)
            return sorted(set(names_of_errors(
                lambda: open(os.__file__, "a"),
                lambda: os.chmod(os.__file__, 0o666),
                lambda: os.utime(os.__file__, (5, 5)),
                lambda: os.remove(os.__file__),
                lambda: os.setxattr(os.__file__, "user.planted", b"x"),
                lambda: os.mkdir(library + "/planted"),
                lambda: os.mkdir("/planted"),
                lambda: os.mkdir("/dev/planted"),
                lambda: os.mkdir(library + "/site-packages/planted"),
            )))
    """

    assert set(attack(code).value) <= {"OSError", "PermissionError", "FileNotFoundError"}
    assert not Path(os.__file__).with_name("planted").exists()


def test_sandbox_changes_no_device() -> None:
    # The mode is the one that it has, so that a failure of this test changes nothing.
    device = Path("/dev/null")
    before = device.stat()
    code = """
        def attack(mode):
            open("/dev/null", "w").write("x")
            return names_of_errors(
                lambda: os.chmod("/dev/null", mode),
                lambda: os.utime("/dev/null", (5, 5)),
                lambda: os.chown("/dev/null", 65534, 65534),
                lambda: os.chmod("/dev/urandom", mode),
                lambda: os.remove("/dev/null"),
            )
    """

    answer = attack(code, mode=before.st_mode & 0o777)

    assert set(answer.value) <= {"OSError", "PermissionError"}
    assert (device.stat().st_mode, device.stat().st_ctime) == (before.st_mode, before.st_ctime)


def test_sandbox_delays_no_file_of_the_system() -> None:
    syncfs = 306 if platform.machine() == "x86_64" else 267
    code = """
        def attack(syncfs):
            import fcntl
            file = os.open(os.__file__, os.O_RDONLY)
            return names_of_errors(
                lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK),
                lambda: fcntl.fcntl(os.open(os.path.dirname(os.__file__), os.O_RDONLY), fcntl.F_NOTIFY, 4),
                lambda: call(libc.syscall, syncfs, file),
            )
    """

    assert attack(code, syncfs=syncfs).value == ["PermissionError"] * 3


def test_sandbox_sees_no_keyring() -> None:
    keyctl, add_key, request_key = (250, 248, 249) if platform.machine() == "x86_64" else (219, 217, 218)
    code = """
        def attack(keyctl, add_key, request_key):
            return names_of_errors(
                lambda: call(libc.syscall, keyctl, 0, -3, 0),
                lambda: call(libc.syscall, keyctl, 11, -3, 0, 0),
                lambda: call(libc.syscall, add_key, b"user", b"planted", b"x", 1, -3),
                lambda: call(libc.syscall, request_key, b"user", b"planted", None, -3),
            )
    """

    answer = attack(code, keyctl=keyctl, add_key=add_key, request_key=request_key)

    assert answer.value == ["PermissionError"] * 4


def test_sandbox_traces_no_process() -> None:
    code = """
        def attack(process):
            buffer = ctypes.create_string_buffer(64)
            return names_of_errors(
                lambda: call(libc.ptrace, 0, 0, 0, 0),
                lambda: call(libc.ptrace, 16, process, 0, 0),
                lambda: call(libc.process_vm_readv, process, buffer, 0, buffer, 0, 0),
                lambda: call(libc.syscall, 434, process, 0),
            )
    """

    assert attack(code, process=os.getppid()).value == ["PermissionError"] * 4


def test_sandbox_starts_no_process() -> None:
    code = """
        def attack():
            import multiprocessing, subprocess

            def fork():
                if os.fork() == 0:
                    os._exit(0)

            attempts = [lambda: call(libc.fork), lambda: call(libc.syscall, 435, None, 0)]
            attempts.append(lambda: subprocess.run([sys.executable, "-c", ""]))
            attempts.append(lambda: os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {}))
            return names_of_errors(*[fork] * 500, *attempts)
    """

    assert set(attack(code).value) == {"PermissionError", "OSError"}  # clone3: the system lacks it


def test_sandbox_cannot_be_left() -> None:
    mount, pivot_root = (165, 155) if platform.machine() == "x86_64" else (40, 41)
    code = """
        def attack(mount, pivot_root):
            kinds = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
            return sorted(set(names_of_errors(
                *[lambda kind=kind: call(libc.unshare, kind) for kind in kinds],
                *[lambda kind=kind: call(libc.syscall, 56, kind | 17, 0, 0, 0, 0) for kind in kinds],
                lambda: call(libc.setns, 0, 0),
                lambda: call(libc.syscall, mount, b"none", b"/tmp", b"tmpfs", 0, 0),
                lambda: call(libc.syscall, pivot_root, b"/tmp", b"/tmp"),
                lambda: os.chroot("/tmp"),
                lambda: call(libc.syscall, 428, -100, b"/", 0),
                lambda: os.setuid(0),
                lambda: os.mknod("/tmp/memory", 0o20600, os.makedev(1, 1)),
            )))
    """

    errors = attack(code, mount=mount, pivot_root=pivot_root).value

    assert set(errors) <= {"PermissionError", "OSError"}


def test_sandbox_has_no_privilege() -> None:
    code = """
        def attack():
            import struct
            data = ctypes.create_string_buffer(24)
            libc.capget(struct.pack("=Ii", 0x20080522, 0), data)
            return [os.getuid(), os.getgid(), any(data.raw), libc.prctl(39, 0, 0, 0, 0)]
    """

    assert attack(code).value == [65534, 65534, False, 1]


def test_sandbox_inherits_no_environment_and_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "do not tell")
    code = """
        def attack():
            import fcntl
            is_open = lambda number: not name_of_error(lambda: fcntl.fcntl(number, 1)).endswith("Error")
            files = [number for number in range(256) if is_open(number)]
            libc.getenv.restype = ctypes.c_char_p
            return [dict(os.environ), libc.getenv(b"SECRET_TOKEN"), sys.argv, files]
    """
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)

        environment, token, arguments, files = attack(code).value

    assert (environment, token, arguments) == ({}, None, ["inline_python"])
    assert files == [0, 1, 2, 3]  # request, answer, printed, and the answer's second number


def test_sandbox_signals_no_process() -> None:
    code = """
        def attack(processes):
            return names_of_errors(*[lambda process=process: os.kill(process, 9) for process in processes])
    """
    with subprocess.Popen(["sleep", "60"]) as bystander:
        answer = attack(code, processes=[bystander.pid, os.getpid(), -1, -bystander.pid])
        still_runs = bystander.poll() is None
        bystander.kill()

    assert answer.value == ["ProcessLookupError"] * 4
    assert still_runs


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the ABIs are those of x86_64")
@pytest.mark.parametrize(
    "statement",
    [
        "libc.syscall(0x40000000 | 39)",
        "memory = mmap.mmap(-1, 4096, prot=7); memory.write(bytes.fromhex('b814000000cd80c3')); "
        "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))()",
    ],
)
def test_sandbox_kills_calls_of_another_abi(statement: str) -> None:
    code = f"import mmap\ndef attack():\n  {statement}\n"

    assert attack(code).error == "The process of the code ended with signal SIGSYS and gave no answer."

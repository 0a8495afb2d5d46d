"""The files that a Python interpreter needs to run."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from debugger.engine.tools.sandbox.launch import base_executable

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
print(json.dumps({"folders": sys.path, "libraries": libraries}))
"""
"""Loads every extension module of the standard library, and lists what the dynamic linker loaded for them."""


@dataclass(frozen=True)
class Interpreter:
    """An interpreter with its standard library and the shared libraries of both."""

    executable: str
    folders: tuple[str, ...]
    """The standard library."""
    libraries: tuple[str, ...]
    """Each by the path under which the dynamic linker finds it, which may be a symbolic link."""
    data_folders: tuple[str, ...]
    """The system's time zones and locales, as far as it has any."""

    @property
    def package_folders(self) -> tuple[str, ...]:
        """Return the folders of installed packages inside the standard library."""
        inside = (
            Path(folder, name) for folder in self.folders for name in ("site-packages", "dist-packages")
        )
        return tuple(str(path) for path in inside if path.is_dir())


def find_interpreter(executable: str | None = None) -> Interpreter:
    """Return the interpreter that runs this program, outside of any virtual environment.

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
    libraries = sorted({os.path.normpath(name) for name in found["libraries"] if name.startswith("/")})
    return Interpreter(
        path,
        folders,
        tuple(library for library in libraries if not is_inside(library, folders)),
        tuple(folder for folder in _data_folders() if Path(folder).is_dir()),
    )


def is_inside(path: str, folders: tuple[str, ...]) -> bool:
    """Return whether a path is one of the folders or lies in one."""
    return any(Path(path).is_relative_to(folder) for folder in folders)


def _outermost(folders: Iterable[str]) -> tuple[str, ...]:
    outermost: tuple[str, ...] = ()
    for folder in sorted(folders):
        if not is_inside(folder, outermost):
            outermost += (folder,)
    return outermost


def _data_folders() -> list[str]:
    time_zones = (sysconfig.get_config_var("TZPATH") or "").split(os.pathsep)
    return [*(folder for folder in time_zones if folder.startswith("/usr/")), "/usr/lib/locale"]

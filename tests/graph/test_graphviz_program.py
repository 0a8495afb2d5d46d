from __future__ import annotations

import os
import stat
import threading
import time

import pytest

from debugger.errors import DebuggerError, InputError, UnsupportedError
from debugger.graph import graphviz_program as program
from debugger.graph.graphviz_program import explain_missing_program, find_program, run_program


def put_program(folder, text, name="dot"):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_missing_program_is_named_with_its_installation(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(program.sysconfig, "get_path", lambda name: str(tmp_path))

    assert explain_missing_program("pdf") == (
        "PDF needs Graphviz's program dot: apt-get install graphviz, or brew install graphviz."
    )
    assert "the package graphviz-pure: pip install graphviz-pure." in explain_missing_program("png")
    with pytest.raises(UnsupportedError, match=r"SVG needs .* DOT and Mermaid need no program"):
        run_program("digraph {}", "svg")


def test_wheel_stands_in_for_dot_except_for_pdf(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(program.sysconfig, "get_path", lambda name: str(tmp_path))
    wheel = put_program(tmp_path, "echo", "graphviz-pure")

    assert (find_program("svg"), find_program("pdf")) == (wheel, None)
    dot = put_program(tmp_path, "echo")
    assert (find_program("svg"), find_program("pdf")) == (dot, dot)


def test_slow_program_is_ended(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    put_program(tmp_path, "exec sleep 60")

    with pytest.raises(InputError, match=r"more time than a picture may take\. Close super nodes"):
        run_program("digraph {}", "svg", seconds=0.3)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the limit of memory is Linux's")
def test_program_has_a_limit_of_memory(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    put_program(tmp_path, "cat >/dev/null; echo '<svg>'; ulimit -v")

    assert int(run_program("digraph {}", "svg").split()[1]) * 1024 == program.MEMORY


def test_failure_of_the_program_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    put_program(tmp_path, "cat >/dev/null; echo 'Format: \"png\" not recognized' >&2; exit 1")

    with pytest.raises(DebuggerError, match='dot cannot write PNG: Format: "png" not recognized'):
        run_program("digraph {}", "png")


def test_program_gets_no_keys_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("INTERACTLY_API_KEY", "sk-secret")
    put_program(tmp_path, "cat >/dev/null; echo '<svg>'; env")

    assert b"sk-secret" not in run_program("digraph {}", "svg")


@pytest.mark.parametrize("output", ["svg", "png", "pdf"])
def test_output_of_another_program_is_no_picture(tmp_path, monkeypatch, output):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    put_program(tmp_path, "cat >/dev/null; echo 'dot 1.0: a template engine'")

    with pytest.raises(DebuggerError, match=f"dot cannot write {output.upper()}: dot 1.0: a template"):
        run_program("digraph {}", output)


def test_program_of_the_current_folder_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ":.")
    monkeypatch.setattr(program.sysconfig, "get_path", lambda name: str(tmp_path / "none"))
    put_program(tmp_path, "echo")
    put_program(tmp_path, "echo", "graphviz-pure")

    assert (find_program("svg"), find_program("pdf")) == (None, None)


def test_program_of_the_current_folder_hides_no_other(tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        put_program(folder, "echo")
    monkeypatch.chdir(here)
    monkeypatch.setenv("PATH", f".:{there}")

    assert find_program("pdf") == str(there / "dot")


def test_program_that_tells_no_version_does_not_keep_the_page_waiting(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(program.sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(program, "_VERSION_SECONDS", 0.2)
    slow = put_program(tmp_path, "exec sleep 60")
    begun = time.monotonic()

    assert program.identify_program("svg") == slow
    assert time.monotonic() - begun < 8


def test_what_a_slow_program_has_started_is_ended(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    put_program(tmp_path, f"sleep 60 & echo $! > {tmp_path}/started; wait")

    with pytest.raises(InputError, match="more time"):
        run_program("digraph {}", "svg", seconds=1)

    with pytest.raises(ProcessLookupError):
        for _ in range(50):
            os.kill(int((tmp_path / "started").read_text()), 0)
            time.sleep(0.1)


def test_program_that_writes_without_end_is_ended(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(program, "MOST_OUTPUT", 100_000)
    put_program(tmp_path, "exec yes '<svg>'")

    with pytest.raises(InputError, match="more memory than a picture may take"):
        run_program("digraph {}", "svg", seconds=20)


def test_program_that_reads_nothing_is_ended(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    put_program(tmp_path, "exec sleep 60")

    with pytest.raises(InputError, match="more time"):
        run_program("digraph {}" + 200_000 * " ", "svg", seconds=0.3)


def test_turn_is_not_waited_for_without_end(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(program, "_at_once", {False: threading.BoundedSemaphore(1)})
    monkeypatch.setattr(program, "_TURN_SECONDS", 0.1)
    put_program(tmp_path, "cat >/dev/null; echo '<svg>'")

    with program._at_once[False], pytest.raises(DebuggerError, match=r"Too many pictures .* Try again"):
        run_program("digraph {}", "svg")
    assert run_program("digraph {}", "svg")

"""Limits hold for good, so each test looks at them from inside a child process."""

from __future__ import annotations

import sys
import threading

import pytest

from debugger.engine.tools.child import limits
from debugger.engine.tools.sandbox import Limits, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")


@pytest.mark.parametrize("unsafe", [False, True])
def test_limits_are_set(unsafe: bool) -> None:
    code = """
import resource

def f():
    names = "RLIMIT_CPU", "RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE"
    return [resource.getrlimit(getattr(resource, name))[0] for name in names]
"""
    request = {"code": code, "name": "", "arguments": {}}

    answer = run(request, Limits(20), threading.Event(), unsafe=unsafe)

    assert answer.value == [21, 512_000_000, 16_000_000, 64, 0]


def test_limits_cannot_be_raised_in_the_sandbox() -> None:
    code = "import resource\ndef f(): resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000))"

    answer = run({"code": code, "name": "", "arguments": {}}, Limits(20), threading.Event())

    assert answer.error == "The code raised ValueError in line 2: not allowed to raise maximum limit."


@pytest.mark.parametrize("unsafe", [False, True])
def test_memory_beyond_the_limit_is_refused(unsafe: bool) -> None:
    code = "def f():\n  kept = []\n  while True:\n    kept.append(bytearray(1_000_000))\n"
    request = {"code": code, "name": "", "arguments": {}}

    answer = run(request, Limits(20, memory=100_000_000), threading.Event(), unsafe=unsafe)

    assert answer.error == "The code raised MemoryError in line 4 (it may use 100 MB)."


def test_limit_is_left_out_where_the_system_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "resource", None)

    limits.limit(cpu=1, memory=1)
    limits.lift_memory_limit()

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from debugger.store import process_identity
from debugger.store.process_identity import current_owner, has_ended, is_running

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux proves that a process has ended")

_CHILD = (
    "from debugger.store.process_identity import current_owner\n"
    "print(current_owner(), flush=True)\nimport sys\nsys.stdin.read()"
)


@pytest.fixture
def child():
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


def test_own_process_has_not_ended():
    assert not has_ended(current_owner())


def test_child_has_ended_once_it_is_killed(child):
    owner = child.stdout.readline().strip()
    while_running = has_ended(owner)

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    as_zombie = has_ended(owner)
    child.wait()

    assert (while_running, as_zombie, has_ended(owner)) == (False, True, True)


def test_process_of_this_machine_is_running_until_it_ends(child):
    owner = child.stdout.readline().strip()
    before = is_running(owner)

    child.kill()
    child.wait()

    assert (before, is_running(owner)) == (True, False)
    assert is_running(current_owner())
    assert not is_running("another/machine/1/2")


def test_process_with_a_reused_id_has_ended():
    boot, namespace, pid, started = current_owner().split("/")

    assert has_ended(f"{boot}/{namespace}/{pid}/{int(started) - 1}")


@pytest.mark.parametrize("place", [0, 1])
def test_foreign_process_has_not_provably_ended(place):
    parts = current_owner().split("/")
    parts[place], parts[2] = "another", "999999999"

    assert not has_ended("/".join(parts))


def test_owner_without_proc_is_random_and_never_ended(monkeypatch, tmp_path):
    monkeypatch.setattr(process_identity, "_PROC", tmp_path)
    process_identity._owner_of.cache_clear()
    try:
        owner = current_owner()
        assert "/" not in owner
        assert current_owner() == owner
        assert not has_ended(owner)
    finally:
        process_identity._owner_of.cache_clear()


def test_unreadable_owner_is_not_known_to_have_ended():
    boot, namespace, *_ = current_owner().split("/")

    assert not has_ended("")
    assert not has_ended(f"{boot}/{namespace}/nonsense/1")

from __future__ import annotations

import re
import time

import pytest

from tests.support.heartbeat import BUSY_SECONDS, measure, measure_prepared
from tests.support.hostile_inputs import CASES

_OFTEN = {
    "script rules: " + r"(\w+\s?)+$",
    "schema: patternProperties",
    "schema: shared value",
    "scenario: aliases",
    "scenario: deep lists",
    "scenario: numbers beside paths",
    "run file: keys below the limit",
    "sheet: cells",
    "sheet: bomb",
    *(name for name in CASES if "((a{999}){999}){9}" in name or "[)]" in name),
}
"""The cases that run each time, with the limit of a busy machine; all do in a campaign."""


def _spin(seconds: float) -> str:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return "done"


def _hold(length: int) -> bool:
    return re.search("(a+)+b", "a" * length) is None


def _fill(megabytes: int) -> int:
    return len(bytearray(b"x") * (megabytes * 1_000_000))


def test_a_held_lock_and_filled_memory_are_seen():
    held, filled = measure(_hold, 24), measure(_fill, 150)

    assert held.longest_gap > 0.3 and held.longest_gap > 0.9 * held.seconds, held
    assert 140 < filled.megabytes < 170, filled
    assert "without a beat" in held.problem() and "MB" in filled.problem()


def test_python_that_computes_lets_the_heart_beat():
    cost = measure(_spin, 0.5)

    # It ends by the processor time, of which a busy machine needs more for the same work.
    assert 0.1 <= cost.seconds < 0.6 and cost.longest_gap < 0.05, cost
    assert cost.result == "'done'" and cost.problem() == ""


def test_a_process_that_ends_is_told():
    cost = measure(_end)

    assert "exit code 3" in cost.result and cost.problem()


def _end() -> None:
    import os

    os._exit(3)


@pytest.mark.parametrize("name", sorted(_OFTEN))
def test_hostile_input_is_bounded(name):
    prepare, arguments = CASES[name]

    assert measure_prepared(prepare, *arguments).problem(seconds=BUSY_SECONDS) == ""


@pytest.mark.campaign
@pytest.mark.parametrize("name", CASES)
def test_hostile_input_costs_little(name):
    prepare, arguments = CASES[name]

    assert measure_prepared(prepare, *arguments).problem() == ""


def test_enough_is_attacked():
    assert len(CASES) >= 120 and set(CASES) >= _OFTEN

from __future__ import annotations

from random import Random

import pytest

from tests.faults.fault import CONNECTION, FRAME, TURN_FRAME
from tests.faults.http_faults import FAULTS
from tests.faults.other_client import ACTIONS
from tests.faults.plan import SHORT, STATUSES, draw

KINDS = {
    CONNECTION: {"refuse", "reset"},
    TURN_FRAME: {"lose", "duplicate", "delay", "cut", "close"},
    FRAME: {"lose", "duplicate", "silence", "half", "garbage", "cut", "close", "swap", "hold", "foreign run"},
}


def plan(channel, seed, turns):
    rng = Random(seed)
    return [draw(rng, channel, SHORT) for _ in range(turns)]


@pytest.mark.parametrize("channel", ["rest", "socket"])
def test_plan_repeats_for_a_seed(channel):
    assert plan(channel, "a", 50) == plan(channel, "a", 50) != plan(channel, "b", 50)


@pytest.mark.parametrize("channel", ["rest", "socket"])
def test_plan_has_every_status(channel):
    names = {strike.name for strike in plan(channel, "a", 4000)}

    if channel == "rest":
        assert {f"{name} {when}" for name in STATUSES for when in ("before", "after")} <= names
    assert {f"another client: {action}" for action in ACTIONS} <= names
    assert {"record lags (pairs)", "record lags (whole)", "server killed between claim and record"} <= names


@pytest.mark.parametrize("channel", ["rest", "socket"])
def test_plan_names_known_faults(channel):
    for fault in (fault for strike in plan(channel, "a", 4000) for fault in strike.faults):
        assert fault.kind in KINDS.get(fault.target, FAULTS)


@pytest.mark.parametrize("channel", ["rest", "socket"])
def test_first_turn_is_not_struck_through_its_run(channel):
    rng = Random("a")
    drawn = [draw(rng, channel, SHORT, is_first=True) for _ in range(500)]

    assert {strike.action for strike in drawn} == {"", "start"}


@pytest.mark.parametrize("channel", ["rest", "socket"])
def test_every_strike_does_something(channel):
    for strike in plan(channel, "a", 500):
        assert strike.faults or strike.action or strike.order or strike.restarts or strike.lag

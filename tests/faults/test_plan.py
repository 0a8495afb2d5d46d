from __future__ import annotations

from random import Random

import pytest

from tests.faults.fault import CONNECTION, FRAME, TURN_FRAME
from tests.faults.http_faults import FAULTS
from tests.faults.plan import SCALED_DOWN, draw

KINDS = {
    CONNECTION: {"refuse", "reset"},
    TURN_FRAME: {"lose", "duplicate", "delay", "cut", "close"},
    FRAME: {"lose", "duplicate", "silence", "half", "cut", "close"},
}


def plan(channel, seed, turns):
    rng = Random(seed)
    return [draw(rng, channel, SCALED_DOWN) for _ in range(turns)]


@pytest.mark.parametrize("channel", ["rest", "socket"])
def test_plan_repeats_for_a_seed(channel):
    assert plan(channel, "a", 50) == plan(channel, "a", 50) != plan(channel, "b", 50)


@pytest.mark.parametrize(("channel", "names"), [("rest", 38), ("socket", 40)])
def test_plan_of_a_campaign_has_every_strike(channel, names):
    strikes = plan(channel, "a", 2000)

    assert len({strike.name for strike in strikes}) == names
    for fault in (fault for strike in strikes for fault in strike.faults):
        assert fault.kind in KINDS.get(fault.target, FAULTS)


@pytest.mark.parametrize("channel", ["rest", "socket"])
def test_plan_strikes_unless_another_client_acts(channel):
    for strike in plan(channel, "a", 500):
        assert (strike.action in ("stop", "delete", "continue")) == ("another client" in strike.name)
        assert strike.faults_first == (", then " in strike.name)
        assert strike.faults or strike.action

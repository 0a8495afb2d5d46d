from __future__ import annotations

import pytest

from debugger.analysis.metrics import node_times, percent
from debugger.analysis.timeline import timeline
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput, TurnLog


def run(*spans, names=()):
    """Node runs one after the other, each a node and its seconds; between two a user thinks for a minute."""
    events, now = [], 1_700_000_000.0
    for node, seconds in spans:
        for kind, at in (("start_node_run", now), ("end_node_run", now + seconds)):
            events.append(
                parse_event(
                    {
                        "type": kind,
                        "timestamp": at,
                        "origin_thread_id": "0",
                        "origin_node_logical_id": node,
                    }
                )
            )
        now += seconds + 60
    return timeline([TurnLog(1, TurnInput(), events)], dict.fromkeys(names, "A node"))


def test_the_runs_of_a_node_are_added_up_and_shared_out():
    times = node_times(run(("ask", 1.0), ("look_up", 2.0), ("ask", 1.0)))

    assert times["ask"].total_ms == pytest.approx(2000, abs=1)
    assert {node: round(time.share, 3) for node, time in times.items()} == {"ask": 0.5, "look_up": 0.5}


def test_what_runs_inside_a_super_node_counts_for_it():
    times = node_times(run(("booking/ask", 1.0), ("booking/confirm", 3.0), names=["booking"]))

    assert list(times) == ["booking"]
    assert times["booking"].total_ms == pytest.approx(4000, abs=1)


def test_a_run_without_times_has_none():
    assert node_times([]) == {}


def test_runs_that_took_no_time_have_no_share():
    times = node_times(run(("ask", 0.0)))

    assert (times["ask"].total_ms, times["ask"].share) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("share", "told"), [(0, "0 %"), (0.0001, "<1 %"), (0.01, "1 %"), (0.426, "43 %"), (1, "100 %")]
)
def test_a_share_is_told_in_percent(share, told):
    assert percent(share) == told

from __future__ import annotations

import pytest

from debugger.analysis.thread_positions import Standing, may_go_on
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput, TurnLog
from tests.factories import say, static, when, workflow

COMPANION = {"origin_thread_id": "0_companion_lab"}
FORK = {"type": "companion_edge", "destination_node_logical_id": "poll", **COMPANION}
END = {"type": "end_thread", "last_node_logical_id": "poll", **COMPANION}
WAIT = {
    "type": "busy_wait_for_user_message",
    "origin_thread_id": "0",
    "origin_node_logical_id": "ask",
    "origin_node_run_id": "1",
}


def standing(*events):
    return Standing.after([TurnLog(1, TurnInput(), [parse_event(event) for event in events])])


def judged(enabled):
    return when("ask", "bye", "1 == 1", evaluate_while_waiting_config={"enabled": enabled})


def test_a_companion_that_has_not_ended_may_go_on():
    graph = workflow(say("ask"))

    assert may_go_on(standing(WAIT, FORK), graph, "waiting_for_user_input")
    assert may_go_on(standing(FORK), graph, "running")
    assert not may_go_on(standing(WAIT, FORK, END), graph, "waiting_for_user_input")


@pytest.mark.parametrize(("enabled", "expected"), [(True, True), (False, False)])
def test_a_condition_that_is_judged_while_the_run_waits_may_move_it(enabled, expected):
    graph = workflow(say("ask"), static("bye", "Bye"), judged(enabled))

    assert may_go_on(standing(WAIT), graph, "waiting_for_user_input") is expected


def test_only_the_edges_of_the_node_that_waits_count():
    graph = workflow(say("other"), say("ask"), static("bye", "Bye"), judged(True))
    elsewhere = {**WAIT, "origin_node_logical_id": "other"}

    assert not may_go_on(standing(elsewhere), graph, "waiting_for_user_input")


@pytest.mark.parametrize("status", ["not_started", "paused", "completed", "failed", "cancelled"])
def test_a_run_that_is_over_or_stands_still_has_nothing_to_go_on_with(status):
    assert not may_go_on(standing(WAIT, FORK), workflow(say("ask")), status)

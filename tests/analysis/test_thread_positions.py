from __future__ import annotations

import pytest

from debugger.analysis.event_fields import EventFields
from debugger.analysis.thread_positions import (
    InputHint,
    ThreadPositions,
    can_have_background_work,
    input_hint,
)
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from tests.support.factories import say, static, when, workflow


def apply(positions, event):
    positions.apply(EventFields(event))


def test_waiting_ends_with_a_user_message():
    wait = {"type": "busy_wait_for_user_message", "origin_thread_id": "0", "origin_node_logical_id": "chat"}
    standing = ThreadPositions()

    apply(standing, parse_event(wait))
    waited = standing.main.waiting is not None
    apply(standing, parse_event({"type": "user_messages", "origin_thread_id": "0"}))

    assert waited
    assert standing.main.waiting is None
    assert standing.main.node == "chat"


def test_next_node_until_it_starts():
    standing = ThreadPositions()
    apply(standing, parse_event({"type": "start_node_run", "origin_node_logical_id": "a"}))
    apply(
        standing,
        parse_event(
            {"type": "direct_edge", "source_node_logical_id": "a", "destination_node_logical_id": "b"}
        ),
    )
    between = (standing.main.node, standing.main.next_node)

    apply(standing, parse_event({"type": "start_node_run", "origin_node_logical_id": "b"}))

    assert between == ("a", "b")
    assert (standing.main.node, standing.main.next_node) == ("b", None)


def test_companion_edge_does_not_move_thread():
    hop = {"type": "companion_edge", "origin_thread_id": "0", "destination_node_logical_id": "worker"}
    standing = ThreadPositions()

    apply(
        standing,
        parse_event({"type": "start_node_run", "origin_thread_id": "0", "origin_node_logical_id": "say"}),
    )
    apply(standing, parse_event(hop))

    assert (standing.main.node, standing.main.next_node) == ("say", None)


def test_worker_beside_companion_does_not_move_it():
    thread, standing = {"origin_thread_id": "0_companion_lab"}, ThreadPositions()
    for event in (
        {"type": "companion_edge", "source_node_logical_id": "a", "destination_node_logical_id": "poll"},
        {"type": "start_node_run", "origin_node_logical_id": "poll"},
        {"type": "companion_edge", "source_node_logical_id": "poll", "destination_node_logical_id": "note"},
        {"type": "start_node_run", "origin_node_logical_id": "note"},
    ):
        apply(standing, parse_event({**event, **thread}))

    assert standing.companions["0_companion_lab"].node == "poll"


def test_companion_edge_starts_a_thread():
    standing = ThreadPositions()

    apply(
        standing,
        parse_event(
            {
                "type": "companion_edge",
                "origin_thread_id": "0_companion_lab",
                "source_node_logical_id": "fork",
                "destination_node_logical_id": "poll",
            }
        ),
    )

    assert standing.threads["0_companion_lab"].next_node == "poll"
    assert standing.main.next_node is None


def test_nobody_waits_once_the_run_has_failed():
    standing = ThreadPositions()

    apply(standing, parse_event({"type": "busy_wait_for_user_message", "origin_node_logical_id": "chat"}))
    apply(standing, parse_event({"type": "workflow_error", "error_message": "boom"}))

    assert standing.main.waiting is None
    assert standing.outcome == "failed"


def test_companions_exclude_ended_threads():
    standing = ThreadPositions()
    for name in ("lab", "mail"):
        thread = f"0_companion_{name}"
        apply(
            standing,
            parse_event(
                {"type": "start_node_run", "origin_thread_id": thread, "origin_node_logical_id": "a"}
            ),
        )

    apply(standing, parse_event({"type": "end_thread", "origin_thread_id": "0_companion_mail"}))

    assert list(standing.companions) == ["0_companion_lab"]
    assert standing.companions["0_companion_lab"].node == "a"


def test_companion_forked_again_has_not_ended():
    standing = ThreadPositions()
    for event in (
        {"type": "companion_edge", "source_node_logical_id": "a", "destination_node_logical_id": "poll"},
        {"type": "end_thread", "last_node_logical_id": "poll"},
        {"type": "companion_edge", "source_node_logical_id": "a", "destination_node_logical_id": "poll"},
    ):
        apply(standing, parse_event({**event, "origin_thread_id": "0_companion_lab"}))

    assert list(standing.companions) == ["0_companion_lab"]
    assert (
        standing.companions["0_companion_lab"].node,
        standing.companions["0_companion_lab"].next_node,
    ) == (
        None,
        "poll",
    )
    assert can_have_background_work(standing, workflow(static("a")), "running")


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
    return ThreadPositions.after([TurnLog(1, TurnInput(), [parse_event(event) for event in events])])


def judged(enabled):
    return when("ask", "bye", "1 == 1", evaluate_while_waiting_config={"enabled": enabled})


def test_background_work_of_a_companion():
    graph = workflow(say("ask"))

    assert can_have_background_work(standing(WAIT, FORK), graph, "waiting_for_user_input")
    assert can_have_background_work(standing(FORK), graph, "running")
    assert not can_have_background_work(standing(WAIT, FORK, END), graph, "waiting_for_user_input")


@pytest.mark.parametrize(("enabled", "expected"), [(True, True), (False, False)])
def test_background_work_of_a_waiting_condition(enabled, expected):
    graph = workflow(say("ask"), static("bye", "Bye"), judged(enabled))

    assert can_have_background_work(standing(WAIT), graph, "waiting_for_user_input") is expected


def test_background_work_of_other_nodes_edges():
    graph = workflow(say("other"), say("ask"), static("bye", "Bye"), judged(True))
    elsewhere = {**WAIT, "origin_node_logical_id": "other"}

    assert not can_have_background_work(standing(elsewhere), graph, "waiting_for_user_input")


@pytest.mark.parametrize("status", ["not_started", "paused", "completed", "failed", "cancelled"])
def test_background_work_needs_an_active_run(status):
    assert not can_have_background_work(standing(WAIT, FORK), workflow(say("ask")), status)


def test_a_waiting_node_is_named():
    hint = {
        "type": "busy_wait_for_user_message",
        "origin_node_logical_id": "order",
        "origin_node_name": "Order desk",
    }

    assert input_hint(hint, "waiting_for_user_input") == InputHint(
        "message", "Order desk", "Order desk waits for the user's message."
    )


def test_input_hint_falls_back_to_id():
    hint = {"type": "busy_wait_for_user_message", "origin_node_logical_id": "order", "origin_node_name": None}

    assert input_hint(hint, "waiting_for_user_input").who == "order"


def test_input_hint_without_an_event():
    assert input_hint(None, "waiting_for_user_input") == InputHint(
        "message", "", "The workflow waits for the user's message."
    )


def test_input_hint_of_an_unknown_kind():
    hint = {"type": "dtmf_input", "origin_node_name": "Menu"}

    assert input_hint(hint, "waiting_for_user_input").sentence == "Menu waits for 'dtmf input'."


def test_background_work_is_told_beside_the_wait():
    hint = {"type": "busy_wait_for_user_message", "origin_node_name": "Desk"}

    found = input_hint(hint, "waiting_for_user_input", has_background_work=True)

    assert found.kind == "message"
    assert "background work continues" in found.sentence


def test_input_hint_of_background_work_alone():
    assert input_hint(None, "running", has_background_work=True).kind == "background"


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled", "aborted_looping_risk"])
def test_input_hint_of_an_ended_run(status):
    found = input_hint({"type": "busy_wait_for_user_message"}, status)

    assert (found.kind, found.who) == ("ended", "")
    assert found.sentence.endswith("takes no more messages.")


@pytest.mark.parametrize(
    ("status", "word"), [("not_started", "not started"), ("paused", "paused"), ("running", "running")]
)
def test_input_hint_of_other_statuses(status, word):
    found = input_hint(None, status)

    assert found.kind == "none"
    assert word in found.sentence

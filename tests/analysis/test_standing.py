from __future__ import annotations

from debugger.analysis.thread_positions import Standing
from debugger.protocol.events import parse_event


def test_a_parked_thread_waits_until_the_user_speaks():
    wait = {"type": "busy_wait_for_user_message", "origin_thread_id": "0", "origin_node_logical_id": "chat"}
    standing = Standing()

    standing.take(parse_event(wait))
    waited = standing.main.waiting is not None
    standing.take(parse_event({"type": "user_messages", "origin_thread_id": "0"}))

    assert waited
    assert standing.main.waiting is None
    assert standing.main.node == "chat"


def test_after_a_hop_the_next_node_is_ahead_until_it_begins():
    standing = Standing()
    standing.take(parse_event({"type": "start_node_run", "origin_node_logical_id": "a"}))
    standing.take(
        parse_event(
            {"type": "direct_edge", "source_node_logical_id": "a", "destination_node_logical_id": "b"}
        )
    )
    between = (standing.main.node, standing.main.ahead)

    standing.take(parse_event({"type": "start_node_run", "origin_node_logical_id": "b"}))

    assert between == ("a", "b")
    assert (standing.main.node, standing.main.ahead) == ("b", None)


def test_a_companion_of_the_same_thread_does_not_move_it():
    hop = {"type": "companion_edge", "origin_thread_id": "0", "destination_node_logical_id": "worker"}
    standing = Standing()

    standing.take(
        parse_event({"type": "start_node_run", "origin_thread_id": "0", "origin_node_logical_id": "say"})
    )
    standing.take(parse_event(hop))

    assert (standing.main.node, standing.main.ahead) == ("say", None)


def test_a_forked_companion_is_a_thread_of_its_own():
    standing = Standing()

    standing.take(
        parse_event(
            {
                "type": "companion_edge",
                "origin_thread_id": "0_companion_lab",
                "source_node_logical_id": "fork",
                "destination_node_logical_id": "poll",
            }
        )
    )

    assert standing.threads["0_companion_lab"].ahead == "poll"
    assert standing.main.ahead is None


def test_nobody_waits_once_the_run_has_failed():
    standing = Standing()

    standing.take(parse_event({"type": "busy_wait_for_user_message", "origin_node_logical_id": "chat"}))
    standing.take(parse_event({"type": "workflow_error", "error_message": "boom"}))

    assert standing.main.waiting is None
    assert standing.outcome == "failed"


def test_companion_threads_are_those_that_have_not_ended():
    standing = Standing()
    for name in ("lab", "mail"):
        thread = f"0_companion_{name}"
        standing.take(
            parse_event({"type": "start_node_run", "origin_thread_id": thread, "origin_node_logical_id": "a"})
        )

    standing.take(parse_event({"type": "end_thread", "origin_thread_id": "0_companion_mail"}))

    assert list(standing.companions) == ["0_companion_lab"]
    assert standing.companions["0_companion_lab"].node == "a"

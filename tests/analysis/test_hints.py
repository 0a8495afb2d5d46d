from __future__ import annotations

import pytest

from debugger.analysis.thread_positions import InputHint, input_hint


def test_a_waiting_node_is_named():
    hint = {
        "type": "busy_wait_for_user_message",
        "origin_node_logical_id": "order",
        "origin_node_name": "Order desk",
    }

    assert input_hint(hint, "waiting_for_user_input") == InputHint(
        "message", "Order desk", "Order desk waits for the user's message."
    )


def test_a_node_without_a_name_goes_by_its_id():
    hint = {"type": "busy_wait_for_user_message", "origin_node_logical_id": "order", "origin_node_name": None}

    assert input_hint(hint, "waiting_for_user_input").who == "order"


def test_a_run_that_waits_without_a_hint_still_waits():
    assert input_hint(None, "waiting_for_user_input") == InputHint(
        "message", "", "The workflow waits for the user's message."
    )


def test_a_kind_of_hint_that_is_not_known_is_named():
    hint = {"type": "dtmf_input", "origin_node_name": "Menu"}

    assert input_hint(hint, "waiting_for_user_input").sentence == "Menu waits for 'dtmf input'."


def test_background_work_is_told_beside_the_wait():
    hint = {"type": "busy_wait_for_user_message", "origin_node_name": "Desk"}

    found = input_hint(hint, "waiting_for_user_input", has_background_work=True)

    assert found.kind == "message"
    assert "in the background" in found.sentence


def test_work_in_the_background_alone_asks_nothing_of_the_user():
    assert input_hint(None, "running", has_background_work=True).kind == "background"


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled", "aborted_looping_risk"])
def test_a_run_that_is_over_takes_no_message_even_with_a_stale_hint(status):
    found = input_hint({"type": "busy_wait_for_user_message"}, status)

    assert (found.kind, found.who) == ("ended", "")
    assert found.sentence.endswith("takes no more messages.")


@pytest.mark.parametrize(
    ("status", "word"), [("not_started", "not started"), ("paused", "paused"), ("running", "running")]
)
def test_a_run_that_neither_waits_nor_is_over_says_what_it_does(status, word):
    found = input_hint(None, status)

    assert found.kind == "none"
    assert word in found.sentence

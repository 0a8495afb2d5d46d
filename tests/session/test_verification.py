from __future__ import annotations

import pytest

from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.session.verification import UNCHECKED, Fidelity, compare, manual_changes


def turn(*events):
    return TurnLog(2, TurnInput(), [parse_event(event) for event in events])


def at(node, kind="start_node_run", **fields):
    return {"type": kind, "origin_node_logical_id": node, **fields}


def test_same_but_ids_and_times_is_verified():
    found = compare(
        turn(at("a", logical_id="event_1", timestamp=1)), turn(at("a", logical_id="event_2", timestamp=2))
    )

    assert (found.level, found.differences) == ("verified", ())


def test_other_words_on_same_path_are_approximate():
    found = compare(
        turn(at("a"), at("a", "assistant_response", content="Hello"), at("a", "busy_wait_for_user_message")),
        turn(at("a"), at("a", "assistant_response", content="Hi"), at("a", "busy_wait_for_user_message")),
    )

    assert found.level == "approximate"
    assert found.differences == ("assistant_response at a: content",)


@pytest.mark.parametrize(
    "other",
    [
        [at("b")],
        [at("a"), at("a", "busy_wait_for_user_message")],
        [
            {
                **at("a"),
                "type": "direct_edge",
                "source_node_logical_id": "a",
                "destination_node_logical_id": "b",
            }
        ],
    ],
)
def test_another_path_or_another_hint_differs(other):
    assert compare(turn(at("a")), turn(*other)).level == "differs"


@pytest.mark.parametrize(
    ("event", "word"),
    [
        ({"type": "workflow_debug_log", "debug_message": "x", "edits": [{"name": "x"}]}, "changed manually"),
        ({**at("a", "end_node_run"), "pinned": "pin_1"}, "pinned"),
        ({**at("a", "say_llm"), "llm_usage_info": {"response_model": "pinned"}}, "pinned"),
        ({**at("a", "end_node_run"), "fault": "fault_1"}, "pinned"),
        ({**at("a", "say_llm"), "llm_usage_info": {"response_model": "person"}}, "answered by the user"),
    ],
)
def test_manual_changes_are_given_as_reason(event, word):
    found = compare(turn(at("a"), event), turn(at("b")))

    assert manual_changes(turn(event)) == word
    assert found.level == "approximate"
    assert word in found.sentence


def test_turn_without_manual_changes_gives_none():
    assert manual_changes(turn(at("a"), {"type": "workflow_debug_log", "debug_message": "log"})) == ""


def test_replayed_inputs_are_never_verified():
    assert compare(turn(at("a")), turn(at("a")), "replayed").level == "replayed"


def test_fidelity_round_trips_as_json():
    found = Fidelity("differs", "Why.", ("one", "two"))

    assert Fidelity.from_json(found.to_json()) == found
    assert Fidelity.from_json(None) == UNCHECKED


def test_rebuilt_turn_may_start_and_count_from_1():
    original = turn(at("a", origin_node_run_id="3"))
    rebuilt = turn({"type": "start_workflow"}, {"type": "start_thread"}, at("a", origin_node_run_id="1"))

    assert compare(original, rebuilt, "rebuilt").level == "verified"
    assert compare(original, rebuilt).level == "approximate"

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debugger.errors import InputError
from debugger.protocol.events import EVENT_TYPES, Event, SelfLoopExhaustedEvent, parse_event, reference_id

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)

WIRE_TYPES = [
    "start_workflow",
    "end_workflow",
    "end_workflow_iteration",
    "workflow_ready_for_input",
    "companion_step_boundary",
    "waiting_evaluation_boundary",
    "start_thread",
    "pause_thread",
    "end_thread",
    "workflow_debug_log",
    "workflow_warning",
    "workflow_error",
    "workflow_show_state",
    "start_node_run",
    "end_node_run",
    "user_messages",
    "busy_wait_for_user_message",
    "pause_event",
    "force_transfer_to_node",
    "worker_llm",
    "say_llm",
    "condition_evaluator_llm",
    "discarded_main_llm",
    "say_static",
    "assistant_response",
    "workflow_navigation_message",
    "node_expired",
    "start_conversation",
    "end_conversation",
    "send_sms",
    "google_docs_create_document",
    "google_docs_get_document",
    "google_docs_update_document",
    "http_request",
    "athena",
    "direct_edge",
    "self_loop_edge",
    "companion_edge",
    "self_loop_delay",
    "self_loop_exhausted",
    "conditional_edge",
    "reverse_conditional_edge",
    "waiting_condition_matched",
    "guardrail_escalation_edge",
]


def test_all_44_types_of_the_wire_are_known_and_no_other():
    assert len(WIRE_TYPES) == 44
    assert set(EVENT_TYPES) == set(WIRE_TYPES)


@pytest.mark.parametrize("event_type", WIRE_TYPES)
def test_every_event_says_itself_in_one_line(event_type):
    event = parse_event({"type": event_type, "companion_thread_id": "0_companion_x"})

    assert type(event) is EVENT_TYPES[event_type]
    assert event.summary
    assert "\n" not in event.summary


@given(event_type=st.sampled_from([*WIRE_TYPES, "not_invented_yet"]), extra=st.dictionaries(st.text(), JSON))
def test_an_event_is_written_back_byte_for_byte(event_type, extra):
    wire = {**extra, "timestamp": 1785200000, "type": event_type}
    text = json.dumps(wire, ensure_ascii=False)

    event = _parse_or_none(json.loads(text))

    if event is not None:
        assert json.dumps(event.to_wire(), ensure_ascii=False) == text


def test_an_unknown_type_keeps_its_fields():
    event = parse_event({"type": "from_next_year", "payload": {"a": [1, None]}, "logical_id": "event_1"})

    assert type(event) is Event
    assert event.logical_id == "event_1"
    assert event.to_wire()["payload"] == {"a": [1, None]}


def test_a_known_type_with_an_impossible_value_becomes_a_bare_event():
    event = parse_event({"type": "self_loop_exhausted", "outcome": "nope", "total_attempts": 3})

    assert type(event) is Event
    assert event.to_wire()["outcome"] == "nope"


def test_an_event_made_here_has_every_field_of_its_type_on_the_wire():
    event = SelfLoopExhaustedEvent(outcome="max_retries", total_attempts=4, edge_run_id="1")

    wire = event.to_wire()

    assert wire["type"] == "self_loop_exhausted"
    assert {"logical_id", "comments", "interrupted", "edge_name", "reason", "outcome"} <= set(wire)
    assert parse_event(wire) == event


@pytest.mark.parametrize("event_type", WIRE_TYPES)
def test_an_event_made_here_is_what_is_read_of_its_wire_object(event_type):
    cls = EVENT_TYPES[event_type]
    needed = {name: "x" for name, field in cls.declared_fields.items() if field.is_required}
    made, other = cls(logical_id="event_1", **needed), cls(**needed)

    read = cls.from_wire(json.loads(json.dumps(made.to_wire())))

    assert made == read
    assert list(made.to_wire()) == list(cls.declared_fields)
    assert made.comments is not other.comments


@pytest.mark.parametrize("odd", [pytest.param(10**400, id="huge"), [], [[1]], {}, True, 3, "text"])
def test_event_with_odd_inner_values_has_summary(odd):
    for event in (
        {"type": "end_workflow_iteration", "iteration_metrics": {"e2e_latency_milliseconds": odd}},
        {"type": "end_node_run", "run_output": {"structured_output": odd}},
        {"type": "say_llm", "message": {"type": "ai", "content": "Hi", "tool_calls": odd}},
    ):
        assert parse_event(event).summary


def test_a_copy_of_an_event_made_here_has_the_same_wire_object():
    event = SelfLoopExhaustedEvent(total_attempts=4)

    again = pickle.loads(pickle.dumps(event))

    assert again == event
    assert again.to_wire() == event.to_wire()


def test_an_event_without_a_type_is_refused_by_name():
    with pytest.raises(InputError, match="type"):
        parse_event({"logical_id": "event_1"})


def test_a_node_that_failed_counts_as_a_failure():
    failed = parse_event(
        {"type": "end_node_run", "run_output": {"success": False, "error_message": "no such id"}}
    )
    fine = parse_event({"type": "end_node_run", "run_output": {"success": True}})

    assert failed.has_failed
    assert "no such id" in failed.summary
    assert not fine.has_failed


def test_a_companion_is_known_by_what_follows_the_last_companion_mark():
    assert reference_id("0_companion_labpoll") == "labpoll"
    assert reference_id("0") == "0"
    assert reference_id(None) is None


def _parse_or_none(wire):
    """The event, or None where a random field of all events has a value that it cannot have."""
    try:
        return parse_event(wire)
    except InputError:
        return None

from __future__ import annotations

import pytest

from debugger.analysis.event_fields import (
    EventFields,
    fields_of,
    iso_utc,
    node_name_of,
    node_of,
    thread_id_of,
    time_of,
    values_of,
)
from debugger.analysis.trouble import classify_trouble
from debugger.protocol.events import parse_event, reference_id


def test_values_are_read_whatever_the_class():
    known = parse_event({"type": "assistant_response", "content": "Hi"})
    unknown = parse_event({"type": "whisper", "content": "Hi"})

    assert values_of(known).content == values_of(unknown).content == "Hi"
    assert values_of(unknown).llm_usage_info.total_tokens == 0


@pytest.mark.parametrize(
    ("data", "node"),
    [
        ({"type": "start_node_run", "origin_node_logical_id": "node_a"}, "node_a"),
        ({"type": "conditional_edge", "source_node_logical_id": "node_a", "args_filled": None}, "node_a"),
        ({"type": "end_thread", "last_node_logical_id": "node_a"}, "node_a"),
        ({"type": "waiting_evaluation_boundary", "parked_node_logical_id": "node_a"}, "node_a"),
        ({"type": "start_node_run", "origin_node_logical_id": None}, None),
        ({"type": "whisper", "origin_node_logical_id": 7}, None),
        ({"type": "end_workflow"}, None),
    ],
)
def test_node_of_reads_every_field(data, node):
    assert node_of(parse_event(data)) == node


def test_thread_of_an_old_record():
    event = parse_event({"type": "start_thread", "origin_thread_id": "0_companion_lab"})

    assert thread_id_of(event) == "0_companion_lab"
    assert EventFields(event).thread == "lab"


def test_thread_of_a_run_event_is_none():
    assert EventFields(parse_event({"type": "end_workflow", "origin_thread_id": None})).thread is None


@pytest.mark.parametrize("timestamp", [0.0, -5.0, float("nan"), float("inf"), 1785200000000.0])
def test_time_of_rejects_invalid_dates(timestamp):
    assert time_of(parse_event({"type": "end_workflow", "timestamp": timestamp})) is None


def test_iso_utc_has_milliseconds():
    assert iso_utc(1785200001.5) == "2026-07-28T00:53:21.500Z"
    assert iso_utc(None) == ""


@pytest.mark.parametrize("time", [0, -1.0, 1e15, float("nan")])
def test_iso_utc_of_no_valid_date_is_empty(time):
    assert iso_utc(time) == ""


@pytest.mark.parametrize(
    "data",
    [
        {
            "type": "start_node_run",
            "origin_node_logical_id": "ask",
            "origin_node_name": "Ask",
            "timestamp": 5.5,
        },
        {"type": "direct_edge", "source_node_logical_id": "ask", "source_node_name": "Ask"},
        {"type": "direct_edge", "source_node_logical_id": "ask", "origin_node_logical_id": "booking"},
        {"type": "companion_step_boundary", "companion_thread_id": "0_companion_lab"},
        {"type": "workflow_warning", "origin_thread_id": "0_companion_lab", "timestamp": -1.0},
        {"type": "workflow_warning", "trouble": {"kind": "model", "node": "ask"}},
        {"type": "workflow_warning", "trouble": None},
        {"type": "whisper", "origin_node_logical_id": 7, "origin_node_name": "Ask"},
        {"type": "end_workflow"},
    ],
)
def test_event_fields_equal_single_reads(data):
    event = parse_event(data)

    (facts,) = fields_of([event])

    assert (facts.event, facts.type, facts.trouble) == (event, event.type, classify_trouble(event))
    assert (facts.node, facts.node_name) == (node_of(event), node_name_of(event))
    assert facts.thread_id == thread_id_of(event)
    assert facts.thread == (event.thread_reference_id or reference_id(facts.thread_id))
    assert facts.time == time_of(event)

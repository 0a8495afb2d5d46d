from __future__ import annotations

import pytest

from debugger.analysis.event_fields import facts_of, node_name_of, node_of, thread_id_of, thread_of, time_of
from debugger.protocol.events import parse_event


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
        {"type": "whisper", "origin_node_logical_id": 7, "origin_node_name": "Ask"},
        {"type": "end_workflow"},
    ],
)
def test_the_facts_of_an_event_are_those_that_asking_for_each_would_give(data):
    event = parse_event(data)

    (facts,) = facts_of([event])

    assert (facts.event, facts.type, facts.is_failure) == (event, event.type, event.is_failure)
    assert (facts.node, facts.node_name) == (node_of(event), node_name_of(event))
    assert (facts.thread_id, facts.thread) == (thread_id_of(event), thread_of(event))
    assert facts.time == time_of(event)

from __future__ import annotations

import json

import pytest

from debugger.protocol.events import (
    AssistantResponseEvent,
    EndWorkflowIterationEvent,
    Event,
    WorkflowShowStateEvent,
    parse_event,
)
from debugger.server.streaming.frames import MAX_FRAME, CloseSocket, event_frame, read_frame

LONG = "ä" * MAX_FRAME


def sent(event):
    frame = event_frame(event, 7)
    assert len(frame.encode()) <= MAX_FRAME
    data = json.loads(frame)
    assert data.pop("frame_number") == 7
    return data


def test_an_event_goes_out_as_it_is():
    event = AssistantResponseEvent(content="Hello", logical_id="event_1", timestamp=1.5)

    assert sent(event) == event.to_wire()


def test_event_frame_drops_repeated_long_turn():
    pair = {"run_output": {"events": [{"text": LONG}]}}
    event = EndWorkflowIterationEvent(
        iteration_number=3, run_input_output_pair=pair, iteration_metrics={"llm_call_count": 2}
    )

    told = sent(event)

    assert told["run_input_output_pair"] is None
    assert (told["iteration_number"], told["iteration_metrics"]) == (3, {"llm_call_count": 2})
    assert told["truncated"] is True


def test_event_frame_cuts_long_texts():
    event = WorkflowShowStateEvent(runtime_variables={"short": "kept", "deep": [{"text": LONG}]})

    told = sent(event)

    assert told["runtime_variables"]["short"] == "kept"
    assert told["runtime_variables"]["deep"][0]["text"].startswith("äää")
    assert told["truncated"] is True


def test_event_frame_empties_largest_fields_first():
    event = WorkflowShowStateEvent(
        thread_id="0",
        runtime_variables={str(number): number for number in range(200_000)},
        workflow_runtime_variables={"a": 1},
    )

    told = sent(event)

    assert told["runtime_variables"] == {}
    assert (told["thread_id"], told["workflow_runtime_variables"]) == ("0", {"a": 1})


def test_event_frame_keeps_envelope():
    event = parse_event(
        {"type": "odd", "logical_id": "event_1", **{f"key_{number}": number for number in range(200_000)}}
    )

    assert isinstance(event, Event)
    assert sent(event)["logical_id"] == "event_1"


@pytest.mark.parametrize("number", [0, -1, 1.0, "1", True, [1]])
def test_read_frame_rejects_invalid_turn_number(number):
    given = {"workflow_id": "665f00000000000000000001", "expected_turn_number": number}

    with pytest.raises(CloseSocket, match="expected_turn_number") as refused:
        read_frame({"type": "websocket.receive", "text": json.dumps(given)}, limit=1_000)

    assert refused.value.code == 4422


def test_read_frame_removes_turn_number_from_input():
    given = {"workflow_id": "665f00000000000000000001", "expected_turn_number": 3}

    frame = read_frame({"type": "websocket.receive", "text": json.dumps(given)}, limit=1_000)

    assert frame.expected_turn_number == 3
    assert frame.turn_input.to_wire() == {"workflow_id": "665f00000000000000000001"}


@pytest.mark.parametrize("run_id", [None, "665f00000000000000000002"])
def test_a_frame_is_a_turn(run_id):
    given = {"workflow_id": "665f00000000000000000001", "workflow_run_id": run_id, "command": "data"}

    frame = read_frame({"type": "websocket.receive", "text": json.dumps(given)}, limit=1_000)

    assert frame.turn_input.to_wire() == given
    assert not frame.is_stop
    assert not frame.cancelled.is_set()

from __future__ import annotations

import json

import pytest

from debugger.errors import (
    ConflictError,
    InputError,
    NotFoundError,
    NotStartableError,
    RateLimitError,
    RerunTokenError,
    RunEndedError,
    StoreError,
    UnsupportedError,
)
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


def test_read_frame_rejects_deep_nesting():
    text = '{"workflow":' * 1_000 + "1" + "}" * 1_000

    with pytest.raises(CloseSocket, match="nested too deeply") as closing:
        read_frame({"text": text}, limit=100_000)

    assert closing.value.code == 4422


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


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (InputError("bad"), 4422, "bad"),
        (NotFoundError("gone"), 4404, "gone"),
        (RunEndedError("Run 1 is over."), 4404, "Session not found"),
        (ConflictError("busy"), 4409, "busy"),
        (RateLimitError("too many"), 4429, "too many"),
        (RerunTokenError("used up"), 4007, "used up"),
        (NotStartableError("No start node found"), 1011, "No start node found"),
        (UnsupportedError("not here"), 1011, "not here"),
        (StoreError("sqlite:////srv/secret.sqlite3 is locked"), 1011, "Service unavailable"),
    ],
)
def test_close_has_status_and_message_of_error(error, code, reason):
    closing = CloseSocket.for_error(error)

    assert (closing.code, closing.reason) == (code, reason)


def test_reason_shows_no_secret():
    error = InputError("The call of https://tea.example/?api_key=k-4711-zzyx is refused.")

    reason = CloseSocket.for_error(error).reason

    assert "k-4711" not in reason
    assert reason.startswith("The call of https://tea.example")


@pytest.mark.parametrize("letter", ["a", "ü", "語"])
def test_a_reason_fits_into_a_close_frame(letter):
    reason = CloseSocket(1011, letter * 200).reason

    assert len(reason.encode()) <= 123
    assert reason.startswith(letter * 40)
    assert reason.endswith("…")


def test_short_close_reason_is_unchanged():
    assert CloseSocket(1011, "a" * 123).reason == "a" * 123

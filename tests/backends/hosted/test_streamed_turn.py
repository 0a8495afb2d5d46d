"""Turns over a socket: what is sent, which frames are believed, and what follows a loss."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from starlette.websockets import WebSocketDisconnect

from debugger.errors import (
    AuthenticationError,
    InputError,
    NotExecutedError,
    NotFoundError,
    NotStartableError,
    OutcomeUnknownError,
    RateLimitError,
    RunEndedError,
    TurnNotStoredError,
)
from debugger.protocol.runs import TurnInput
from tests.backends.hosted.peer import backend_of, first_turn, later_turn
from tests.backends.hosted.records import RUN, WORKFLOW, Records, event, turn_events
from tests.backends.hosted.socket_peer import ABORT, SILENT, acknowledgement, serving

OTHER = "665f0c2b9a3e4d5f6a7b8c99"
SAID, WAITS, ENDED, READY = turn_events(RUN, 1)
TURN = ("ack", 0, 1, 2, 3)


@pytest.fixture
def peer():
    with serving() as peer:
        yield peer


@pytest.fixture
def hosted(peer):
    with backend_of(peer) as backend:
        yield backend


def put_on_record(peer, *events, status="waiting_for_user_input"):
    """Let the record of the run's last turn be something else than was executed."""
    run = peer.records.runs[RUN]
    run["input_output_pairs"][-1]["run_output"]["events"] = list(events)
    run["status"] = status


# What is sent


def test_turn_is_one_flat_frame(peer, hosted):
    given = TurnInput.with_message("Hello", run_by="qa", dynamic_variables={"shop": "Leaf"})

    hosted.execute(WORKFLOW, given, version_number=2).finish()

    frame = peer.frames[0]
    assert (frame["workflow_id"], frame["command"], frame["run_by"]) == (WORKFLOW, "start", "qa")
    assert (frame["version_number"], frame["dynamic_variables"]) == (2, {"shop": "Leaf"})
    assert frame["thread_to_node_inputs"]["0"]["node_run_inputs"][0]["messages"][0]["content"] == "Hello"
    assert frame["miscellaneous"]["client_turn_id"]
    assert "run_input" not in frame
    assert peer.posted == []


def test_secrets_are_not_sent(peer, hosted):
    hosted.execute(WORKFLOW, TurnInput.from_wire({"secret_variables": {"pin": "pin-1234"}})).finish()

    assert "pin-1234" not in str(peer.frames)
    assert peer.frames[0]["thread_to_node_inputs"] == {"0": {"node_run_inputs": []}}


# What is received


def test_events_come_as_they_happen(peer, hosted):
    received = threading.Event()

    async def talk(socket, frame):
        peer.records.execute(frame)
        await socket.send_json(acknowledgement(RUN))
        await socket.send_json(SAID)
        assert await asyncio.to_thread(received.wait, 5)
        for rest in (WAITS, ENDED, READY):
            await socket.send_json(rest)

    peer.script.append(talk)
    stream = first_turn(hosted)
    first = next(stream)
    received.set()

    assert first.to_wire() == SAID
    assert [event.to_wire() for event in stream] == [WAITS, ENDED, READY]
    result = stream.result
    assert (result.run_id, result.status, result.turn_number) == (RUN, "waiting_for_user_input", 1)
    assert (result.is_waiting_for_input, result.is_completed, result.error) == (True, False, None)
    assert (result.next_input_hint, result.events) == (WAITS, [SAID, WAITS, ENDED, READY])
    assert (result.has_active_companions, result.has_background_work) == (False, False)
    assert hosted.capabilities.reason_against("live_events") is None
    assert (peer.requested, stream.progress.record) == ([RUN], None)  # neither names the other


def test_run_that_is_over_is_completed(peer, hosted):
    peer.says("ack", 0, 2, event("end_workflow", 5), close=(1000,))

    result = first_turn(hosted).finish()

    assert (result.status, result.is_completed, result.next_input_hint) == ("completed", True, None)


def test_failed_run_has_its_error(peer, hosted):
    failure = event("workflow_error", 9, error_message="No way out")

    async def fail(socket, frame):
        peer.records.execute(frame)
        put_on_record(peer, SAID, failure, status="failed")
        for part in (acknowledgement(RUN), SAID, failure):
            await socket.send_json(part)

    peer.script.append(fail)

    result = first_turn(hosted).finish()

    assert (result.status, result.error, result.turn_number) == ("failed", "No way out", 1)


def test_failed_turn_needs_no_record(peer, hosted):
    peer.records.add_run("Hello")
    peer.says("ack", 0, event("workflow_error", 9, error_message="No way out"))
    stream = later_turn(hosted)

    result = stream.finish()

    assert (result.status, result.error, result.turn_number) == ("failed", "No way out", 2)
    assert (peer.requested, stream.progress.record) == ([], None)


def test_pause_ends_the_turn(peer, hosted):
    peer.says("ack", event("pause_thread", 8), 2)

    result = first_turn(hosted).finish()

    assert (result.status, result.is_waiting_for_input, result.is_completed) == ("paused", False, False)


def test_unknown_event_types_are_passed_on(peer, hosted):
    odd = event("future", 7, more={"a": [1]})
    peer.says("ack", odd, 2, 3)

    assert first_turn(hosted).finish().events[0] == odd


def test_frame_numbers_are_no_part_of_the_event(peer, hosted):
    peer.numbers_frames = True

    stream = first_turn(hosted)

    assert [event.to_wire() for event in stream] == stream.result.events == [SAID, WAITS, ENDED, READY]
    assert stream.progress.record is None


# Frames that are not believed: the record is read, once, and what it holds is yielded to its end


@pytest.mark.parametrize(
    "parts",
    [
        ("ack", 0, 0),
        ("ack", {**SAID, "frame_number": 1}, {**ENDED, "frame_number": 3}),
        ("ack", {**SAID, "frame_number": 1}, {**SAID, "frame_number": 1}),
        ("ack", 0, {**ENDED, "iteration_number": 2}),
        ("ack", 0, 1, 3),
        ("ack", 0, 1, 2),
        ("ack", 0, "nonsense"),
        ("ack", 0, "[1]"),
        ("ack", 0, '{"type": "say_llm", "timestamp": "soon"}'),
        ("ack", 0, b"\x81\x7e\x10\x00{", ABORT),
        ("ack", 0, b"\x81\x05\xff\xfe{{{"),
        ("ack", 0, ABORT),
        ("ack", ABORT),
        (ABORT,),
        ("ack", {**SAID, "truncated": True}, 1, 2, 3),
        ({"message": "started"},),
    ],
    ids=[
        "event-twice",
        "frame-lost",
        "frame-twice",
        "other-number",
        "no-number",
        "no-ready",
        "no-json",
        "no-object",
        "bad-event",
        "half-frame",
        "no-utf8",
        "cut",
        "cut-after-acknowledgement",
        "cut-before-acknowledgement",
        "truncated",
        "no-run",
    ],
)
def test_unusable_frames_are_replaced_by_the_record(peer, hosted, parts):
    peer.says(*parts)
    stream = first_turn(hosted)

    ids = [event.logical_id for event in stream]

    assert sorted(ids) == [wire["logical_id"] for wire in (SAID, WAITS, ENDED, READY)]
    assert stream.result.events == [SAID, WAITS, ENDED, READY]
    assert (stream.run_id, stream.result.turn_number) == (RUN, 1)
    assert len(stream.progress.record.turns) == 1
    assert (stream.progress.phase, stream.progress.message) == ("executing", "")
    assert (len(peer.frames), peer.posted, len(peer.records.executed)) == (1, [], 1)
    assert peer.all_closed.wait(2)


def test_events_of_an_earlier_turn_are_not_shown(peer, hosted):
    first_turn(hosted).finish()
    peer.says("ack", SAID)

    stream = later_turn(hosted)

    assert [event.to_wire() for event in stream] == turn_events(RUN, 2)


def test_acknowledgement_of_another_run_is_not_believed(peer, hosted):
    peer.records.add_run("Hello")
    peer.says("ack", 0, run_id=OTHER)

    stream = later_turn(hosted)

    assert [event.to_wire() for event in stream] == turn_events(RUN, 2)
    assert stream.run_id == RUN


@pytest.mark.parametrize("returns_ids", [True, False])
@pytest.mark.parametrize("is_there", [True, False])
def test_acknowledgement_of_a_run_of_others_is_not_believed(peer, hosted, is_there, returns_ids):
    """All events came, and the acknowledgement before them named another client's run, or none."""
    peer.records = Records(returns_ids=returns_ids)
    if is_there:
        peer.records.add_run("Bonjour", run_id=OTHER)
    peer.says("ack", 0, 1, 2, 3, run_id=OTHER)

    stream = first_turn(hosted)
    stream.finish()

    assert (stream.run_id, stream.result.events) == (RUN, [SAID, WAITS, ENDED, READY])
    assert len(peer.frames) == 1


def test_first_turn_rejects_acknowledged_old_run(peer, hosted):
    first_turn(hosted).finish()
    peer.says("ack", 0, run_id=RUN)

    stream = first_turn(hosted)
    stream.finish()

    assert stream.run_id == f"{1:024x}"


@pytest.mark.parametrize(
    "close", [(1000,), (1001,), (1011, "keepalive ping timeout"), (1012,), (4401, "late")]
)
def test_close_during_the_turn_is_reconciled(peer, hosted, close):
    peer.says("ack", 0, close=close)
    stream = first_turn(hosted)

    events = [event.to_wire() for event in stream]

    assert events == [SAID, WAITS, ENDED, READY] == stream.result.events
    assert (len(peer.frames), peer.posted, peer.requested) == (1, [], [RUN])


@pytest.mark.parametrize("close", [(1001,), (1011, "failed")])
def test_close_before_the_acknowledgement_is_reconciled(peer, hosted, close):
    peer.records.add_run("Hello")
    peer.says(close=close)

    assert later_turn(hosted).finish().turn_number == 2
    assert len(peer.frames) == 1


def test_silence_is_reconciled(peer):
    peer.says("ack", 0, SILENT)
    with backend_of(peer, timeout=0.3) as backend:
        assert first_turn(backend).finish().turn_number == 1


def test_turn_recorded_later_is_awaited(peer):
    async def talk(socket, frame):
        threading.Timer(0.3, peer.records.execute, [frame, RUN]).start()
        await socket.send_json(acknowledgement(RUN))
        await socket.close(1012)
        raise WebSocketDisconnect

    peer.script.append(talk)

    with backend_of(peer, reconciliation_timeout=5) as backend:
        assert first_turn(backend).finish().run_id == RUN


def test_acknowledged_first_turn_without_a_record_is_unknown(peer, hosted):
    peer.says(acknowledgement(RUN), close=(1012,), executes=False)

    with pytest.raises(OutcomeUnknownError, match="1012"):
        first_turn(hosted).finish()

    assert len(peer.frames) == 1


def test_turn_not_recorded_is_not_executed(peer, hosted):
    peer.records.add_run("Hello")
    peer.says("ack", SAID | {"logical_id": "lost"}, close=(1012,), executes=False)

    with pytest.raises(NotExecutedError):
        later_turn(hosted).finish()

    assert peer.posted == []


# Refusals


@pytest.mark.parametrize(
    ("code", "reason", "error"),
    [
        (4006, "no state", InputError),
        (4401, "expired", AuthenticationError),
        (4404, "Session not found", RunEndedError),
        (4404, "There is no such workflow.", NotFoundError),
        (4422, "bad", InputError),
        (1011, "No start node found", NotStartableError),
    ],
)
def test_refused_turn_is_raised_by_its_kind(peer, hosted, code, reason, error):
    peer.records.add_run("Hello")
    peer.says(close=(code, reason), executes=False)
    began = time.monotonic()

    with pytest.raises(error) as raised:
        later_turn(hosted).finish()

    assert type(raised.value) is error
    assert time.monotonic() - began < 0.3
    assert (peer.posted, len(peer.frames)) == ([], 1)


@pytest.mark.parametrize("parts", [(), (acknowledgement(RUN), {**SAID, "logical_id": "new"})])
def test_turn_that_ran_and_is_not_stored_is_told(peer, hosted, parts):
    peer.records.add_run("Hello")
    peer.says(*parts, close=(4409, "turn_not_stored: The turn ran."), executes=False)

    with pytest.raises(TurnNotStoredError, match=r"^The turn ran"):
        later_turn(hosted).finish()

    assert len(peer.frames) == 1


def test_refused_turn_on_record_is_result(peer, hosted):
    peer.records.add_run("Hello")
    peer.says(close=(4422, "taken"))

    assert later_turn(hosted).finish().turn_number == 2


def test_rate_limit_of_a_socket_is_waited_for(peer, hosted, monkeypatch):
    monkeypatch.setattr("debugger.backends.hosted.turns.RESEND_WAIT", 0.02)
    for _ in range(2):
        peer.says(close=(4429, "too many"), executes=False)

    assert first_turn(hosted).finish().turn_number == 1
    ids = {frame["miscellaneous"]["client_turn_id"] for frame in peer.frames}
    assert (len(peer.frames), len(ids)) == (3, 1)


def test_rate_limit_of_a_socket_is_given_up(peer, hosted, monkeypatch):
    monkeypatch.setattr("debugger.backends.hosted.turns.RESEND_WAIT", 0.02)
    for _ in range(4):
        peer.says(close=(4429, "too many"), executes=False)

    with pytest.raises(RateLimitError, match="too many"):
        first_turn(hosted).finish()

    assert len(peer.frames) == 4


# Stopping


@pytest.mark.parametrize("run_id", [None, RUN])
@pytest.mark.parametrize("is_acknowledged", [True, False])
def test_stopped_turn_is_read_from_record(peer, hosted, run_id, is_acknowledged):
    cancelled = threading.Event()
    if run_id is not None:
        peer.records.add_run("Hello")

    async def talk(socket, frame):
        peer.records.begin(frame, run_id)
        if is_acknowledged:
            await socket.send_json(acknowledgement(RUN))
            await socket.send_json({"type": "start_thread", "logical_id": "event_first"})
        else:
            cancelled.set()
        peer.frames.append(await socket.receive_json())
        peer.records.stop(RUN)

    peer.script.append(talk)
    turn = first_turn if run_id is None else later_turn
    stream = turn(hosted, cancelled=cancelled)
    if is_acknowledged:
        assert next(stream).type == "start_thread"
        cancelled.set()

    result = stream.finish()

    assert (result.status, result.is_completed, result.run_id) == ("cancelled", True, RUN)
    stop = {"command": "stop", "workflow_id": WORKFLOW}
    assert peer.frames[1] == stop | ({"workflow_run_id": RUN} if is_acknowledged or run_id else {})
    assert stream.progress.record.run.status == "cancelled"


def test_stop_not_sent_by_socket_is_requested(peer, hosted):
    cancelled = threading.Event()

    async def talk(socket, frame):
        peer.records.begin(frame)
        await socket.send_json(acknowledgement(RUN))
        cancelled.set()
        await socket.receive_json()

    peer.script.append(talk)

    result = first_turn(hosted, cancelled=cancelled).finish()

    assert result.status == "cancelled"
    assert peer.posted[0]["run_input"]["command"] == "stop"


def test_turn_stopped_before_sending_is_not_sent(peer, hosted):
    cancelled = threading.Event()
    cancelled.set()

    with pytest.raises(NotExecutedError):
        first_turn(hosted, cancelled=cancelled).finish()

    assert (peer.frames, peer.posted) == ([], [])


def test_acknowledged_run_is_searched_later(peer, hosted):
    """Another client's run has the same words, and records return no ids."""
    peer.says(acknowledgement(RUN), close=(1012,), executes=False)
    stream = first_turn(hosted)
    with pytest.raises(OutcomeUnknownError):
        stream.finish()
    peer.records = Records(returns_ids=False)
    peer.records.execute(peer.frames[0], RUN)
    peer.records.add_run("Hello", run_id=OTHER)

    found = hosted.find_turn(WORKFLOW, stream.progress.sent)

    assert (found.state, found.run_id) == ("finished", RUN)


def test_first_frame_names_no_run(peer, hosted):
    given = TurnInput.with_message("Hello", workflow_run_id=OTHER)

    hosted.execute(WORKFLOW, given).finish()

    assert OTHER not in str(peer.frames[0])

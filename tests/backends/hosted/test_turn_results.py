"""Background work on the hosted API."""

from __future__ import annotations

import threading

import pytest

from debugger.errors import (
    AnswerError,
    InputError,
    RunEndedError,
    ServerError,
)
from tests.backends.hosted.peer import first_turn
from tests.backends.hosted.records import RUN, WORKFLOW, turn_events

ANSWER = {
    "run_id": RUN,
    "status": "waiting_for_user_input",
    "turn_number": 1,
    "events": [{"type": "assistant_response", "content": "Hi Ada", "logical_id": "event_1"}],
    "is_waiting_for_input": True,
    "is_completed": False,
}


def test_background_work_is_an_empty_post(peer, hosted):
    peer.answers(body={**ANSWER, "has_background_work": True, "has_active_companions": True})

    stream = hosted.pump(WORKFLOW, RUN)
    sent_before = list(peer.asked)
    events = list(stream)

    assert sent_before == []
    assert [(asked["method"], asked["body"]) for asked in peer.asked] == [("POST", {})]
    assert peer.asked[0]["path"] == f"/workflows/v1/workflows/{WORKFLOW}/runs/{RUN}/pump-companions"
    assert [event.content for event in events] == ["Hi Ada"]
    assert (stream.result.has_background_work, stream.result.has_active_companions) == (True, True)
    assert stream.result.next_due is None


@pytest.mark.parametrize(("workflow_id", "run_id"), [("nope", RUN), (WORKFLOW, "../x")])
def test_background_work_rejects_malformed_id(peer, hosted, workflow_id, run_id):
    with pytest.raises(InputError):
        hosted.pump(workflow_id, run_id)

    assert peer.asked == []


def test_refused_background_work_names_run_once(peer, hosted):
    peer.answers(503, {"detail": "Service unavailable"})

    with pytest.raises(ServerError, match=RUN):
        hosted.pump(WORKFLOW, RUN).finish()

    assert peer.count("POST") == 1


def test_background_work_of_ended_run_is_distinct(peer, hosted):
    peer.answers(404, {"detail": "Session not found"})

    with pytest.raises(RunEndedError, match=RUN):
        hosted.pump(WORKFLOW, RUN).finish()


def test_stopped_background_work_stops_the_run(peer, hosted):
    peer.records.add_run("Hello")
    peer.answers(body=ANSWER, hold=True)
    cancelled = threading.Event()
    stream = hosted.pump(WORKFLOW, RUN, cancelled=cancelled)
    threading.Thread(target=lambda: (peer.arrived.wait(), cancelled.set())).start()

    result = stream.finish()

    assert (result.status, result.is_completed, result.turn_number) == ("cancelled", True, 1)
    assert peer.sent[-1]["command"] == "stop"


@pytest.mark.parametrize("changes", [{"run_id": "665f0c2b9a3e4d5f6a7b8c99"}, {"events": turn_events(RUN, 1)}])
def test_background_work_of_another_run_is_not_believed(peer, hosted, changes):
    first_turn(hosted).finish()
    peer.answers(body={**ANSWER, **changes})

    with pytest.raises(AnswerError):
        hosted.pump(WORKFLOW, RUN).finish()

"""Turns that go as requests, over real sockets to a server that fails as it is scripted to."""

from __future__ import annotations

import json

import pytest

from debugger.errors import (
    AuthenticationError,
    ForbiddenError,
    InputError,
    NotExecutedError,
    NotFoundError,
    NotStartableError,
    RunEndedError,
    TurnNotStoredError,
    UnsupportedError,
    WorkflowError,
)
from debugger.protocol.runs import TurnInput
from tests.backends.hosted.peer import backend_of, first_turn, later_turn
from tests.backends.hosted.records import RUN, WORKFLOW, Records, turn_events

OTHER = "665f0c2b9a3e4d5f6a7b8c99"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr("debugger.backends.hosted.turns.RESEND_WAIT", 0.02)


# What is sent


def test_first_turn_names_version_and_no_run(peer, hosted):
    hosted.execute(WORKFLOW, TurnInput.with_message("Hello", run_by="qa"), version_number=0).finish()

    asked = next(asked for asked in peer.asked if asked["method"] == "POST")
    assert asked["path"] == f"/workflows/v1/workflows/{WORKFLOW}/execute?version=0"
    assert list(asked["body"]) == ["run_input"]
    assert asked["body"]["run_input"]["version_number"] == 0
    assert asked["body"]["run_input"]["run_by"] == "qa"
    message = asked["body"]["run_input"]["thread_to_node_inputs"]["0"]["node_run_inputs"][0]["messages"][0]
    assert (message["type"], message["content"]) == ("human", "Hello")


def test_turn_without_chosen_version_sends_none(peer, hosted):
    hosted.execute(WORKFLOW, TurnInput.with_message("Hello", version_number=0)).finish()

    assert peer.asked[0]["path"].endswith("/execute")
    assert peer.sent[0]["version_number"] == 0


def test_later_turn_names_run_and_no_version(peer, hosted):
    peer.records.add_run("Hello")

    hosted.execute(WORKFLOW, TurnInput.with_message("More"), run_id=RUN, version_number=3).finish()

    assert peer.asked[0]["path"].endswith("/execute")
    assert peer.asked[0]["body"]["run_id"] == RUN
    assert peer.sent[0]["version_number"] is None


def test_turn_carries_expected_number_and_client_turn_id(peer, hosted):
    peer.records.add_run("Hello")

    stream = later_turn(hosted)
    stream.finish()
    hosted.execute(WORKFLOW, TurnInput.with_message("Again"), run_id=RUN).finish()

    assert peer.asked[0]["headers"]["X-Expected-Turn-Number"] == "2"
    assert "X-Expected-Turn-Number" not in peer.asked[1]["headers"]
    ids = [run_input["miscellaneous"]["client_turn_id"] for run_input in peer.sent]
    assert stream.progress.sent.turn_input.client_turn_id == ids[0] != ids[1]


def test_client_turn_id_of_the_input_is_kept(peer, hosted):
    given = {"client_turn_id": "mine", "other": 1}

    hosted.execute(WORKFLOW, TurnInput.with_message("Hello", miscellaneous=given)).finish()

    assert peer.sent[0]["miscellaneous"] == given


def test_client_turn_ids_can_be_switched_off(peer):
    with backend_of(peer, client_turn_ids=False) as backend:
        given = {"client_turn_id": "mine", "other": 1}
        backend.execute(WORKFLOW, TurnInput.with_message("Hello", miscellaneous=given)).finish()

    assert peer.sent[0]["miscellaneous"] == {"other": 1}


def test_input_without_thread_gets_main_thread(peer, hosted):
    hosted.execute(WORKFLOW, TurnInput()).finish()

    assert peer.sent[0]["thread_to_node_inputs"] == {"0": {"node_run_inputs": []}}


def test_unknown_fields_are_sent_and_secrets_are_not(peer, hosted):
    peer.records.add_run("Hello")
    wire = {"command": "data", "future": {"a": [1]}, "secret_variables": {"pin": "pin-1234"}}

    hosted.execute(WORKFLOW, TurnInput.from_wire(wire), run_id=RUN).finish()

    assert peer.sent[0]["future"] == {"a": [1]}
    assert "pin-1234" not in json.dumps(peer.asked[0]["body"])


def test_initial_state_is_sent(peer, hosted):
    state = {"threads": {"0": {"node": "ask"}}}

    hosted.execute(WORKFLOW, TurnInput.with_message("Hello", initial_state=state)).finish()

    assert peer.sent[0]["initial_state"] == state
    assert hosted.capabilities.reason_against("initial_state") is None


@pytest.mark.parametrize("workflow_id, run_id", [("nope", None), (WORKFLOW, "../x"), (WORKFLOW.upper(), RUN)])
def test_malformed_id_is_not_sent(peer, hosted, workflow_id, run_id):
    with pytest.raises(InputError, match=r"is not a (workflow|run) id"):
        hosted.execute(workflow_id, TurnInput.with_message("Hello"), run_id=run_id)

    assert peer.asked == []


def test_number_that_json_lacks_is_not_sent(peer, hosted):
    with pytest.raises(InputError, match="no JSON form"):
        hosted.execute(WORKFLOW, TurnInput.from_wire({"runtime_variables": {"x": float("inf")}})).finish()

    assert peer.asked == []


# What is answered


def test_result_and_events_come_of_one_answer(peer, hosted):
    peer.answers(body=lambda body: {**peer.executes(body), "future": True})

    stream = first_turn(hosted)
    events = list(stream)

    assert [event.to_wire() for event in events] == turn_events(RUN, 1)
    assert (stream.run_id, stream.result.turn_number) == (RUN, 1)
    assert stream.result.to_wire()["future"] is True
    assert stream.progress.record is None
    assert any(asked["path"].endswith(RUN) for asked in peer.asked)  # the new run is of this turn
    assert "404" in hosted.capabilities.reason_against("live_events")


@pytest.mark.parametrize(
    "flags, status",
    [
        ({"is_waiting_for_input": True, "is_completed": False}, "waiting_for_user_input"),
        ({"is_waiting_for_input": False, "is_completed": True}, "completed"),
        ({"is_waiting_for_input": False, "is_completed": True, "error": "boom"}, "failed"),
        ({"is_waiting_for_input": False, "is_completed": False}, "running"),
    ],
)
def test_missing_status_is_derived_from_flags(peer, hosted, flags, status):
    peer.answers(body={"run_id": RUN, "turn_number": 1, "events": [], **flags})

    assert first_turn(hosted).finish().status == status


def test_same_client_turn_id_may_be_answered_twice(peer, hosted):
    """A server that knows the id answers the first turn's result again: it is no other turn."""
    given = TurnInput.with_message("Hello", miscellaneous={"client_turn_id": "mine"})
    first = hosted.execute(WORKFLOW, given).finish()
    peer.answers(body=first.to_wire())

    again = hosted.execute(WORKFLOW, given).finish()

    assert again.to_wire() == first.to_wire()
    assert peer.count("POST") == 2


# Refusals: what the API says itself is believed, of all else the record is read once


@pytest.mark.parametrize(
    "status, body, error, looks",
    [
        (400, {"message": "Bad fork", "error": "one edge only"}, WorkflowError, 0),
        (404, {"detail": "Session not found"}, RunEndedError, 0),
        (422, {"detail": [{"loc": ["body"], "msg": "bad", "type": "x"}]}, InputError, 0),
        (500, {"detail": "No start node found"}, NotStartableError, 0),
        (401, {"detail": "Key expired"}, AuthenticationError, 1),
        (403, {"detail": "Not yours"}, ForbiddenError, 1),
        (404, {"message": "no route"}, NotFoundError, 1),
        (418, {"detail": "Teapot"}, NotExecutedError, 1),
        (422, {"detail": "bad"}, InputError, 1),
        (501, {"detail": "Not here"}, UnsupportedError, 1),
        (307, {}, NotExecutedError, 1),
    ],
)
def test_refused_turn_is_looked_up_once_at_most(peer, hosted, status, body, error, looks):
    peer.records.add_run("Hello")
    peer.answers(status, body)

    with pytest.raises(error) as raised:
        later_turn(hosted).finish()

    assert type(raised.value) is error
    assert [asked["method"] for asked in peer.asked] == ["POST", *["GET"] * looks]


@pytest.mark.parametrize("status", [307, 400, 401, 403, 404, 405, 408, 409, 413, 422, 429, 501, 503])
def test_executed_turn_is_shown_whatever_a_gateway_answers(peer, hosted, status):
    peer.records.add_run("Hello")
    peer.answers(status, {"message": "blocked"}, before=peer.executes)

    result = later_turn(hosted).finish()

    assert (result.turn_number, peer.count("POST"), len(peer.records.executed)) == (2, 1, 2)


def test_turn_that_ran_and_is_not_stored_names_its_calls(peer, hosted):
    peer.records.add_run("Hello")
    call = {"target": "POST https://shop.example/orders", "call_class": "write", "success": True}
    body = {"detail": "The turn ran.", "reason": "turn_not_stored", "calls": [call, "odd"]}
    peer.answers(409, body)

    with pytest.raises(TurnNotStoredError, match="The turn ran") as raised:
        later_turn(hosted).finish()

    assert raised.value.calls == (call,)
    assert [asked["method"] for asked in peer.asked] == ["POST"]


def test_ended_session_of_a_used_run_is_looked_up(peer, hosted):
    first_turn(hosted).finish()
    peer.answers(404, {"detail": "Session not found"}, before=peer.executes)

    assert later_turn(hosted).finish().turn_number == 2
    assert len(peer.records.executed) == 2


# Commands


def test_stop_is_a_command_to_a_known_run(peer, hosted):
    peer.records.add_run("Hello")

    result = hosted.execute(WORKFLOW, TurnInput(command="stop"), run_id=RUN).finish()

    assert result.status == "cancelled"
    with pytest.raises(InputError, match="no run to stop"):
        hosted.execute(WORKFLOW, TurnInput(command="stop"))


def test_second_stop_is_answered_as_the_first(peer, hosted):
    peer.records.add_run("Hello", status="cancelled")
    peer.answers(404, {"detail": "Session not found"})

    result = hosted.execute(WORKFLOW, TurnInput(command="stop"), run_id=RUN).finish()

    assert (result.status, result.is_completed, result.turn_number) == ("cancelled", True, 1)


def test_lost_stop_is_read_from_record(peer, hosted):
    peer.records.add_run("Hello")
    peer.answers(502, before=peer.executes)

    result = hosted.execute(WORKFLOW, TurnInput(command="stop"), run_id=RUN).finish()

    assert (result.status, result.is_completed) == ("cancelled", True)


def test_first_turn_of_api_without_ids_is_believed(peer, hosted):
    """Another client has just begun a run with the same words."""
    peer.records = Records(returns_ids=False)
    peer.records.add_run("Hello", run_id=OTHER)

    stream = first_turn(hosted)
    stream.finish()

    assert (stream.run_id, stream.progress.record) == (RUN, None)


def test_first_turn_not_on_record_yet_is_believed(peer, hosted):
    def execute(body):
        answer = peer.executes(body)
        peer.records.runs[RUN]["input_output_pairs"] = []
        return answer

    peer.answers(body=execute)

    stream = first_turn(hosted)

    assert stream.finish().turn_number == 1
    assert stream.progress.record is None


def test_run_id_of_an_input_is_not_sent(peer, hosted):
    given = TurnInput.with_message("Hello", workflow_run_id=OTHER)

    hosted.execute(WORKFLOW, given).finish()

    assert OTHER not in str(peer.sent)


def test_stop_counts_no_turn(peer, hosted):
    """The answer to a stop may have the number of the last turn."""
    peer.records.add_run("Hello")

    stream = hosted.execute(WORKFLOW, TurnInput(command="stop"), run_id=RUN, expected_turn_number=2)

    assert stream.finish().status == "cancelled"
    assert stream.progress.record is None


def test_stop_of_expired_session_is_an_error(peer, hosted):
    peer.records.add_run("Hello")
    peer.answers(404, {"detail": "Session not found"})

    with pytest.raises(RunEndedError, match="expired"):
        hosted.execute(WORKFLOW, TurnInput(command="stop"), run_id=RUN).finish()

"""The streaming socket and its token, on each database.

Source: ``platform.md#websocket``.
"""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus

from tests.conformance.graphs import chat, direct, graph, static
from tests.conformance.served import KEY, UNKNOWN, create, headers, record
from tests.support.server_sockets import opened, saying

SOCKET = "/v1/workflow-runs/ws"
BEARER = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def workflow_id(api):
    return create(api, graph(static("greet", "Hello {{name}}"), chat("ask"), direct("greet", "ask")))


def start(workflow_id, **more):
    """The first frame as the platform's client sends it."""
    no_inputs = {"0": {"node_run_inputs": []}}
    return {
        "thread_to_node_inputs": no_inputs,
        "workflow_id": workflow_id,
        "command": "start",
        "run_by": "api",
        **more,
    }


def kinds(frames):
    return [frame.get("type", "run_ack") for frame in frames]


def test_socket_sends_acknowledgement_then_recorded_events(api, workflow_id):
    with opened(api, SOCKET, additional_headers=BEARER) as socket:
        acknowledged, *events = socket.turn(**start(workflow_id, dynamic_variables={"name": "Ann"}))

    assert set(acknowledged) == {"workflow_run_id", "workflow_id", "message", "turn_number"}
    assert acknowledged["workflow_id"] == workflow_id
    assert kinds(events)[:2] == ["start_workflow", "start_thread"]
    assert kinds(events)[-2:] == ["end_workflow_iteration", "workflow_ready_for_input"]
    assert "Hello Ann" in [event.get("content") for event in events]
    (pair,) = record(api, acknowledged["workflow_run_id"])["input_output_pairs"]
    stored = [event["logical_id"] for event in pair["run_output"]["events"]]
    assert stored == [event["logical_id"] for event in events]


def test_socket_takes_turns_until_stopped(api, workflow_id):
    with opened(api, SOCKET, additional_headers=BEARER) as socket:
        acknowledged, *_ = socket.turn(**start(workflow_id))
        run = {"workflow_id": workflow_id, "workflow_run_id": acknowledged["workflow_run_id"]}
        second = socket.turn(**run, command="data", thread_to_node_inputs=saying("tea, please"))
        socket.send(**run, command="stop", thread_to_node_inputs={})
        code, _ = socket.closed()

    assert kinds(second)[-1] == "workflow_ready_for_input"
    assert code == 1000
    stored = record(api, run["workflow_run_id"])
    assert (stored["status"], len(stored["input_output_pairs"])) == ("cancelled", 3)


def test_token_opens_one_socket_only(api, workflow_id):
    token = api.get(api.base_url.join("/v1/session")).json()["data"]["id"]

    with opened(api, f"{SOCKET}?token={token}") as socket:
        assert kinds(socket.turn(**start(workflow_id)))[0] == "run_ack"
    with pytest.raises(InvalidStatus) as refused, opened(api, f"{SOCKET}?token={token}"):
        pass

    assert refused.value.response.status_code in (401, 403)


def test_without_a_key_there_is_no_socket(api):
    wrong = {"Authorization": headers(key="sk-another")["Authorization"]}
    for shown in ({}, wrong):
        with pytest.raises(InvalidStatus) as refused, opened(api, SOCKET, additional_headers=shown):
            pass

        assert refused.value.response.status_code in (401, 403)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"initial_state": {}}, 4006),
        ({"rerun_token": "not a token"}, 4007),
        ({"workflow_id": UNKNOWN}, 4404),
        ({"command": "data", "workflow_run_id": UNKNOWN}, 4404),
    ],
)
def test_malformed_frame_closes_socket_with_code(api, workflow_id, more, code):
    with opened(api, SOCKET, additional_headers=BEARER) as socket:
        socket.send(**{**start(workflow_id), **more})
        found, reason = socket.closed()

    assert found == code
    assert reason

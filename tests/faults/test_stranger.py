"""The strangers behave as ``wire.md`` says, and share nothing with the debugger."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.conformance.served import execute, headers, human, record, run_input
from tests.faults.servers import OTHER_USER, PAGE_USER, started

STRANGERS = ("stranger_with_ids", "stranger")
ID = {"client_turn_id": "turn-1"}
FIRST_TURN = [
    "user_messages",
    "start_node_run",
    "say_static",
    "assistant_response",
    "end_node_run",
    "workflow_show_state",
    "direct_edge",
    "workflow_navigation_message",
    "busy_wait_for_user_message",
]
LATER_TURN = [
    "user_messages",
    "start_node_run",
    "say_llm",
    "assistant_response",
    "end_node_run",
    "workflow_show_state",
    "self_loop_edge",
    "busy_wait_for_user_message",
]


@pytest.fixture(scope="module", params=STRANGERS)
def server(request, tmp_path_factory):
    with started(request.param, tmp_path_factory.mktemp(request.param)) as server:
        server.name = request.param
        yield server


@pytest.fixture
def api(server):
    with server.client(PAGE_USER) as api:
        yield api


def socket_of(server, token=None):
    url = server.url.replace("http", "ws") + "/v1/workflow-runs/ws" + (f"?token={token}" if token else "")
    return connect(url, additional_headers=headers(PAGE_USER), proxy=None)


def frame(server, text, run_id=None):
    named = {"workflow_run_id": run_id, "command": "data"} if run_id else {}
    return json.dumps({**run_input(text, miscellaneous=ID), "workflow_id": server.workflow_id, **named})


def turn_frames(socket):
    frames = [json.loads(socket.recv(5))]
    while frames[-1].get("type") != "workflow_ready_for_input":
        frames.append(json.loads(socket.recv(5)))
    return frames


@pytest.mark.parametrize("name", STRANGERS)
def test_stranger_shares_no_module_with_the_debugger(name):
    code = f"import sys, tests.faults.{name}; print([n for n in sys.modules if n.startswith('debugger')])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    assert done.stdout.strip() == "[]"


def test_turns_over_requests(server, api):
    first = execute(api, server.workflow_id, "hello")
    second = execute(api, server.workflow_id, "more", first.json()["run_id"]).json()

    assert "date" in first.headers
    assert [event["type"] for event in first.json()["events"]] == FIRST_TURN
    assert [event["type"] for event in second["events"]] == LATER_TURN
    assert (second["status"], second["turn_number"]) == ("waiting_for_user_input", 2)
    assert second["next_input_hint"] == second["events"][-1]
    assert (second["is_waiting_for_input"], second["is_completed"]) == (True, False)


def test_turns_over_one_socket(server, api):
    token = httpx.get(f"http://127.0.0.1:{server.port}/v1/session", trust_env=False).json()["data"]["id"]
    with socket_of(server, token) as socket:
        socket.send(frame(server, "hello"))
        first = turn_frames(socket)
        run_id = first[0]["workflow_run_id"]
        socket.send(frame(server, "more", run_id))
        second = turn_frames(socket)

    around = ["start_workflow", "start_thread"], ["end_workflow_iteration", "workflow_ready_for_input"]
    assert [event["type"] for event in first[1:]] == [*around[0], *FIRST_TURN, *around[1]]
    assert [event["type"] for event in second[1:]] == [*around[0], *LATER_TURN, *around[1]]
    stored = [pair["run_output"]["events"] for pair in record(api, run_id)["input_output_pairs"]]
    assert stored == [first[1:], second[1:]]


@pytest.mark.parametrize(("which", "second"), [("first", "start_workflow"), ("each", None)])
def test_acknowledged_turns_of_a_socket(server, which, second):
    server.acknowledge(which)
    with socket_of(server) as socket:
        socket.send(frame(server, "hello"))
        first, *_ = turn_frames(socket)
        socket.send(frame(server, "more", first["workflow_run_id"]))

        assert "type" not in first
        assert turn_frames(socket)[0].get("type") == second


def test_token_opens_one_socket(server):
    token = httpx.get(f"http://127.0.0.1:{server.port}/v1/session", trust_env=False).json()["data"]["id"]
    with socket_of(server, token):
        pass
    with pytest.raises(InvalidStatus), socket_of(server, token):
        pass


@pytest.mark.parametrize("fields", [{"initial_state": {}}, {"workflow_run_id": "0" * 24}])
def test_socket_refuses_turn(server, fields):
    with socket_of(server) as socket:
        socket.send(json.dumps({**run_input("hello"), "workflow_id": server.workflow_id, **fields}))
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(5)

    assert closed.value.rcvd.code == (4006 if "initial_state" in fields else 1011)


def test_turn_is_executed_as_often_as_it_is_sent(server, api):
    for _ in range(2):
        run_id = execute(api, server.workflow_id, "same", miscellaneous=ID).json()["run_id"]
    body = {"run_id": run_id, "run_input": run_input("same", command="data", miscellaneous=ID)}
    number = {"X-Expected-Turn": "1"}
    again = api.post(f"/v1/workflows/{server.workflow_id}/execute", json=body, headers=number)

    assert again.json()["turn_number"] == 2
    assert [execution.text for execution in server.executions()].count("same") == 3


def test_record_has_ids_or_not(server, api):
    node = {"type": "llm", "messages": [human("hello")], "miscellaneous": {"x": 1}}
    threads = {"0": {"node_run_inputs": [node]}}
    run_id = execute(api, server.workflow_id, miscellaneous=ID, thread_to_node_inputs=threads).json()[
        "run_id"
    ]
    kept = record(api, run_id)["input_output_pairs"][0]["run_input"]
    rows = api.get("/v1/workflow-runs", params={"workflow_id": server.workflow_id, "size": 1}).json()

    assert kept["thread_to_node_inputs"]["0"]["node_run_inputs"][0]["messages"] == [human("hello")]
    assert kept.get("miscellaneous") == (ID if server.name == "stranger_with_ids" else None)
    assert ("miscellaneous" in json.dumps(kept)) == (server.name == "stranger_with_ids")
    assert rows["workflow_runs"][0]["workflow_run"]["workflow_run_id"] == run_id
    assert rows["workflow_runs"][0]["created_at"].endswith("Z")


def test_list_has_pages(server, api):
    made = [execute(api, server.workflow_id, "hello").json()["run_id"] for _ in range(3)]
    pages = [api.get("/v1/workflow-runs", params={"page": page, "size": 2}).json() for page in (1, 2)]

    listed = [row["_id"] for page in pages for row in page["workflow_runs"]]
    assert listed[:3] == made[::-1]
    assert set(pages[0]) == {"workflow_runs", "total"}


def test_stopped_run_takes_no_turn(server, api):
    run_id = execute(api, server.workflow_id, "hello").json()["run_id"]
    stopped = execute(api, server.workflow_id, run_id=run_id, command="stop").json()
    refused = execute(api, server.workflow_id, "more", run_id)

    assert (stopped["status"], stopped["is_completed"]) == ("cancelled", True)
    assert (refused.status_code, refused.json()) == (404, {"detail": "Session not found"})


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/workflow-runs/abc", None, 422),
        ("GET", f"/v1/workflow-runs/{'0' * 24}", None, 404),
        ("GET", f"/v1/workflows/{'0' * 24}", None, 404),
        ("POST", "/v1/workflows/665f00000000000000000001/execute", {}, 422),
        ("POST", "/v1/workflows/665f00000000000000000001/execute", {"run_input": {"command": "go"}}, 422),
    ],
)
def test_refusals(api, method, path, body, status):
    answer = api.request(method, path, json=body)

    assert answer.status_code == status
    detail = answer.json()["detail"]
    assert isinstance(detail, list) == (status == 422)


def test_deleted_run_is_gone(server, api):
    run_id = execute(api, server.workflow_id, "hello").json()["run_id"]

    assert api.delete(f"/v1/workflow-runs/{run_id}").status_code == 204
    assert api.get(f"/v1/workflow-runs/{run_id}").status_code == 404


@pytest.mark.parametrize("name", STRANGERS)
def test_killed_stranger_has_executed_what_is_not_on_record(name, tmp_path):
    with started(name, tmp_path) as server, server.client(OTHER_USER) as api:
        run_id = execute(api, server.workflow_id, "hello").json()["run_id"]
        with server.dying() as died, pytest.raises(httpx.RemoteProtocolError):
            execute(api, server.workflow_id, "lost", run_id)
        assert died.wait(10)

        assert [execution.text for execution in server.executions(OTHER_USER)] == ["hello", "lost"]
        left = record(api, run_id)
        assert (left["status"], len(left["input_output_pairs"])) == ("running", 1)
        assert execute(api, server.workflow_id, "more", run_id).json()["turn_number"] == 2

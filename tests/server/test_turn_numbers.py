"""Turns over requests: their numbers are checked, and their ids make them idempotent."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.support.factories import direct, document, node, say, static, when
from tests.support.http_server import HttpServer
from tests.support.server_sockets import opened, record, saying, types


@contextmanager
def counted(api, *, is_slow=False):
    """Give a workflow whose turns with a text call a tool, the calls, and what lets a slow tool end."""
    released = threading.Event()

    def count(to):
        if is_slow:
            released.wait(20)
        to.send_json({})

    with HttpServer(count=count) as server:
        ask, tool = say("ask", self_loop=False), node("count", "http_request", url=f"{server.url}/count")
        graph = document(ask, tool, when("ask", "count", "1 == 1"), direct("count", "ask"))
        try:
            yield create(api, graph), server.received, released
        finally:
            released.set()


def create(api, graph):
    return api.post("/v1/workflows", json={**graph, "name": "Tea"}).json()["workflow"]["_id"]


def execute(api, workflow_id, run_id=None, *, expected=None, client_turn_id=None, text=None, **given):
    headers = {} if expected is None else {"X-Expected-Turn-Number": str(expected)}
    if client_turn_id:
        given["miscellaneous"] = {"client_turn_id": client_turn_id}
    if text:
        given["thread_to_node_inputs"] = saying(text)
    body = {"run_input": given} | ({"run_id": run_id} if run_id else {})
    return api.post(f"/v1/workflows/{workflow_id}/execute", json=body, headers=headers)


def await_call(received):
    deadline = threading.Event()
    for _ in range(500):
        if received:
            return
        deadline.wait(0.02)
    raise AssertionError("the tool was not called")


def test_stale_turn_executes_nothing(api):
    with counted(api) as (workflow_id, received, _):
        run_id = execute(api, workflow_id, expected=1).json()["run_id"]
        second = execute(api, workflow_id, run_id, expected=2, text="one")

        stale = execute(api, workflow_id, run_id, expected=2, text="two")

    assert second.json()["turn_number"] == 2
    assert stale.status_code == 409
    told = stale.json()
    assert (told["reason"], told["turn_number"]) == ("stale_turn", 2)
    assert told["detail"] == f"Run {run_id} has turn 2 that this client has not seen."
    assert len(received) == 1
    assert len(record(api, run_id)["input_output_pairs"]) == 2


def test_turn_number_ahead_is_refused(api):
    with counted(api) as (workflow_id, received, _):
        run_id = execute(api, workflow_id).json()["run_id"]

        answers = [
            execute(api, workflow_id, run_id, expected=3, text="x"),
            execute(api, workflow_id, expected=2),
        ]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert {answer.json()["reason"] for answer in answers} == {"stale_turn"}
    assert not received


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "", "99999999999"])
@pytest.mark.parametrize("path", ["/v1/workflows/{}/execute", "/v1/workflow-runs"])
def test_malformed_turn_number_is_named(api, number, path):
    workflow_id = create(api, document(static("a", "Hello")))
    body = {"run_input": {}} if "execute" in path else {"workflow_id": workflow_id}

    answer = api.post(path.format(workflow_id), json=body, headers={"X-Expected-Turn-Number": number})

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["header", "X-Expected-Turn-Number"]
    assert api.get("/v1/workflow-runs", params={"workflow_id": workflow_id}).json()["workflow_runs"] == []


def test_the_older_route_checks_numbers_too(api):
    with counted(api) as (workflow_id, received, _):
        run_id = execute(api, workflow_id).json()["run_id"]
        given = {"workflow_id": workflow_id, "workflow_run_id": run_id, "thread_to_node_inputs": saying("x")}

        stale = api.post("/v1/workflow-runs", json=given, headers={"X-Expected-Turn-Number": "1"})
        good = api.post("/v1/workflow-runs", json=given, headers={"X-Expected-Turn-Number": "2"})

    assert (stale.status_code, stale.json()["reason"]) == (409, "stale_turn")
    assert good.status_code == 200
    assert len(received) == 1


def test_concurrent_turn_is_refused_with_reason(api):
    with counted(api, is_slow=True) as (workflow_id, received, released), ThreadPoolExecutor() as threads:
        run_id = execute(api, workflow_id).json()["run_id"]
        first = threads.submit(execute, api, workflow_id, run_id, text="one")
        await_call(received)

        refused = execute(api, workflow_id, run_id, expected=2, text="two")
        released.set()

        assert first.result().json()["turn_number"] == 2
    assert refused.status_code == 409
    assert refused.json()["reason"] == "turn_in_progress"
    assert len(received) == 1


@pytest.mark.parametrize("is_first", [True, False])
def test_repeated_turn_gets_identical_answer(api, is_first):
    with counted(api) as (workflow_id, received, _):
        run_id = None if is_first else execute(api, workflow_id).json()["run_id"]
        expected = 1 if is_first else 2

        answers = [
            execute(api, workflow_id, run_id, expected=expected, client_turn_id=f"again-{is_first}", text="x")
            for _ in range(3)
        ]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.content for answer in answers}) == 1
    assert len(received) == 1
    assert len(record(api, answers[0].json()["run_id"])["input_output_pairs"]) == expected


def test_repeated_turn_keeps_answer_after_newer_turns(api):
    with counted(api) as (workflow_id, received, _):
        first = execute(api, workflow_id, client_turn_id="repeat-1")
        run_id = first.json()["run_id"]
        second = execute(api, workflow_id, run_id, client_turn_id="repeat-2", text="x")
        execute(api, workflow_id, run_id, client_turn_id="repeat-3", text="y")

        again = execute(api, workflow_id, run_id, client_turn_id="repeat-2", text="x", expected=2)
        first_again = execute(api, workflow_id, client_turn_id="repeat-1", expected=1)

    assert again.content == second.content
    assert first_again.content == first.content
    assert len(received) == 2


@pytest.mark.parametrize("is_first", [True, False])
def test_equal_concurrent_turns_execute_once(api, is_first):
    with counted(api, is_slow=True) as (workflow_id, received, released), ThreadPoolExecutor(8) as threads:
        run_id = None if is_first else execute(api, workflow_id).json()["run_id"]
        name = f"moment-{is_first}"
        answers = [
            threads.submit(execute, api, workflow_id, run_id, client_turn_id=name, text="x") for _ in range(8)
        ]
        await_call(received)
        released.set()
        found = {answer.result().content for answer in answers}

    assert len(found) == 1
    assert len(received) == 1
    runs = api.get("/v1/workflow-runs", params={"workflow_id": workflow_id}).json()["workflow_runs"]
    assert len(runs) == 1


def test_an_id_of_another_run_is_refused(api):
    with counted(api) as (workflow_id, received, _):
        execute(api, workflow_id, client_turn_id="mine")
        other = execute(api, workflow_id).json()["run_id"]

        refused = execute(api, workflow_id, other, client_turn_id="mine", text="x")

    assert refused.status_code == 409
    assert "names turn 1" in refused.json()["detail"]
    assert not received


def test_repeated_first_turn_ignores_run_limit(api):
    workflow_id = create(api, document(say("ask")))
    api.patch(f"/v1/workflows/{workflow_id}/concurrency", json={"max_concurrent_runs": 1})

    first = execute(api, workflow_id, client_turn_id="limited")
    again = execute(api, workflow_id, client_turn_id="limited")
    another = execute(api, workflow_id, client_turn_id="one more")

    assert again.content == first.content
    assert another.status_code == 429


@pytest.mark.parametrize("is_first", [True, False])
def test_http_turn_is_repeated_over_socket(api, is_first):
    with counted(api) as (workflow_id, received, _):
        run_id = None if is_first else execute(api, workflow_id).json()["run_id"]
        name = f"to-socket-{is_first}"
        answer = execute(api, workflow_id, run_id, client_turn_id=name, text="x").json()
        frame = {
            "workflow_id": workflow_id,
            "miscellaneous": {"client_turn_id": name},
            "thread_to_node_inputs": saying("x"),
        }
        if run_id:
            frame["workflow_run_id"] = run_id

        with opened(api) as socket:
            ack, *events = socket.turn(**frame)

    assert (ack["workflow_run_id"], ack["turn_number"]) == (answer["run_id"], answer["turn_number"])
    assert events == answer["events"]
    assert socket.frame_numbers == list(range(1, len(events) + 1))
    assert len(received) == 1


@pytest.mark.parametrize("is_first", [True, False])
def test_socket_turn_is_repeated_over_http(api, is_first):
    with counted(api) as (workflow_id, received, _):
        run_id = None if is_first else execute(api, workflow_id).json()["run_id"]
        name = f"to-request-{is_first}"
        frame = {
            "workflow_id": workflow_id,
            "workflow_run_id": run_id,
            "miscellaneous": {"client_turn_id": name},
            "thread_to_node_inputs": saying("x"),
        }
        with opened(api) as socket:
            ack, *events = socket.turn(**frame)

        answer = execute(api, workflow_id, run_id, client_turn_id=name, text="x").json()

    assert answer["run_id"] == ack["workflow_run_id"]
    assert answer["events"] == events
    assert len(received) == 1


def test_repetition_waits_for_socket_turn(api):
    with counted(api, is_slow=True) as (workflow_id, received, released), ThreadPoolExecutor() as threads:
        run_id = execute(api, workflow_id).json()["run_id"]
        with opened(api) as socket:
            socket.send(
                workflow_id=workflow_id,
                workflow_run_id=run_id,
                miscellaneous={"client_turn_id": "both"},
                thread_to_node_inputs=saying("x"),
            )
            await_call(received)
            repeated = threads.submit(execute, api, workflow_id, run_id, client_turn_id="both", text="x")
            released.set()
            _, *events = socket.until_ended()

        assert repeated.result().json()["events"] == events
    assert len(received) == 1


def test_run_in_progress_shows_events(api):
    with counted(api, is_slow=True) as (workflow_id, received, released), ThreadPoolExecutor() as threads:
        run_id = execute(api, workflow_id).json()["run_id"]
        turn = threads.submit(execute, api, workflow_id, run_id, text="x", client_turn_id="seen")
        await_call(received)
        for _ in range(200):
            last = record(api, run_id)["input_output_pairs"][-1]
            if last["run_output"]["events"]:
                break
            threading.Event().wait(0.05)
        (row,) = api.get("/v1/workflow-runs", params={"workflow_id": workflow_id}).json()["workflow_runs"]
        released.set()
        answer = turn.result().json()

    assert row["workflow_run"]["status"] == "running"
    assert last["in_progress"] is True
    assert last["run_input"]["miscellaneous"] == {"client_turn_id": "seen"}
    assert types(last["run_output"]["events"])[0] == "user_messages"
    assert last["run_output"]["events"] == answer["events"][: len(last["run_output"]["events"])]
    assert "in_progress" not in record(api, run_id)["input_output_pairs"][-1]


def test_a_run_in_progress_cannot_be_deleted(api):
    with counted(api, is_slow=True) as (workflow_id, received, released), ThreadPoolExecutor() as threads:
        run_id = execute(api, workflow_id).json()["run_id"]
        turn = threads.submit(execute, api, workflow_id, run_id, text="x")
        await_call(received)
        refused = api.delete(f"/v1/workflow-runs/{run_id}")
        released.set()
        turn.result()

    assert (refused.status_code, refused.json()["reason"]) == (409, "turn_in_progress")
    assert api.delete(f"/v1/workflow-runs/{run_id}").status_code == 204


def test_the_session_says_that_numbers_are_checked(api):
    answer = api.get(api.base_url.join("/v1/session"))

    assert answer.headers["X-Turn-Numbers"] == "checked"


def test_document_has_turn_number_header_and_reasons(api):
    document = api.get(api.base_url.join("/openapi.json")).json()

    operation = next(
        item["post"] for path, item in document["paths"].items() if path.endswith("{workflow_id}/execute")
    )
    (header,) = [part for part in operation["parameters"] if part.get("name") == "X-Expected-Turn-Number"]
    assert (header["in"], header["required"]) == ("header", False)
    conflict = document["components"]["responses"]["409"]["content"]["application/json"]["schema"]
    shape = document["components"]["schemas"][conflict["$ref"].rpartition("/")[2]]
    assert set(shape["properties"]) == {"detail", "reason", "turn_number", "calls"}
    assert set(shape["properties"]["reason"]["enum"]) == {"stale_turn", "turn_in_progress", "turn_not_stored"}
    assert shape["required"] == ["detail"]

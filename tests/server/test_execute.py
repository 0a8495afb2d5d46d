from __future__ import annotations

from contextlib import closing

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.json_codec import encode
from debugger.protocol.runs import background_input
from debugger.settings import Settings
from debugger.store import Role
from tests.store.test_claims import a_claim
from tests.support.companions import lab
from tests.support.factories import document, say, static

UNKNOWN = "665f00000000000000000001"
START = {"run_input": {"command": "start"}}


def create(api, *parts):
    body = {**document(*parts), "name": "Tea"}
    return api.post("/v1/workflows", json=body).json()["workflow"]["_id"]


def execute(api, workflow_id, run_id=None, *, query=None, **run_input):
    body = {"run_input": run_input} if run_id is None else {"run_input": run_input, "run_id": run_id}
    return api.post(f"/v1/workflows/{workflow_id}/execute", json=body, params=query)


def said(answer):
    return [event["content"] for event in answer.json()["events"] if event["type"] == "assistant_response"]


def test_execute_answers_finished_turn(api):
    workflow_id = create(api, static("a", "Hello"))

    result = execute(api, workflow_id, command="start").json()

    assert (result["status"], result["turn_number"], result["is_completed"]) == ("completed", 1, True)
    assert set(result) >= {"run_id", "events", "is_waiting_for_input", "error", "next_input_hint"}
    assert result["has_active_companions"] is result["has_background_work"] is False


def test_run_id_continues_run(api):
    workflow_id = create(api, say("chat"))
    run_id = execute(api, workflow_id, command="start").json()["run_id"]
    message = {"role": "user", "content": "Hello"}
    inputs = {"0": {"node_run_inputs": [{"type": "llm", "messages": [message]}]}}

    results = [
        execute(api, workflow_id, run_id, command=command, thread_to_node_inputs=inputs).json()
        for command in ("data", "start")
    ]

    assert [result["turn_number"] for result in results] == [2, 3]
    assert {result["run_id"] for result in results} == {run_id}


@pytest.mark.parametrize(
    "query, number, expected",
    [
        ({}, None, "one"),
        ({}, 0, "one"),
        ({}, 2, "two"),
        ({"version": 0}, 2, "zero"),
        ({"version": 2}, 0, "two"),
    ],
)
def test_version_query_overrides_input(api, embedded, query, number, expected):
    workflow_id = create(api, static("a", "zero"))
    for name, active in (("one", True), ("two", False)):
        embedded.store.create_version(
            workflow_id, document=document(static("a", name)), mark_as_active=active
        )
    fields = {} if number is None else {"version_number": number}

    answer = execute(api, workflow_id, query=query, command="start", **fields)

    assert said(answer) == [expected]


def test_an_unknown_version_is_not_found(api):
    answer = execute(api, create(api, static("a", "Hello")), query={"version": 9}, command="start")

    assert answer.status_code == 404
    assert "version 9" in answer.json()["detail"]


def test_unknown_or_ended_run_has_no_session(api):
    workflow_id = create(api, static("a", "Hello"))
    over = execute(api, workflow_id, command="start").json()["run_id"]

    answers = [execute(api, workflow_id, run_id, command="data") for run_id in (UNKNOWN, over)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert [answer.json() for answer in answers] == [{"detail": "Session not found"}] * 2


def test_unknown_workflow_is_named(api):
    answer = execute(api, UNKNOWN, command="start")

    assert answer.status_code == 404
    assert UNKNOWN in answer.json()["detail"]


def test_graph_without_start_is_reported(api):
    answer = execute(api, api.post("/v1/workflows", json={"name": "Empty"}).json()["workflow"]["_id"])

    assert answer.status_code == 500
    assert answer.json()["detail"].startswith("No start node found")


@pytest.mark.parametrize(
    "body, place",
    [
        (None, ["body", "run_input"]),
        ({"run_input": None}, ["body", "run_input"]),
        ({"run_input": {"command": "continue"}}, ["body", "run_input", "command"]),
        ({"run_input": {"version_number": -1}}, ["body", "run_input", "version_number"]),
        (
            {"run_input": {"thread_to_node_inputs": {"0": {"node_run_inputs": [{"messages": ["Hi"]}]}}}},
            ["body", "run_input", "thread_to_node_inputs", "0", "node_run_inputs", 0, "messages", 0],
        ),
        ({**START, "run_id": 7}, ["body", "run_id"]),
        ({**START, "run_id": "nope"}, ["body", "run_id"]),
    ],
)
def test_invalid_input_is_named_by_place(api, body, place):
    headers = {"Content-Type": "application/json"}
    path = f"/v1/workflows/{UNKNOWN}/execute"
    answer = api.post(path, headers=headers) if body is None else api.post(path, json=body)

    problem = answer.json()["detail"][0]
    assert answer.status_code == 422
    assert problem["loc"] == place
    assert set(problem) == {"type", "loc", "msg"}


@pytest.mark.parametrize(
    "path", ["nope/execute", f"{UNKNOWN}/execute?version=x", f"{UNKNOWN}/execute?version=-1"]
)
def test_a_malformed_path_or_query_is_refused(api, path):
    assert api.post(f"/v1/workflows/{path}", json=START).status_code == 422


def test_secrets_are_neither_kept_nor_told(api):
    workflow_id = create(api, static("a", "Hello"))

    answer = execute(api, workflow_id, command="start", secret_variables={"pin": "hunter2"})

    record = api.get(f"/v1/workflow-runs/{answer.json()['run_id']}")
    assert "hunter2" not in answer.text + record.text
    assert "secret_variables" not in answer.text + record.text


def test_stop_ends_waiting_run(api):
    workflow_id = create(api, say("chat"))
    run_id = execute(api, workflow_id, command="start").json()["run_id"]

    result = execute(api, workflow_id, run_id, command="stop").json()

    assert (result["status"], result["is_completed"]) == ("cancelled", True)
    assert execute(api, workflow_id, run_id, command="data").json() == {"detail": "Session not found"}


def pump(api, workflow_id, run_id, **request):
    return api.post(f"/v1/workflows/{workflow_id}/runs/{run_id}/pump-companions", **request)


@pytest.fixture(scope="module")
def at_the_lab(api):
    """A workflow and its run, which goes on in the background for a long time."""
    workflow_id = api.post("/v1/workflows", json=lab(pause=1, checks=1000)).json()["workflow"]["_id"]
    return workflow_id, execute(api, workflow_id, command="start").json()["run_id"]


@pytest.mark.parametrize(
    "request_",
    [{}, {"headers": {"Content-Type": "application/json"}}, {"json": {}}, {"json": {"later": [1]}}],
)
def test_background_work_is_advanced_whatever_the_body(api, at_the_lab, request_):
    answer = pump(api, *at_the_lab, **request_)

    result = answer.json()
    assert answer.status_code == 200
    assert (result["status"], result["turn_number"]) == ("waiting_for_user_input", 1)
    assert result["has_active_companions"] is result["has_background_work"] is True
    assert set(result) == set(execute(api, create(api, say("chat")), command="start").json())


def test_background_work_interrupted_after_calls_is_refused_once(api, embedded):
    workflow_id = api.post("/v1/workflows", json=lab(pause=1, checks=1000)).json()["workflow"]["_id"]
    run_id = execute(api, workflow_id, command="start").json()["run_id"]
    claim = a_claim(
        run_id,
        embedded.store.claims.position(run_id).turn_count + 1,
        workflow_id=workflow_id,
        run_status="waiting_for_user_input",
        user_turn_number=None,
        pair=encode({"run_input": background_input().to_wire()}),
    )
    embedded.store.claims.take(claim)
    embedded.store.claims.abandon(claim, b'[{"target":"POST https://api.example/pay"}]')

    answers = [pump(api, workflow_id, run_id) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [409, 200]
    refusal = answers[0].json()
    assert (refusal["reason"], refusal["calls"]) == (
        "turn_not_stored",
        [{"target": "POST https://api.example/pay"}],
    )


def test_execute_rejects_other_content_types(api, at_the_lab):
    assert pump(api, *at_the_lab, content="{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert (
        pump(api, *at_the_lab, content="[]", headers={"Content-Type": "application/json"}).status_code == 422
    )


def test_pump_of_unknown_or_ended_run_fails(api):
    workflow_id = create(api, static("a", "Hello"))
    over = execute(api, workflow_id, command="start").json()["run_id"]

    answers = [pump(api, workflow_id, run_id) for run_id in (UNKNOWN, over)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert [answer.json() for answer in answers] == [{"detail": "Session not found"}] * 2


@pytest.mark.parametrize("ids", [("nope", UNKNOWN), (UNKNOWN, "nope")])
def test_a_malformed_id_is_refused(api, ids):
    assert pump(api, *ids).status_code == 422


ODD = "665f0000000000000000000A"
UNKNOWN_ID = "665f00000000000000000001"


@pytest.fixture
def workflow_id(api):
    return api.post("/v1/workflows", json=document(say("ask"), name="Tea")).json()["workflow"]["_id"]


def test_version_query_leaves_answer_shape(api, workflow_id):
    body = {"run_input": {"command": "start"}}

    plain = api.post(f"/v1/workflows/{workflow_id}/execute", json=body)
    named = api.post(f"/v1/workflows/{workflow_id}/execute", json=body, params={"version": 0})

    assert (plain.status_code, named.status_code) == (200, 200)
    assert plain.json().keys() == named.json().keys()
    assert plain.headers.keys() == named.headers.keys()


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (f"/v1/workflows/{ODD}/execute", ["path", "workflow_id"]),
        (f"/v1/workflows/{UNKNOWN_ID}/execute?version=many", ["query", "version"]),
        (f"/v1/workflows/{UNKNOWN_ID}/runs/{ODD}/pump-companions", ["path", "run_id"]),
    ],
)
def test_invalid_turn_parameters_are_named(api, path, place):
    answer = api.post(path, json={"run_input": {}})

    assert answer.status_code == 422
    assert [problem["loc"] for problem in answer.json()["detail"]] == [place]


@pytest.mark.parametrize("query", ["", "?version=1"])
@pytest.mark.parametrize("path", ["workflows/{id}/execute", "workflows/{id}/runs/{id}/pump-companions"])
def test_read_key_executes_nothing(serve, path, query):
    with closing(EmbeddedBackend(Settings(database="sqlite://"))) as backend:
        _, key = backend.store.api_keys.add("Ada", Role.READ)
        client = serve(backend)

        answer = client.post(
            f"/v1/{path.format(id=UNKNOWN_ID)}{query}", json={}, headers={"Authorization": f"Bearer {key}"}
        )

    assert answer.status_code == 403
    assert "the role run" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("key", "value"), [("start_node_logical_id", "ask"), ("welcome_message", "Hello"), ("initial_state", {})]
)
def test_key_of_first_turn_warns_on_later_turn(api, key, value):
    workflow_id = api.post("/v1/workflows", json=document(say("ask"))).json()["workflow"]["_id"]
    place = f"/v1/workflows/{workflow_id}/execute"
    first = api.post(place, json={"run_input": {"run_by": "qa"}}).json()

    later = {"command": "data", "run_by": "qa", key: value}
    second = api.post(place, json={"run_id": first["run_id"], "run_input": later}).json()

    told = [event["warning_message"] for event in second["events"] if event["type"] == "workflow_warning"]
    assert [text.partition(" ")[0] for text in told] == ([key] if value else [])


def test_welcome_message_of_first_turn_warns(api):
    workflow_id = api.post("/v1/workflows", json=document(say("ask"))).json()["workflow"]["_id"]

    turn = api.post(
        f"/v1/workflows/{workflow_id}/execute", json={"run_input": {"welcome_message": "Hello"}}
    ).json()

    [warning] = [event for event in turn["events"] if event["type"] == "workflow_warning"]
    assert warning["warning_message"].startswith("welcome_message: Models read it")

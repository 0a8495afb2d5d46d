"""Turns over a real socket (``platform.md#execute`` and ``platform.md#node-inputs``)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conformance.graphs import chat, direct, graph, greeting, shop, static, when
from tests.conformance.served import UNKNOWN, create, execute, human, record, run_input, spoken

RESULT = {
    "run_id",
    "status",
    "turn_number",
    "events",
    "is_waiting_for_input",
    "is_completed",
    "error",
    "next_input_hint",
    "has_active_companions",
    "has_background_work",
}
TYPED = {
    "dynamic_variables": {},
    "runtime_variables": {},
    "miscellaneous": {},
    "command": "start",
    "workflow_id": None,
    "version_number": 0,
    "run_by": None,
    "workflow_run_id": None,
    "team_id": None,
    "start_node_logical_id": None,
    "initial_state": None,
    "thread_to_node_inputs": {},
    "welcome_message": None,
}
"""What the client's typed input dumps (2.2 b)."""


def send(api, workflow_id, body, **query):
    return api.post(f"/v1/workflows/{workflow_id}/execute", json=body, params=query)


def test_waiting_turn_names_its_prompt(api):
    result = execute(api, create(api, shop())).json()

    assert set(result) == RESULT
    assert (result["status"], result["turn_number"]) == ("waiting_for_user_input", 1)
    assert (result["is_waiting_for_input"], result["is_completed"]) == (True, False)
    hint = result["next_input_hint"]
    assert (hint["type"], hint["origin_node_logical_id"]) == ("busy_wait_for_user_message", "ask")
    assert (hint["origin_thread_id"], hint["thread_reference_id"]) == ("0", "0")


def test_turns_of_a_session_make_one_run(api):
    workflow_id = create(api, shop())
    first = execute(api, workflow_id, run_by="qa", dynamic_variables={"shop": "Leaf & Co"}).json()
    second = execute(api, workflow_id, "Hm.", first["run_id"]).json()
    done = {"done": True, "tea": "Assam"}
    third = execute(api, workflow_id, "Assam", first["run_id"], runtime_variables=done).json()

    assert spoken(first)[0] == "Welcome to Leaf & Co"
    assert [result["turn_number"] for result in (first, second, third)] == [1, 2, 3]
    assert (third["status"], third["is_completed"]) == ("completed", True)
    assert spoken(third)[-1] == "Enjoy your Assam"
    run = record(api, first["run_id"])
    assert (run["status"], run["run_by"], len(run["input_output_pairs"])) == ("completed", "qa", 3)
    assert [pair["run_output"]["events"] for pair in run["input_output_pairs"]] == [
        result["events"] for result in (first, second, third)
    ]


def test_every_event_has_the_envelope(api):
    result = execute(api, create(api, shop()), "Hello").json()

    for event in result["events"]:
        assert {"type", "logical_id", "timestamp", "origin_thread_id", "comments", "interrupted"} <= set(
            event
        )
        assert isinstance(event["timestamp"], float)
        assert "data" not in event


@pytest.mark.parametrize("command", ["data", "start", "resume"])
def test_later_turn_ignores_the_command(api, command):
    workflow_id = create(api, graph(chat("ask")))
    run_id = execute(api, workflow_id).json()["run_id"]

    result = execute(api, workflow_id, "Hello", run_id, command=command).json()

    assert (result["run_id"], result["turn_number"]) == (run_id, 2)


def test_typed_input_starts_and_continues_a_run(api):
    workflow_id = create(api, graph(chat("ask")))

    first = send(api, workflow_id, {"run_input": TYPED}).json()
    second = send(api, workflow_id, {"run_input": TYPED, "run_id": first["run_id"]}).json()

    assert (first["status"], first["turn_number"]) == ("waiting_for_user_input", 1)
    assert (second["run_id"], second["turn_number"]) == (first["run_id"], 2)


@pytest.mark.parametrize(
    "message", [human("Hello"), {"type": "human", "content": "Hello"}, {"role": "user", "content": "Hello"}]
)
def test_messages_of_both_styles_get_an_id(api, message):
    inputs = {"0": {"node_run_inputs": [{"type": "llm", "messages": [message]}]}}
    body = {"run_input": {"command": "start", "thread_to_node_inputs": inputs}}

    result = send(api, create(api, graph(chat("ask"))), body).json()

    taken = next(event for event in result["events"] if event["type"] == "user_messages")["messages"]
    assert [(one["type"], one["content"]) for one in taken] == [("human", "Hello")]
    assert taken[0]["id"]


@pytest.mark.parametrize(
    "node_input",
    [
        {"messages": [{"text": "Hello"}]},
        {"messages": [human("Hello")], "node_logical_id": "bye"},
        {"type": "http_request", "node_logical_id": "ask"},
    ],
)
def test_unusable_input_is_refused_without_a_turn(api, node_input):
    workflow_id = create(api, graph(chat("ask"), static("bye", "Bye"), direct("ask", "bye")))
    run_id = execute(api, workflow_id).json()["run_id"]
    inputs = {"0": {"node_run_inputs": [node_input]}}
    body = {"run_input": {"command": "data", "thread_to_node_inputs": inputs}, "run_id": run_id}

    answer = send(api, workflow_id, body)

    assert answer.status_code == 422
    assert "thread_to_node_inputs.0.node_run_inputs[0]" in answer.text
    assert execute(api, workflow_id, "Hello", run_id).json()["turn_number"] == 2


@pytest.mark.parametrize(
    ("query", "number", "expected"),
    [
        ({}, None, "one"),
        ({}, 0, "one"),
        ({}, 2, "two"),
        ({"version": 0}, 2, "zero"),
        ({"version": 2}, None, "two"),
    ],
)
def test_version_is_of_query_input_or_active(api, query, number, expected):
    workflow_id = create(api, greeting("zero"))
    for version, text in ((1, "one"), (2, "two")):
        path = f"/v1/workflows/{workflow_id}/versions"
        api.post(path, json={"mark_as_active": version == 1})
        api.patch(f"{path}/{version}/config", json={"config": greeting(text)})
    fields = {} if number is None else {"version_number": number}

    assert spoken(execute(api, workflow_id, query=query, **fields).json()) == [expected]


def test_version_of_later_turn_is_ignored(api):
    workflow_id = create(api, graph(chat("ask")))
    run_id = execute(api, workflow_id).json()["run_id"]

    assert execute(api, workflow_id, "Hello", run_id, query={"version": 9}).status_code == 200
    assert execute(api, workflow_id, query={"version": 9}).status_code == 404
    assert execute(api, workflow_id, query={"version": -1}).status_code == 422


def test_stopped_run_is_cancelled_and_has_no_session(api):
    workflow_id = create(api, graph(chat("ask")))
    run_id = execute(api, workflow_id).json()["run_id"]

    stopped = execute(api, workflow_id, run_id=run_id, command="stop").json()
    later = execute(api, workflow_id, "Hello", run_id)

    assert (stopped["status"], stopped["is_completed"]) == ("cancelled", True)
    assert (later.status_code, later.json()) == (404, {"detail": "Session not found"})


def test_a_paused_run_is_resumed(api):
    workflow_id = create(api, graph(chat("ask")))
    run_id = execute(api, workflow_id).json()["run_id"]

    paused = execute(api, workflow_id, run_id=run_id, command="pause").json()
    resumed = execute(api, workflow_id, "Hello", run_id, command="resume").json()

    assert paused["is_completed"] is False
    assert resumed["turn_number"] == 3


@pytest.mark.parametrize("run_id", [UNKNOWN, None])
def test_unknown_or_finished_run_has_no_session(api, run_id):
    workflow_id = create(api, greeting())
    run_id = run_id or execute(api, workflow_id).json()["run_id"]
    path = f"/v1/workflows/{workflow_id}/runs/{run_id}/pump-companions"

    for answer in (execute(api, workflow_id, "Hello", run_id), api.post(path)):
        assert (answer.status_code, answer.json()) == (404, {"detail": "Session not found"})


def test_graph_without_start_is_refused(api):
    document = graph({**static("hello", "Hello"), "is_start": False}, static("bye", "Bye"))
    document["node_configs"] = [{**node, "is_start": False} for node in document["node_configs"]]

    answer = execute(api, create(api, document))

    assert answer.status_code == 500
    assert "No start node found" in answer.json()["detail"]


def test_failed_run_answers_200_with_its_error(api):
    workflow_id = create(api, graph(chat("ask"), static("bye", "Bye"), when("ask", "bye", "[[x]] ===")))

    answer = execute(api, workflow_id, "Hello")

    result = answer.json()
    assert answer.status_code == 200
    assert (result["status"], result["is_completed"]) == ("failed", True)
    assert result["error"]
    assert result["events"][-1]["type"] == "workflow_error"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, ["body", "run_input"]),
        ({"run_input": None}, ["body", "run_input"]),
        ({"run_input": {"command": "continue"}}, ["body", "run_input", "command"]),
        ({"run_input": {"dynamic_variables": []}}, ["body", "run_input", "dynamic_variables"]),
        ({"run_input": {}, "run_id": "nope"}, ["body", "run_id"]),
    ],
)
def test_malformed_input_is_named_by_place(api, body, place):
    answer = send(api, create(api, greeting()), body)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == place


def test_secrets_are_neither_answered_nor_stored(api):
    answer = execute(api, create(api, greeting("{{pin}}")), secret_variables={"pin": "hunter2"})
    stored = api.get(f"/v1/workflow-runs/{answer.json()['run_id']}")

    assert "hunter2" not in answer.text + stored.text
    assert "hunter2" not in api.log.read_text()


def poller():
    """Return a companion that counts to two beside a chat."""
    code = "def count(n):\n    return int(n) + 1 if str(n).isdigit() else 1\n"
    poll = {
        "type": "tool_node",
        "logical_id": "poll",
        "name": "Poll",
        "tool_config": {"type": "inline_python", "name": "count", "code": code},
        "tool_arguments": {"n": "[[attempts]]"},
        "result_runtime_variable_name": "attempts",
        "self_loop_config": {"enabled": True, "max_retries": 10, "time_between_retries": 0},
    }
    waking = {"enabled": True, "trigger_mode": "on_node_completion", "trigger_node_logical_ids": ["poll"]}
    fork = {**direct("entry", "poll"), "companion_thread_config": {"is_companion_thread": True}}
    fork["companion_thread_config"]["thread_id"] = "lab"
    enough = "[[thread_lab.attempts]] >= 2"
    return graph(
        {"type": "no_op", "logical_id": "entry", "name": "Entry"},
        chat("ask"),
        poll,
        {"type": "no_op", "logical_id": "landing", "name": "Landing"},
        static("ready", "Your results are here."),
        direct("entry", "ask"),
        fork,
        when("poll", "landing", "[[attempts]] >= 2"),
        when("ask", "ready", enough, evaluate_while_waiting_config=waking),
    )


def test_background_work_is_pumped_without_a_turn(api):
    workflow_id = create(api, poller())
    result = execute(api, workflow_id).json()
    path = f"/v1/workflows/{workflow_id}/runs/{result['run_id']}/pump-companions"
    assert result["has_background_work"] is True

    said, deadline = [], time.monotonic() + 60
    while result["has_background_work"] and time.monotonic() < deadline:
        result = api.post(path).json()
        said += spoken(result)

    assert set(result) == RESULT
    assert "Your results are here." in said
    assert (result["status"], result["turn_number"]) == ("completed", 1)


def test_concurrent_turns_are_one_turn_and_one_conflict(api):
    slow = {"type": "no_op", "logical_id": "slow", "name": "Slow", "delay_seconds": 1}
    workflow_id = create(api, graph(chat("ask"), slow, when("ask", "slow", "1 == 1"), direct("slow", "ask")))
    run_id = execute(api, workflow_id).json()["run_id"]

    with ThreadPoolExecutor() as threads:
        answers = list(threads.map(lambda _: execute(api, workflow_id, "Hello", run_id), range(2)))

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert isinstance(next(a for a in answers if a.status_code == 409).json()["detail"], str)
    assert len(record(api, run_id)["input_output_pairs"]) == 2


def test_older_route_runs_turns_and_answers_the_record(api):
    workflow_id = create(api, graph(chat("ask")))

    first = api.post("/v1/workflow-runs", json=run_input(workflow_id=workflow_id)).json()
    run_id = first["workflow_run"]["_id"]
    more = run_input("Hello", command="data", workflow_id=workflow_id, workflow_run_id=run_id)
    second = api.post("/v1/workflow-runs", json=more).json()

    assert len(first["workflow_run"]["workflow_run"]["input_output_pairs"]) == 1
    assert len(second["workflow_run"]["workflow_run"]["input_output_pairs"]) == 2
    assert api.post("/v1/workflow-runs", json=run_input()).status_code == 422

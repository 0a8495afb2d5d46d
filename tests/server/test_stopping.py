"""Stopping runs whose turns are being executed, by requests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from tests.support.companions import lab
from tests.support.factories import direct, document, say, static, tool, when
from tests.support.server_sockets import saying

ENDLESS = "def endless():\n    while True:\n        pass\n"
ENDLESS_POLL = "def poll(n):\n    while str(n).isdigit():\n        pass\n    return 1\n"


def create(api, graph):
    return api.post("/v1/workflows", json={**graph, "name": "Tea"}).json()["workflow"]["_id"]


def execute(api, workflow_id, run_id=None, **run_input):
    body = {"run_input": run_input} | ({"run_id": run_id} if run_id else {})
    return api.post(f"/v1/workflows/{workflow_id}/execute", json=body)


def runs(api, workflow_id):
    rows = api.get("/v1/workflow-runs", params={"workflow_id": workflow_id}).json()["workflow_runs"]
    return [row["workflow_run"] for row in rows]


def await_status(api, workflow_id, status):
    """Return the run's id once the list says that it has a status."""
    for _ in range(500):
        found = [run["workflow_run_id"] for run in runs(api, workflow_id) if run["status"] == status]
        if found:
            return found[0]
        Event().wait(0.02)
    raise AssertionError(f"no run is {status}")


def test_first_turn_is_stopped_by_listed_run_id(api):
    workflow_id = create(
        api, document(static("a", "Hello"), tool("endless", ENDLESS), direct("a", "endless"))
    )
    with ThreadPoolExecutor() as threads:
        turn = threads.submit(execute, api, workflow_id)
        run_id = await_status(api, workflow_id, "running")

        stopped = execute(api, workflow_id, run_id, command="stop")

        assert turn.result(10).content == stopped.content
    again = execute(api, workflow_id, run_id, command="stop")
    told = stopped.json()
    assert (told["status"], told["is_completed"], told["turn_number"]) == ("cancelled", True, 1)
    assert again.content == stopped.content
    assert [run["status"] for run in runs(api, workflow_id)] == ["cancelled"]


def test_stopped_turn_is_recorded(api):
    graph = document(say("ask"), tool("endless", ENDLESS), when("ask", "endless", "1 == 1"))
    workflow_id = create(api, graph)
    run_id = execute(api, workflow_id).json()["run_id"]
    with ThreadPoolExecutor() as threads:
        turn = threads.submit(execute, api, workflow_id, run_id, thread_to_node_inputs=saying("x"))
        await_status(api, workflow_id, "running")

        stopped = execute(api, workflow_id, run_id, command="stop")

        assert turn.result(10).content == stopped.content
    assert (stopped.json()["status"], stopped.json()["turn_number"]) == ("cancelled", 2)


def test_many_stops_at_once_answer_the_same(api):
    workflow_id = create(
        api, document(static("a", "Hello"), tool("endless", ENDLESS), direct("a", "endless"))
    )
    with ThreadPoolExecutor() as threads:
        turn = threads.submit(execute, api, workflow_id)
        run_id = await_status(api, workflow_id, "running")
        stops = [threads.submit(execute, api, workflow_id, run_id, command="stop") for _ in range(6)]

        answers = {stop.result(10).content for stop in stops} | {turn.result(10).content}

    assert len(answers) == 1


@pytest.mark.parametrize("turns", [1, 3])
def test_second_stop_answers_as_first(api, turns):
    workflow_id = create(api, document(say("ask")))
    run_id = execute(api, workflow_id).json()["run_id"]
    for _ in range(turns - 1):
        execute(api, workflow_id, run_id, command="data")

    first, second = (execute(api, workflow_id, run_id, command="stop") for _ in range(2))

    assert (first.status_code, first.json()["status"]) == (200, "cancelled")
    assert second.content == first.content


def test_ended_run_has_nothing_to_stop(api):
    workflow_id = create(api, document(static("a", "Hello")))
    run_id = execute(api, workflow_id).json()["run_id"]

    assert execute(api, workflow_id, run_id, command="stop").json() == {"detail": "Session not found"}


def test_a_stop_through_another_workflow_stops_nothing(api):
    graph = document(say("ask"), tool("endless", ENDLESS), when("ask", "endless", "1 == 1"))
    workflow_id, other_id = create(api, graph), create(api, graph)
    run_id = execute(api, workflow_id).json()["run_id"]
    with ThreadPoolExecutor() as threads:
        turn = threads.submit(execute, api, workflow_id, run_id, thread_to_node_inputs=saying("x"))
        await_status(api, workflow_id, "running")

        refused = execute(api, other_id, run_id, command="stop")
        assert not turn.done()
        execute(api, workflow_id, run_id, command="stop")

    assert refused.status_code == 422


def test_a_step_of_background_work_is_stopped(api, embedded):
    graph = lab(pause=1, checks=2)
    for part in graph["node_configs"]:
        if part["logical_id"] == "poll":
            part["tool_config"]["code"] = ENDLESS_POLL
    workflow_id = create(api, graph)
    run_id = execute(api, workflow_id).json()["run_id"]
    path = f"/v1/workflows/{workflow_id}/runs/{run_id}/pump-companions"

    def pump():
        while True:
            result = api.post(path).json()
            if result["is_completed"]:
                return result
            Event().wait(0.05)

    with ThreadPoolExecutor() as threads:
        step = threads.submit(pump)
        seen: list[str | None] = []
        while len(seen) < 20 or seen[-1] is None or len(set(seen[-20:])) > 1:
            claimed = embedded.store.claims.position(run_id).claimed
            seen.append(claimed and claimed.claim_id)
            assert len(seen) < 1000
            Event().wait(0.02)

        stopped = execute(api, workflow_id, run_id, command="stop").json()

        assert step.result(10)["status"] == "cancelled"
    assert stopped["status"] == "cancelled"

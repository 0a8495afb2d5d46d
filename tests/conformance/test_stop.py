"""Stop of a run through a server that does not execute it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conformance.graphs import chat, graph, when
from tests.conformance.served import create, execute, headers, record
from tests.conformance.server_process import server_process
from tests.conformance.talks import write_script
from tests.support.factories import tool
from tests.support.server_sockets import opened, saying

ENDLESS = "def endless():\n    while True:\n        pass\n"


@pytest.fixture
def servers(database, tmp_path):
    """Yield two servers on one database, each with a client."""
    scripts = write_script(tmp_path)
    with (
        server_process(database, tmp_path / "one", scripts) as one,
        server_process(database, tmp_path / "two", scripts) as two,
        one.client() as first,
        two.client() as second,
    ):
        yield (one, first), (two, second)


def endless(api):
    return create(api, graph(chat("ask"), tool("endless", ENDLESS), when("ask", "endless", "1 == 1")))


def await_running(api, workflow_id):
    """Return the run of a workflow once its turn is executing."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        rows = api.get("/v1/workflow-runs", params={"workflow_id": workflow_id}).json()["workflow_runs"]
        for run in (row["workflow_run"] for row in rows):
            if run["status"] == "running":
                return run["workflow_run_id"]
        time.sleep(0.02)
    raise AssertionError("no run is being executed")


@pytest.mark.parametrize("is_first", [True, False])
def test_turn_of_another_process_is_stopped(servers, is_first):
    (_, first), (_, second) = servers
    workflow_id = endless(first)
    run_id = None if is_first else execute(first, workflow_id).json()["run_id"]
    with ThreadPoolExecutor() as threads:
        turn = threads.submit(execute, first, workflow_id, "go", run_id)
        running_id = await_running(second, workflow_id)

        began = time.monotonic()
        stopped = execute(second, workflow_id, None, running_id, command="stop")
        took = time.monotonic() - began

        assert turn.result(10).json() == stopped.json()
    again = [execute(api, workflow_id, None, running_id, command="stop") for api in (first, second)]
    assert run_id in (None, running_id)
    assert (stopped.json()["status"], stopped.json()["is_completed"]) == ("cancelled", True)
    assert stopped.json()["turn_number"] == (1 if is_first else 2)
    assert {answer.content for answer in again} == {stopped.content}
    assert took < 5
    assert record(first, running_id)["status"] == "cancelled"


def test_socket_turn_is_stopped_over_another_process(servers):
    (_, first), (_, second) = servers
    workflow_id = endless(first)
    with (
        opened(first, additional_headers=headers()) as one,
        opened(second, additional_headers=headers()) as two,
    ):
        one.send(workflow_id=workflow_id, thread_to_node_inputs=saying("go"))
        run_id = one.receive()["workflow_run_id"]
        await_running(second, workflow_id)

        two.send(workflow_id=workflow_id, workflow_run_id=run_id, command="stop")

        assert two.closed()[0] == one.closed()[0] == 1000
    assert record(second, run_id)["status"] == "cancelled"


def test_run_of_killed_server_is_stopped_through_another(servers):
    (killed, first), (_, second) = servers
    workflow_id = endless(first)
    run_id = execute(first, workflow_id).json()["run_id"]
    with ThreadPoolExecutor() as threads:
        turn = threads.submit(execute, first, workflow_id, "go", run_id)
        await_running(second, workflow_id)
        killed.kill()
        assert turn.exception(10) is not None

    stopped = execute(second, workflow_id, None, run_id, command="stop").json()

    assert (stopped["status"], stopped["turn_number"]) == ("cancelled", 2)

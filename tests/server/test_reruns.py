from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import NotFoundError
from debugger.protocol.runs import TurnInput
from debugger.server.turn_limiter import QueueFullError, TurnLimiter
from debugger.settings import Settings
from tests.server.conftest import serving
from tests.support.factories import document, say
from tests.support.server_metrics import counted
from tests.support.server_sockets import create, opened, saying

WAIT = 10


def ended_run(backend):
    """A workflow, and a stopped run of one turn."""
    workflow_id = backend.create_workflow(document(say("chat"))).id
    run_id = backend.execute(workflow_id, TurnInput.with_message("First words")).finish().run_id
    backend.execute(workflow_id, TurnInput.with_message(None, command="stop"), run_id=run_id).finish()
    return workflow_id, run_id


def turn_count(backend, run_id):
    try:
        return backend.store.checkpoint(run_id).turn_number
    except NotFoundError:
        return 0


class Closable(TurnLimiter):
    """A limiter whose queue is full from a moment on."""

    is_full = False

    async def run(self, key_id, work, *, is_stop=False):
        if self.is_full:
            raise QueueFullError("full")
        return await super().run(key_id, work, is_stop=is_stop)


def test_accepted_rerun_takes_its_turn(embedded, monkeypatch):
    _, run_id = ended_run(embedded)
    limiter, begin = Closable(), embedded.forks.begin

    def begin_while_queue_fills(*args, **options):
        new_id = begin(*args, **options)
        limiter.is_full = True
        return new_id

    monkeypatch.setattr(embedded.forks, "begin", begin_while_queue_fills)
    with serving(embedded, turns=limiter) as client:
        answer = client.post(f"/v1/workflow-runs/{run_id}/turns/0/rerun", json={"message": "Again"})
        new_id, until = answer.json()["workflow_run_id"], time.monotonic() + WAIT
        while turn_count(embedded, new_id) < 1 and time.monotonic() < until:
            time.sleep(0.02)

    assert answer.status_code == 202
    assert turn_count(embedded, new_id) == 1


def test_refused_rerun_leaves_no_run(embedded):
    workflow_id, run_id = ended_run(embedded)
    limiter = Closable()
    limiter.is_full = True

    with serving(embedded, turns=limiter) as client:
        answer = client.post(f"/v1/workflow-runs/{run_id}/turns/0/rerun", json={"message": "Again"})

    assert answer.status_code == 429
    assert embedded.runs(workflow_id=workflow_id).total == 1


def test_refused_rerun_is_counted(embedded):
    _, run_id = ended_run(embedded)
    limiter = Closable()
    limiter.is_full = True

    with serving(embedded, turns=limiter) as client:
        client.post(f"/v1/workflow-runs/{run_id}/turns/0/rerun", json={"message": "Again"})

        assert counted(client, "debugger_turns_total", status="refused") == 1


def test_waiting_reruns_respect_the_limit(embedded):
    workflow_id, run_id = ended_run(embedded)
    embedded.store.catalogue.note(workflow_id, max_concurrent_runs=1)
    limiter, may_go, asked = TurnLimiter(1), threading.Event(), []

    class Held(TurnLimiter):
        async def run(self, key_id, work, *, is_stop=False):
            asked.append(work)
            return await limiter.run(key_id, lambda: may_go.wait(WAIT) and work(), is_stop=is_stop)

    with serving(embedded, turns=Held()) as client, ThreadPoolExecutor(4) as threads:
        path = f"/v1/workflow-runs/{run_id}/turns/0/rerun"
        answers = [threads.submit(client.post, path, json={"message": "Again"}) for _ in range(4)]
        until = time.monotonic() + WAIT
        while len(asked) < 4 and time.monotonic() < until:
            time.sleep(0.01)
        may_go.set()
        statuses = sorted(answer.result().status_code for answer in answers)

    assert statuses == [202, 429, 429, 429]


@pytest.fixture
def strict(tmp_path):
    """A server that re-runs as the platform does, and its backend."""
    database = f"sqlite:///{tmp_path}/runs.sqlite3"
    settings = Settings(database=database, responder="rules", socket_reruns_only=True)
    with closing(EmbeddedBackend(settings)) as backend, serving(backend) as client:
        yield client, backend


def test_run_by_requests_is_not_rerun_where_so_set(strict):
    api, backend = strict
    _, run_id = ended_run(backend)
    place = f"/v1/workflow-runs/{run_id}"

    [turn, _] = api.get(f"{place}/rerunnable-turns").json()["turns"]
    checked = api.post(f"{place}/turns/0/rerun-preflight", json={}).json()
    refused = [api.post(f"{place}/turns/0/{path}", json={}) for path in ("rerun-token", "rerun")]

    assert (turn["rerunnable"], checked["rerunnable"]) == (False, False)
    assert "snapshot" in turn["reason"]
    assert checked["reason"] == turn["reason"]
    assert [answer.status_code for answer in refused] == [409, 409]
    assert backend.runs().total == 1


def test_run_over_socket_is_rerun_where_so_set(strict):
    api, backend = strict
    workflow_id = create(api, say("chat"))
    with opened(api) as socket:
        run_id = socket.turn(workflow_id=workflow_id, command="start")[0]["workflow_run_id"]
        api.post(
            f"/v1/workflows/{workflow_id}/execute",
            json={"run_id": run_id, "run_input": {"command": "data", "thread_to_node_inputs": saying("Hi")}},
        )

    turns = api.get(f"/v1/workflow-runs/{run_id}/rerunnable-turns").json()["turns"]
    again = api.post(f"/v1/workflow-runs/{run_id}/turns/1/rerun", params={"async": False}, json={}).json()

    assert [turn["rerunnable"] for turn in turns] == [True, True]
    assert backend.run(again["workflow_run_id"]).status == "waiting_for_user_input"


def test_every_run_is_rerun_by_default(api, embedded):
    _, run_id = ended_run(embedded)

    turns = api.get(f"/v1/workflow-runs/{run_id}/rerunnable-turns").json()["turns"]

    assert [turn["rerunnable"] for turn in turns] == [True, True]


@pytest.mark.parametrize("history", ["FULL", "NONE"])
def test_rerun_by_token_is_rerun_again_where_so_set(strict, history):
    api, _ = strict
    workflow_id = create(api, say("chat"))
    with opened(api) as socket:
        run_id = socket.turn(workflow_id=workflow_id, command="start")[0]["workflow_run_id"]
    place = f"/v1/workflow-runs/{run_id}/turns/0/rerun-token"
    token = api.post(place, json={"history_mode": history}).json()["rerun_token"]

    with opened(api) as socket:
        hello = socket.turn(workflow_id=workflow_id, command="start", rerun_token=token)[0]
        socket.turn(command="data", thread_to_node_inputs=saying("Hi"))

    turns = api.get(f"/v1/workflow-runs/{hello['workflow_run_id']}/rerunnable-turns").json()["turns"]
    assert turns
    assert {turn["rerunnable"] for turn in turns} == {True}

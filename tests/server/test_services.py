from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import RateLimitError
from debugger.protocol.runs import TurnInput
from debugger.server import services
from debugger.server.services import BackgroundOwners, RunLimiter
from debugger.settings import Settings
from debugger.store import TurnClaim, new_id
from tests.support.factories import document, say, static

WAIT = 10


def test_last_socket_owns_background_work():
    owners = BackgroundOwners()
    one, other = object(), object()

    owners.acquire("run", one)
    owners.acquire("run", other)

    assert not owners.is_owner("run", one)
    assert owners.is_owner("run", other)


def test_release_leaves_other_owners_alone():
    owners = BackgroundOwners()
    one, other = object(), object()
    owners.acquire("run", one)
    owners.acquire("run", other)

    owners.release("run", one)
    assert owners.is_owner("run", other)

    owners.release("run", other)
    assert not owners.is_owner("run", other)


def test_admission_counts_a_running_first_turn_once(embedded):
    workflow_id = embedded.create_workflow(document(say("chat"))).id
    embedded.store.catalogue.note(workflow_id, max_concurrent_runs=2)
    admitting = RunLimiter()

    def begin():
        is_limited = admitting.prepare(embedded, workflow_id)
        return embedded.execute(workflow_id, TurnInput.with_message(None), is_limited=is_limited)

    first, second = begin(), begin()
    with pytest.raises(RateLimitError, match="2 runs"):
        begin()
    first.close()
    third = begin()

    assert third.finish().status == second.finish().status == "waiting_for_user_input"


def test_start_ignores_claims_of_ended_processes(embedded):
    workflow_id = embedded.create_workflow(document(say("chat"))).id
    embedded.store.catalogue.note(workflow_id, max_concurrent_runs=1)
    lost = TurnClaim(
        run_id=new_id(),
        turn_number=1,
        workflow_id=workflow_id,
        version_number=0,
        begins_run=True,
        run_status="started",
        started_at=1.0,
        owner="another machine",
        lease_seconds=0.0,
        pair=b'{"run_input":{}}',
        user_turn_number=1,
    )
    embedded.store.claims.take(lost)

    is_limited = RunLimiter().prepare(embedded, workflow_id)
    result = embedded.execute(workflow_id, TurnInput.with_message(None), is_limited=is_limited).finish()

    assert result.status == "waiting_for_user_input"
    assert embedded.store.run(lost.run_id).status == "failed"


def test_deleted_run_does_not_count(embedded):
    workflow_id = embedded.create_workflow(document(say("chat"))).id
    embedded.store.catalogue.note(workflow_id, max_concurrent_runs=1)
    limiter = RunLimiter()

    def begin():
        is_limited = limiter.prepare(embedded, workflow_id)
        stream = embedded.execute(workflow_id, TurnInput.with_message(None), is_limited=is_limited)
        return stream.finish().run_id

    first = begin()
    embedded.store.hidden.hide([first], "Ada")
    second = begin()

    assert second != first
    with pytest.raises(RateLimitError):
        begin()


def test_admission_of_many_threads_admits_the_limit(embedded):
    workflow_id = embedded.create_workflow(document(say("chat"))).id
    embedded.store.catalogue.note(workflow_id, max_concurrent_runs=3)
    admitting, together, streams = RunLimiter(), threading.Barrier(8), []

    def attempt():
        together.wait(10)
        is_limited = admitting.prepare(embedded, workflow_id)
        with suppress(RateLimitError):
            turn_input = TurnInput.with_message(None)
            streams.append(embedded.execute(workflow_id, turn_input, is_limited=is_limited))

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(streams) == 3


def test_start_remembers_no_unknown_workflows(embedded):
    limiter = RunLimiter()
    limited = embedded.create_workflow(document(say("chat"))).id
    embedded.store.catalogue.note(limited, max_concurrent_runs=1)

    for workflow_id in [limited, *(new_id() for _ in range(50))]:
        limiter.prepare(embedded, workflow_id)

    assert set(limiter._rules) == {limited}


def test_start_uses_graph_changed_by_other_server(serve, tmp_path, monkeypatch):
    database = f"sqlite:///{tmp_path}/shared.sqlite3"
    backends = [EmbeddedBackend(Settings(database=database, responder="rules")) for _ in range(2)]
    one, other = (serve(backend) for backend in backends)
    body = {**document(static("a", "before")), "name": "Tea"}
    workflow_id = one.post("/v1/workflows", json=body).json()["workflow"]["_id"]

    def said(client):
        result = client.post(f"/v1/workflows/{workflow_id}/execute", json={"run_input": {}}).json()
        return [event["content"] for event in result["events"] if event["type"] == "assistant_response"]

    before = said(one), said(other)
    changed = {"config": document(static("a", "after"))}
    one.patch(f"/v1/workflows/{workflow_id}/versions/0/config", json=changed)

    assert before == (["before"], ["before"])
    assert said(one) == ["after"]
    monkeypatch.setattr(services, "FRESH_SECONDS", 0.0)
    assert said(other) == ["after"]
    for backend in backends:
        backend.close()


def call_together(barrier, method, *args, **options):
    barrier.wait(WAIT)
    return method(*args, **options)


def post_at_once(clients, path, body, *parts):
    """Post a request over all clients; return the statuses in order.

    All of them wait for each other before each part, an object and the name of its method.
    """
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(len(clients)) as threads:
        for client in clients:  # builds the route, which two threads of one process cannot do at once
            client.post(path, content=b"no JSON")
        for objects, name in parts:
            together = threading.Barrier(len(clients))
            for one in objects:
                patch.setattr(one, name, partial(call_together, together, getattr(one, name)))
        answers = [threads.submit(client.post, path, json=body) for client in clients]
        return sorted(answer.result().status_code for answer in answers)


def test_two_servers_start_one_limited_run(pair):
    backends, clients = pair
    workflow_id = backends[0].create_workflow(document(say("chat"))).id
    backends[0].store.catalogue.note(workflow_id, max_concurrent_runs=1)
    claim = [backend._leases for backend in backends], "take"

    statuses = post_at_once(clients, f"/v1/workflows/{workflow_id}/execute", {"run_input": {}}, claim)

    assert statuses == [200, 429]
    assert backends[0].runs(workflow_id=workflow_id).total == 1


@pytest.mark.parametrize("body", [{}, {"message": "Again"}])
def test_two_servers_rerun_within_limit(pair, body):
    backends, clients = pair
    workflow_id = backends[0].create_workflow(document(say("chat"))).id
    run_id = backends[0].execute(workflow_id, TurnInput.with_message("First words")).finish().run_id
    stop = TurnInput.with_message(None, command="stop")
    backends[0].execute(workflow_id, stop, run_id=run_id).finish()
    backends[0].store.catalogue.note(workflow_id, max_concurrent_runs=1)
    parts = [([backend.store.forks for backend in backends], "create")]
    if body:
        parts.append(([backend._leases for backend in backends], "take"))

    path = f"/v1/workflow-runs/{run_id}/turns/0/rerun?async=false"
    statuses = post_at_once(clients, path, body, *parts)

    assert statuses == [200, 429]
    assert backends[0].runs(workflow_id=workflow_id).total == 2

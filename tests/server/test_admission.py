from __future__ import annotations

import threading

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import RateLimitError
from debugger.server import admission
from debugger.server.admission import Admission
from debugger.settings import Settings
from tests.factories import document, say, static


def test_runs_whose_first_turn_is_under_way_count_as_well(embedded):
    workflow_id = embedded.create_workflow(document(say("chat"))).id
    embedded.store.catalogue.note(workflow_id, max_concurrent_runs=2)
    admitting = Admission()

    def run():
        return admitting.of(embedded, workflow_id)

    with run(), run(), pytest.raises(RateLimitError, match="2 runs"), run():
        pass
    with run(), run():
        pass


def test_of_many_at_the_same_moment_as_many_are_let_in_as_may(embedded):
    workflow_id = embedded.create_workflow(document(say("chat"))).id
    embedded.store.catalogue.note(workflow_id, max_concurrent_runs=3)
    admitting, tried, let_in = Admission(), threading.Barrier(8), []

    def attempt():
        try:
            with admitting.of(embedded, workflow_id):
                let_in.append(1)
                tried.wait(10)
        except RateLimitError:
            tried.wait(10)

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(let_in) == 3


def test_a_graph_that_another_server_has_changed_counts_soon(serve, tmp_path, monkeypatch):
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
    monkeypatch.setattr(admission, "FRESH_SECONDS", 0.0)
    assert said(other) == ["after"]
    for backend in backends:
        backend.close()

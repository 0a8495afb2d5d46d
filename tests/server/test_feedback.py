from __future__ import annotations

import secrets
from contextlib import closing

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.settings import Settings
from tests.support.companions import lab
from tests.support.factories import document, say
from tests.support.postgres import a_database

JSON = {"Content-Type": "application/json"}


def finished_lab(api):
    """A run whose record has pairs of background work, and which is over."""
    workflow_id = api.post("/v1/workflows", json=lab(pause=0, checks=3)).json()["workflow"]["_id"]
    path = f"/v1/workflows/{workflow_id}"
    result = api.post(f"{path}/execute", json={"run_input": {"command": "start"}}).json()
    for _ in range(20):
        if result["is_completed"]:
            break
        result = api.post(f"{path}/runs/{result['run_id']}/pump-companions", headers=JSON).json()
    assert result["is_completed"]
    return result["run_id"]


def pairs_of(api, run_id):
    record = api.get(f"/v1/workflow-runs/{run_id}").json()["workflow_run"]["workflow_run"]
    return record["input_output_pairs"]


def test_feedback_counts_user_turns_only(api):
    run_id = finished_lab(api)
    assert len(pairs_of(api, run_id)) > 1

    rated = api.put(f"/v1/workflow-runs/{run_id}/turns/0/rating", json={"value": "up"})
    other = api.put(f"/v1/workflow-runs/{run_id}/turns/1/rating", json={"value": "up"})

    assert (rated.status_code, other.status_code) == (200, 404)
    assert [len(pair["ratings"]) for pair in pairs_of(api, run_id)][:2] == [1, 0]


def test_app_and_server_share_feedback(api, embedded):
    workflow_id = api.post("/v1/workflows", json={**document(say("chat")), "name": "Tea"}).json()["workflow"][
        "_id"
    ]
    path = f"/v1/workflows/{workflow_id}/execute"
    run_id = api.post(path, json={"run_input": {}}).json()["run_id"]
    api.post(path, json={"run_input": {"command": "stop"}, "run_id": run_id})

    api.put(f"/v1/workflow-runs/{run_id}/turns/0/rating", json={"value": "up"}, headers={"uuid": "ada"})
    api.post(f"/v1/workflow-runs/{run_id}/comments", json={"content": "Well"})

    notes = embedded.notes.of(run_id)
    assert [(rating.author, rating.target.key) for rating in notes.ratings] == [("ada", "1")]
    assert [(comment.author, comment.content) for comment in notes.comments] == [("me", "Well")]


@pytest.fixture(scope="module")
def on_postgres(serve):
    """A client of a server on a PostgreSQL database."""
    with a_database() as name:
        settings = Settings(database=f"postgresql://postgres@127.0.0.1:5432/{name}", responder="rules")
        with closing(EmbeddedBackend(settings)) as backend:
            yield serve(backend)


def test_long_user_name_is_rejected(on_postgres):
    body = {**document(say("chat")), "name": "Tea"}
    workflow_id = on_postgres.post("/v1/workflows", json=body).json()["workflow"]["_id"]
    path = f"/v1/workflows/{workflow_id}/favorite"

    answers = [
        on_postgres.post(path, headers={**JSON, "uuid": name})
        for name in (secrets.token_hex(2_000), "a" * 201, "a" * 200)
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 200]
    assert answers[0].json()["detail"][0]["loc"] == ["header", "uuid"]

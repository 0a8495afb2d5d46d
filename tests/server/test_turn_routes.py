from __future__ import annotations

from contextlib import closing

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.settings import Settings
from debugger.store import Role
from tests.factories import document, say

ODD = "665f0000000000000000000A"
UNKNOWN = "665f00000000000000000001"


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
        (f"/v1/workflows/{UNKNOWN}/execute?version=many", ["query", "version"]),
        (f"/v1/workflows/{UNKNOWN}/runs/{ODD}/pump-companions", ["path", "run_id"]),
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
            f"/v1/{path.format(id=UNKNOWN)}{query}", json={}, headers={"Authorization": f"Bearer {key}"}
        )

    assert answer.status_code == 403
    assert "the role run" in answer.json()["detail"]

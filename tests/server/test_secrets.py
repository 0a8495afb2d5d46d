from __future__ import annotations

from types import SimpleNamespace

from debugger.errors import NotFoundError
from debugger.protocol.runs import TurnInput
from debugger.server.body import without_secrets
from tests.factories import document, static

UNKNOWN = "665f00000000000000000001"


def test_without_secrets_unwraps_documents():
    graph = {
        "workflow_config": {"name": "Tea", "secret_variables": 1},
        "secret_variables": 2,
        "node_configs": [],
    }
    sent = {"workflow": {"workflow_config": graph, "secret_variables": 3}, "other": {"a": [1]}}

    kept = without_secrets(sent)

    assert kept == {
        "workflow": {"workflow_config": {"workflow_config": {"name": "Tea"}, "node_configs": []}},
        "other": {"a": [1]},
    }
    assert graph["secret_variables"] == 2


def test_no_backend_is_given_a_secret(serve):
    given = []

    def take(*arguments, **_):
        given.append([part.to_wire() if isinstance(part, TurnInput) else part for part in arguments])
        raise NotFoundError("There is nothing.")

    client = serve(SimpleNamespace(create_workflow=take, execute=take))
    graph = {**document(static("a", "Hello")), "secret_variables": {"pin": "hunter2"}}
    run_input = {"command": "start", "secret_variables": {"pin": "hunter2"}, "future": 1}

    client.post("/v1/workflows", json=graph)
    client.post("/v1/workflows", json={"name": "Tea", "config": graph})
    client.post(f"/v1/workflows/{UNKNOWN}/execute", json={"run_input": run_input})

    assert len(given) == 3
    assert given[2][1]["future"] == 1
    assert "hunter2" not in str(given)

from __future__ import annotations

from debugger.protocol.base import without_secret_variables


def test_without_secret_variables_unwraps_documents():
    graph = {
        "workflow_config": {"name": "Tea", "secret_variables": 1},
        "secret_variables": 2,
        "node_configs": [],
    }
    sent = {"workflow": {"workflow_config": graph, "secret_variables": 3}, "other": {"a": [1]}}

    kept = without_secret_variables(sent)

    assert kept == {
        "workflow": {"workflow_config": {"workflow_config": {"name": "Tea"}, "node_configs": []}},
        "other": {"a": [1]},
    }
    assert graph["secret_variables"] == 2


def test_without_secret_variables_reads_embedded_workflows():
    inner = {"workflow_config": {"secret_variables": 1, "node_configs": []}, "secret_variables": 2}
    middle = {"node_configs": [{"logical_id": "b", "encapsulated_workflow_config": inner}]}
    sent = {"node_configs": [{"logical_id": "a", "encapsulated_workflow_config": middle}, "odd", None]}

    kept = without_secret_variables(sent)

    cleaned = {"workflow_config": {"node_configs": []}}
    assert kept["node_configs"][0]["encapsulated_workflow_config"] == {
        "node_configs": [{"logical_id": "b", "encapsulated_workflow_config": cleaned}]
    }
    assert kept["node_configs"][1:] == ["odd", None]
    assert "secret_variables" in inner

"""Versions over a real socket.

Source: ``platform.md#workflow-routes``, ``platform.md#version-answer`` and ``platform.md#version-diff``.
"""

from __future__ import annotations

import pytest

from tests.conformance.graphs import chat, direct, graph, greeting, static
from tests.conformance.served import PAGING, create, execute, spoken


def versions(api, workflow_id):
    return api.get(f"/v1/workflows/{workflow_id}/versions").json()["versions"]


def add(api, workflow_id, **fields):
    body = {"mark_as_active": False, **fields}
    answer = api.post(f"/v1/workflows/{workflow_id}/versions", json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def test_new_workflow_has_active_version_0(api):
    answer = api.get(f"/v1/workflows/{create(api, greeting())}/versions").json()

    row = answer["versions"][0]
    assert set(answer) == {"versions", *PAGING}
    assert (row["version_number"], row["version_name"], row["is_active"]) == (0, "Initial Version", True)
    assert row["config"] == row["workflow_config"]
    assert {"_id", "workflow_id", "team_id", "created_by", "updated_by", "created_at", "updated_at"} <= set(
        row
    )


def test_version_copies_active_or_named_one(api):
    workflow_id = create(api, greeting("zero"))
    add(api, workflow_id)
    changed = {"config": greeting("one")}
    api.patch(f"/v1/workflows/{workflow_id}/versions/1/config", json=changed)

    named = add(api, workflow_id, source_version_number=1, version_name="Two", mark_as_active=True)
    plain = add(api, workflow_id)

    assert named["version"]["config"] == greeting("one")
    assert (named["version"]["version_name"], named["version"]["is_active"]) == ("Two", True)
    assert named["parent_active_version"] == 2
    assert (plain["version"]["version_number"], plain["version"]["is_active"]) == (3, False)
    assert plain["version"]["config"] == greeting("one")
    path = f"/v1/workflows/{workflow_id}/versions"
    assert api.post(path, json={"mark_as_active": False, "source_version_number": 9}).status_code == 404


def test_a_version_is_renamed(api):
    workflow_id = create(api, greeting())
    path = f"/v1/workflows/{workflow_id}/versions/0"

    answer = api.patch(path, json={"version_name": "First"})

    assert answer.json()["version"]["version_name"] == "First"
    assert versions(api, workflow_id)[0]["version_name"] == "First"
    assert api.patch(f"/v1/workflows/{workflow_id}/versions/4", json={"version_name": "x"}).status_code == 404
    assert api.patch(path, json={"version_name": 7}).status_code == 422


def test_replaced_graph_is_used_by_next_run(api):
    workflow_id = create(api, greeting("before"))
    path = f"/v1/workflows/{workflow_id}/versions/0/config"
    before = execute(api, workflow_id).json()

    answer = api.patch(path, json={"config": greeting("after")})
    after = execute(api, workflow_id).json()

    assert answer.json()["version"]["config"] == greeting("after")
    assert (spoken(before), spoken(after)) == (["before"], ["after"])
    for body in ({}, {"config": None}, {"config": []}):
        assert api.patch(path, json=body).status_code == 422
    assert api.patch(path, json={"config": {"name": "no graph"}}).status_code == 400


def test_secrets_in_graph_are_not_stored(api):
    workflow_id = create(api, greeting())
    config = {**greeting(), "secret_variables": {"pin": "hunter2"}}

    answer = api.patch(f"/v1/workflows/{workflow_id}/versions/0/config", json={"config": config})

    listed = api.get(f"/v1/workflows/{workflow_id}/versions")
    assert answer.status_code == 200
    assert "hunter2" not in answer.text + listed.text


def test_activated_version_is_used_by_new_runs_only(api):
    workflow_id = create(api, graph(chat("ask"), version="zero"))
    first = execute(api, workflow_id).json()["run_id"]
    add(api, workflow_id)
    api.patch(f"/v1/workflows/{workflow_id}/versions/1/config", json={"config": greeting("one")})

    answer = api.post(f"/v1/workflows/{workflow_id}/versions/1/activate")
    new = execute(api, workflow_id).json()
    old = execute(api, workflow_id, "Still there?", first).json()

    assert answer.json()["workflow"]["active_version_number"] == 1
    assert [row["is_active"] for row in versions(api, workflow_id)] == [False, True]
    assert spoken(new) == ["one"]
    assert old["status"] == "waiting_for_user_input"
    assert api.post(f"/v1/workflows/{workflow_id}/versions/7/activate").status_code == 404


def test_version_is_deleted_unless_active(api):
    workflow_id = create(api, greeting())
    add(api, workflow_id)
    path = f"/v1/workflows/{workflow_id}/versions"

    refused = api.delete(f"{path}/0")
    deleted = api.delete(f"{path}/1")

    assert refused.status_code == 409
    assert isinstance(refused.json()["detail"], str)
    assert deleted.status_code in (200, 202, 204)
    assert [row["version_number"] for row in versions(api, workflow_id)] == [0]
    assert api.delete(f"{path}/1").status_code == 404


def test_version_differences_are_listed_by_part(api):
    stays, gone = chat("stays", "A"), static("gone", "Gone")
    workflow_id = create(api, graph(stays, gone, direct("stays", "gone")))
    add(api, workflow_id, version_name="shorter prompt")
    changed = graph(chat("stays", "B"), static("new", "New"), direct("stays", "new"))
    changed["workflow_config"]["default_prompt_prefix"] = "Be brief."
    api.patch(f"/v1/workflows/{workflow_id}/versions/1/config", json={"config": {**changed, "name": "Tea"}})

    diff = api.get(f"/v1/workflows/{workflow_id}/versions/0/diff/1").json()

    assert (diff["version1_number"], diff["version1_name"]) == (0, "Initial Version")
    assert (diff["version2_number"], diff["version2_name"]) == (1, "shorter prompt")
    assert diff["workflow_config_changes"] == [
        {"path": "default_prompt_prefix", "old_value": None, "new_value": "Be brief."}
    ]
    nodes = {node["logical_id"]: node for node in diff["nodes"]}
    assert {key: node["status"] for key, node in nodes.items()} == {
        "stays": "modified",
        "gone": "removed",
        "new": "added",
    }
    assert nodes["stays"]["node_type"] == "say_llm"
    assert nodes["stays"]["changes"] == [
        {"path": "main_response_config.prompt", "old_value": "A", "new_value": "B"}
    ]
    assert nodes["new"]["changes"] == nodes["gone"]["changes"] == []
    assert {edge["logical_id"]: edge["status"] for edge in diff["edges"]} == {
        "edge_stays_gone": "removed",
        "edge_stays_new": "added",
    }
    assert diff["edges"][0]["edge_type"] == "direct"
    assert diff["summary"] == {
        "nodes_added": 1,
        "nodes_removed": 1,
        "nodes_modified": 1,
        "edges_added": 1,
        "edges_removed": 1,
        "edges_modified": 0,
        "workflow_config_changes": 1,
    }


def test_a_version_does_not_differ_from_itself(api):
    diff = api.get(f"/v1/workflows/{create(api, greeting())}/versions/0/diff/0").json()

    assert diff["nodes"] == diff["edges"] == diff["workflow_config_changes"] == []
    assert set(diff["summary"].values()) == {0}


@pytest.mark.parametrize(("path", "status"), [("0/diff/7", 404), ("x/diff/0", 422), ("0/diff/-1", 422)])
def test_unknown_version_is_not_compared(api, path, status):
    assert api.get(f"/v1/workflows/{create(api, greeting())}/versions/{path}").status_code == status


def test_run_at_deleted_node_can_be_stopped(api):
    workflow_id = create(api, graph(chat("ask")))
    run_id = execute(api, workflow_id).json()["run_id"]
    path = f"/v1/workflows/{workflow_id}/versions/0/config"
    api.patch(path, json={"config": graph(chat("other"))})

    later = execute(api, workflow_id, "Hello", run_id)
    stopped = execute(api, workflow_id, run_id=run_id, command="stop").json()

    assert later.status_code == 409
    assert "'ask'" in later.json()["detail"]
    assert (stopped["status"], stopped["is_completed"]) == ("cancelled", True)

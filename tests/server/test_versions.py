from __future__ import annotations

import pytest

from tests.support.factories import document, static

JSON = {"Content-Type": "application/json"}
UNKNOWN = "665f00000000000000000001"


def create(api):
    body = {**document(static("a", "Hello")), "name": "Tea"}
    return api.post("/v1/workflows", json=body).json()["workflow"]["_id"]


def test_versions_carry_their_graph_under_both_keys(api):
    workflow_id = create(api)

    listed = api.get(f"/v1/workflows/{workflow_id}/versions").json()

    row = listed["versions"][0]
    assert (row["version_number"], row["version_name"], row["is_active"]) == (0, "Initial Version", True)
    assert row["config"] == row["workflow_config"]
    assert row["config"]["node_configs"][0]["logical_id"] == "a"
    assert (listed["total"], listed["has_next"], listed["pages"]) == (1, False, 1)


def test_version_is_created_from_empty_body(api):
    workflow_id = create(api)

    answer = api.post(f"/v1/workflows/{workflow_id}/versions", headers=JSON)

    assert answer.status_code == 201
    assert answer.json()["version"]["version_number"] == 1
    assert answer.json()["version"]["is_active"] is False
    assert answer.json()["parent_active_version"] == 0


def test_active_versions_leave_out_workflow_deleted_meanwhile(api, embedded, monkeypatch):
    gone, kept = create(api), create(api)
    listed = embedded.workflows()
    embedded.delete_workflow(gone)
    monkeypatch.setattr(embedded, "workflows", lambda: listed)

    answer = api.get("/v1/workflows/versions/active")

    assert answer.status_code == 200
    assert gone not in answer.text and kept in answer.text


def test_created_version_may_be_active(api):
    workflow_id = create(api)
    body = {"version_name": "Second", "source_version_number": 0, "mark_as_active": True}

    answer = api.post(f"/v1/workflows/{workflow_id}/versions", json=body).json()

    assert (answer["version"]["version_name"], answer["version"]["is_active"]) == ("Second", True)
    assert answer["parent_active_version"] == 1


def test_version_is_activated_with_empty_body(api):
    workflow_id = create(api)
    api.post(f"/v1/workflows/{workflow_id}/versions", json={"mark_as_active": True})

    answer = api.post(f"/v1/workflows/{workflow_id}/versions/0/activate", headers=JSON)

    assert answer.status_code == 200
    assert answer.json()["workflow"]["active_version_number"] == 0


@pytest.mark.parametrize(
    "path, status",
    [
        (f"{UNKNOWN}/versions", 404),
        ("nope/versions", 422),
    ],
)
def test_versions_of_unknown_workflow_are_not_found(api, path, status):
    assert api.get(f"/v1/workflows/{path}").status_code == status
    assert api.post(f"/v1/workflows/{path}", json={}).status_code == status


@pytest.mark.parametrize("number, status", [("7", 404), ("x", 422), ("-1", 422), (str(2**70), 422)])
def test_unknown_version_is_not_activated(api, number, status):
    assert api.post(f"/v1/workflows/{create(api)}/versions/{number}/activate").status_code == status


@pytest.mark.parametrize("field", ["version_name", "source_version_number", "mark_as_active"])
def test_invalid_version_field_is_named(api, field):
    answer = api.post(f"/v1/workflows/{create(api)}/versions", json={field: {"a": 1}})

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]

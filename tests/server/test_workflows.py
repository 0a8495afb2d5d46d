from __future__ import annotations

import pytest

from tests.support.factories import direct, document, node, say, static, when

UNKNOWN = "665f00000000000000000001"


def create(api, **fields):
    body = {**document(static("a", "Hello"), static("b", "Bye"), direct("a", "b")), "name": "Tea", **fields}
    return api.post("/v1/workflows", json=body)


def test_a_hydrated_document_becomes_a_workflow(api):
    answer = create(api, name="Coffee", description="Sells coffee")

    made = answer.json()
    assert answer.status_code == 201
    assert made["workflow"]["active_version_number"] == 0
    assert made["workflow"]["workflow_config"]["name"] == "Coffee"
    assert made["workflow"]["workflow_config"]["description"] == "Sells coffee"
    assert made["execution_url"] == f"{api.base_url}v1/workflows/{made['workflow']['_id']}/execute"


def test_workflow_has_ids_of_parts(api):
    workflow_id = create(api).json()["workflow"]["_id"]

    shown = api.get(f"/v1/workflows/{workflow_id}").json()["workflow"]

    assert shown["workflow_config"]["nodes"] == ["a", "b"]
    assert shown["workflow_config"]["edges"] == ["edge_a_b"]
    assert "node_configs" not in shown["workflow_config"]


def test_hydrated_workflow_has_unchanged_graph(api):
    odd = {
        "future": {"deep": [1, 2**70, None, "ü"]},
        "dynamic_variables": {},
        "runtime_variables": {"n": 0.1},
    }
    sent = {**document(static("a", "Hello", hue="teal")), "name": "Tea", **odd}
    workflow_id = api.post("/v1/workflows", json=sent).json()["workflow"]["_id"]

    shown = api.get(f"/v1/workflows/{workflow_id}", params={"fully_hydrate": "true"}).json()["workflow"]

    assert shown["_id"] == workflow_id
    assert shown["workflow_config"] == sent


def test_secrets_are_neither_kept_nor_shown(api):
    workflow_id = create(api, secret_variables={"pin": "1234"}).json()["workflow"]["_id"]

    shown = api.get(f"/v1/workflows/{workflow_id}", params={"fully_hydrate": "true"})

    assert "secret_variables" not in shown.text
    assert "1234" not in shown.text


def test_workflow_may_be_name_only(api):
    workflow_id = api.post("/v1/workflows", json={"name": "Empty", "description": "Yet"}).json()["workflow"][
        "_id"
    ]

    shown = api.get(f"/v1/workflows/{workflow_id}", params={"fully_hydrate": "true"}).json()["workflow"]

    assert shown["workflow_config"]["node_configs"] == []
    assert shown["workflow_config"]["workflow_config"] == {"name": "Empty", "description": "Yet"}


@pytest.mark.parametrize("hydrated", [True, False])
def test_a_document_may_be_under_config(api, hydrated):
    config = document(static("a", "Hello")) if hydrated else {"default_prompt_prefix": "Be brief."}
    answer = api.post("/v1/workflows", json={"name": "Under", "description": "Tea", "config": config})

    shown = answer.json()["workflow"]["workflow_config"]
    assert (shown["name"], shown["description"]) == ("Under", "Tea")
    assert shown["nodes"] == (["a"] if hydrated else [])
    assert shown.get("default_prompt_prefix") == (None if hydrated else "Be brief.")


@pytest.mark.parametrize(
    "body, place",
    [
        ({}, ["body", "name"]),
        ({"name": ""}, ["body", "name"]),
        ({"name": 3}, ["body", "name"]),
        ({"name": "Tea", "config": []}, ["body", "config"]),
        ({"name": "Tea", "node_configs": [{"name": "no id"}]}, ["body"]),
    ],
)
def test_invalid_document_is_named_by_place(api, body, place):
    answer = api.post("/v1/workflows", json=body)

    problem = answer.json()["detail"][0]
    assert answer.status_code == 422
    assert problem["loc"] == place
    assert set(problem) == {"type", "loc", "msg"}


def test_a_list_is_told_page_by_page(api):
    for number in range(5):
        create(api, name=f"Paged {number}")

    first = api.get("/v1/workflows", params={"search": "paged", "size": 2}).json()
    last = api.get("/v1/workflows", params={"search": "paged", "size": 2, "page": 3}).json()

    assert [row["workflow_config"]["name"] for row in first["workflows"]] == ["Paged 4", "Paged 3"]
    assert {key: first[key] for key in ("page", "size", "pages", "has_next", "total")} == {
        "page": 1,
        "size": 2,
        "pages": 3,
        "has_next": True,
        "total": 5,
    }
    assert [row["workflow_config"]["name"] for row in last["workflows"]] == ["Paged 0"]
    assert last["has_next"] is False


@pytest.mark.parametrize("query", [{"page": 0}, {"size": 0}, {"size": "many"}, {"page": -1}])
def test_invalid_page_is_named_by_parameter(api, query):
    answer = api.get("/v1/workflows", params=query)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", next(iter(query))]


def test_a_deleted_workflow_is_gone(api):
    workflow_id = create(api).json()["workflow"]["_id"]

    deleted = api.delete(f"/v1/workflows/{workflow_id}")

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert api.get(f"/v1/workflows/{workflow_id}").status_code == 404
    assert api.delete(f"/v1/workflows/{workflow_id}").status_code == 404


def test_unknown_and_malformed_ids_differ(api):
    unknown = api.get(f"/v1/workflows/{UNKNOWN}")
    malformed = api.get("/v1/workflows/nope")

    assert unknown.status_code == 404
    assert UNKNOWN in unknown.json()["detail"]
    assert malformed.status_code == 422
    assert malformed.json()["detail"][0]["loc"] == ["path", "workflow_id"]


_GONE = {"enabled": True, "trigger_mode": "on_node_completion", "trigger_node_logical_ids": ["gone"]}


@pytest.mark.parametrize(
    ("edges", "category", "rule"),
    [
        (
            [direct("a", "b"), {**direct("a", "b"), "logical_id": "again"}],
            "Invalid companion configuration",
            "without the companion flag",
        ),
        (
            [when("a", "b", "1 == 1", evaluate_while_waiting_config=_GONE)],
            "Invalid 'evaluate while waiting for user input' edge configuration",
            "do not exist",
        ),
    ],
)
def test_unsavable_workflow_is_rejected(api, edges, category, rule):
    before = api.get("/v1/workflows").json()["total"]

    answer = api.post("/v1/workflows", json=document(say("a"), static("b", "Bye"), *edges))

    assert answer.status_code == 400
    assert answer.json()["message"] == category
    assert rule in answer.json()["error"]
    assert api.get("/v1/workflows").json()["total"] == before


def test_odd_savable_workflow_is_stored(api):
    odd = document(node("a", "from_next_year"), when("a", "gone", "[[x]] ==="), name="Odd")

    assert api.post("/v1/workflows", json={**odd, "name": "Odd"}).status_code == 201

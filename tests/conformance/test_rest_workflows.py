"""Workflows over a real socket.

Source: ``platform.md#workflow-routes``, ``platform.md#create-workflow`` and ``platform.md#validation``.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.conformance.graphs import chat, direct, graph, greeting, shop, static, tool, when
from tests.conformance.served import create, execute, headers, spoken

ODD = {
    "future": {"deep": [1, 2**70, None, "ü", 0.1, {"": []}], "flag": True},
    "dynamic_variables": {"seed": {"a": [1]}},
    "runtime_variables": {"n": 1e300},
}


def hydrated(api, workflow_id):
    answer = api.get(f"/v1/workflows/{workflow_id}", params={"fully_hydrate": "true"})
    return answer.json()["workflow"]["workflow_config"]


def test_hydrated_document_keeps_every_field(api):
    node = static("hello", "Hello", hue="teal", miscellaneous={"later": [{}]})
    sent = {**graph(node, own_setting=[1]), **ODD, "name": "Tea", "description": "Leaves"}

    made = api.post("/v1/workflows", content=json.dumps(sent))

    workflow = made.json()["workflow"]
    assert made.status_code in (200, 201)
    assert hydrated(api, workflow["_id"]) == sent
    assert workflow["active_version_number"] == 0
    assert workflow["workflow_config"]["name"] == "Tea"
    assert workflow["workflow_config"]["description"] == "Leaves"
    assert made.json()["execution_url"].endswith(f"/v1/workflows/{workflow['_id']}/execute")


def test_a_document_travels_in_any_wrapping(api):
    plain = {**greeting(), "name": "Tea"}
    first = create(api, plain)

    again = api.get(f"/v1/workflows/{first}", params={"fully_hydrate": "true"}).json()
    second = api.post("/v1/workflows", json={**again, "name": "Tea"}).json()["workflow"]["_id"]

    assert hydrated(api, second)["node_configs"] == plain["node_configs"]


def test_workflow_needs_only_name_and_config(api):
    body = {"name": "Empty", "description": None, "config": {"default_prompt_prefix": "Be brief."}}

    shown = api.post("/v1/workflows", json=body).json()["workflow"]["workflow_config"]

    assert (shown["name"], shown["description"], shown["nodes"], shown["edges"]) == ("Empty", None, [], [])
    assert shown["default_prompt_prefix"] == "Be brief."


def test_workflow_is_flat_with_ids_of_parts(api):
    workflow_id = create(api, shop())

    answer = api.get(f"/v1/workflows/{workflow_id}").json()

    workflow = answer["workflow"]
    assert set(answer) == {"workflow", "execution_url"}
    assert workflow["_id"] == workflow_id
    assert workflow["workflow_config"]["nodes"] == ["greet", "ask", "bye"]
    assert workflow["workflow_config"]["edges"] == ["edge_greet_ask", "edge_ask_bye"]
    assert {"team_id", "created_by", "updated_by", "created_at", "updated_at"} <= set(workflow)
    assert workflow["created_by"] == "qa"


def test_name_and_description_are_changed_everywhere(api):
    workflow_id = create(api, shop(), description="Old")
    path = f"/v1/workflows/{workflow_id}"

    renamed = api.patch(path, json={"name": "Coffee"}).json()["workflow"]["workflow_config"]
    without = api.patch(path, json={"description": None}).json()["workflow"]["workflow_config"]

    assert (renamed["name"], renamed["description"]) == ("Coffee", "Old")
    assert (without["name"], without["description"]) == ("Coffee", None)
    document = hydrated(api, workflow_id)
    assert (document["name"], document["workflow_config"]["name"]) == ("Coffee", "Coffee")
    assert document["node_configs"] == shop()["node_configs"]
    for body in ({"name": " "}, {"name": None}, {"description": 7}):
        assert api.patch(path, json=body).status_code == 422


def test_deleted_workflow_leaves_its_runs(api):
    workflow_id = create(api, greeting())
    run_id = execute(api, workflow_id).json()["run_id"]

    assert api.delete(f"/v1/workflows/{workflow_id}").status_code in (200, 202, 204)

    assert api.get(f"/v1/workflows/{workflow_id}").status_code == 404
    assert api.get(f"/v1/workflows/{workflow_id}/versions").status_code == 404
    assert api.get(f"/v1/workflow-runs/{run_id}").status_code == 200


def test_list_is_paged_and_searched(api):
    ids = [create(api, greeting(), name=f"Walked {number}") for number in range(5)]

    pages = [
        api.get("/v1/workflows", params={"search": "walked", "size": 2, "page": page}).json()
        for page in (1, 2, 3)
    ]

    rows = [row["_id"] for page in pages for row in page["workflows"]]
    assert rows == ids[::-1]
    assert [(page["total"], page["pages"], page["has_next"]) for page in pages] == [
        (5, 3, True),
        (5, 3, True),
        (5, 3, False),
    ]
    row = pages[0]["workflows"][0]
    assert "workflow" not in row
    assert row["workflow_config"]["name"] == "Walked 4"


def test_list_is_filtered_by_creation_time(api):
    create(api, greeting(), name="Timed")
    now = datetime.now(UTC)

    def found(**query):
        return api.get("/v1/workflows", params={"search": "timed", **query}).json()["total"]

    before, after = (now - timedelta(hours=1)).isoformat(), (now + timedelta(hours=1)).isoformat()
    assert found(start=before, end=after) == 1
    assert found(start=after) == found(end=before) == 0
    assert api.get("/v1/workflows", params={"start": "soon"}).status_code == 422


def test_clone_has_chosen_versions_under_their_numbers(api):
    workflow_id = create(api, shop(), description="Leaves")
    for name in ("one", "two"):
        api.post(
            f"/v1/workflows/{workflow_id}/versions", json={"version_name": name, "mark_as_active": False}
        )
    path = f"/v1/workflows/{workflow_id}/clone"

    everything = api.post(path, json={"clone_all_versions": True}).json()["workflow"]
    body = {"name": "Copy", "clone_all_versions": False, "version_numbers_to_clone": [1, 2]}
    some = api.post(path, json={**body, "fallback_active_version": 2}).json()["workflow"]

    def versions(made):
        return [
            (row["version_number"], row["version_name"], row["is_active"])
            for row in api.get(f"/v1/workflows/{made['_id']}/versions").json()["versions"]
        ]

    assert versions(everything) == [(0, "Initial Version", True), (1, "one", False), (2, "two", False)]
    assert everything["workflow_config"]["description"] == "Leaves"
    assert versions(some) == [(1, "one", False), (2, "two", True)]
    assert some["workflow_config"]["name"] == "Copy"
    assert hydrated(api, everything["_id"])["node_configs"] == shop()["node_configs"]


@pytest.mark.parametrize("body", [{}, {"clone_all_versions": False}, {"version_numbers_to_clone": []}])
def test_a_clone_of_nothing_is_answered_500(api, body):
    answer = api.post(f"/v1/workflows/{create(api, greeting())}/clone", json=body)

    assert answer.status_code == 500
    assert isinstance(answer.json()["detail"], str)


def test_clone_of_unknown_version_is_not_found(api):
    path = f"/v1/workflows/{create(api, greeting())}/clone"

    assert api.post(path, json={"version_numbers_to_clone": [7]}).status_code == 404


def test_active_runs_are_limited(api):
    workflow_id = create(api, graph(chat("ask")))
    path = f"/v1/workflows/{workflow_id}/concurrency"

    limited = api.patch(path, json={"max_concurrent_runs": 1})
    first = execute(api, workflow_id)
    refused = execute(api, workflow_id)
    execute(api, workflow_id, run_id=first.json()["run_id"], command="stop")
    again = execute(api, workflow_id)

    assert set(limited.json()) == {"workflow_id", "max_concurrent_runs", "message"}
    assert limited.json()["max_concurrent_runs"] == 1
    assert (first.status_code, refused.status_code, again.status_code) == (200, 429, 200)
    assert isinstance(refused.json()["detail"], str)
    assert api.get(f"/v1/workflows/{workflow_id}").json()["workflow"]["max_concurrent_runs"] == 1
    api.patch(path, json={"max_concurrent_runs": None})
    assert execute(api, workflow_id).status_code == 200
    assert api.patch(path, json={"max_concurrent_runs": 0}).status_code == 422


def bundle_of(api, workflow_id, *numbers, active=0):
    query = {"version_numbers": list(numbers), "active_version_number": active}
    return api.get(f"/v1/workflows/{workflow_id}/export", params=query)


def test_bundle_carries_versions_with_every_field(api):
    sent = {**shop(), **ODD, "name": "Carried", "description": "Leaves"}
    workflow_id = create(api, sent, name="Carried")
    api.post(f"/v1/workflows/{workflow_id}/versions", json={"version_name": "one", "mark_as_active": True})

    bundle = bundle_of(api, workflow_id, 0, 1, active=1).json()
    body = {"bundle": bundle, "versions_to_import": [0, 1], "active_version_number": 1}
    answer = api.post("/v1/workflows/import/bundle", json=body)

    made = answer.json()["workflow"]
    rows = api.get(f"/v1/workflows/{made['_id']}/versions").json()["versions"]
    assert answer.status_code in (200, 201)
    assert (made["active_version_number"], made["workflow_config"]["name"]) == (1, "Carried")
    assert [(row["version_number"], row["version_name"]) for row in rows] == [
        (0, "Initial Version"),
        (1, "one"),
    ]
    assert [row["config"] for row in rows] == [sent, sent]
    assert hydrated(api, made["_id"]) == sent


def test_import_defaults_to_version_0_and_new_name(api):
    bundle = bundle_of(api, create(api, shop()), 0).json()

    answer = api.post("/v1/workflows/import/bundle", json={"bundle": bundle, "workflow_name": "Other"})

    made = answer.json()["workflow"]
    assert made["workflow_config"]["name"] == "Other"
    assert hydrated(api, made["_id"])["node_configs"] == shop()["node_configs"]


def test_export_names_versions_and_active_one(api):
    workflow_id = create(api, greeting())
    path = f"/v1/workflows/{workflow_id}/export"

    assert bundle_of(api, workflow_id, 0, active=1).status_code == 422
    assert bundle_of(api, workflow_id, 0, 7, active=0).status_code == 404
    assert api.get(path, params={"version_numbers": 0}).status_code == 422
    assert api.get(path, params={"active_version_number": 0}).status_code == 422


def test_bundle_with_python_needs_confirmation(api):
    document = graph(tool("count", "def count():\n    return 1\n"))
    bundle = bundle_of(api, create(api, document), 0).json()
    before = api.get("/v1/workflows").json()["total"]

    refused = api.post("/v1/workflows/import/bundle", json={"bundle": bundle})
    count = api.get("/v1/workflows").json()["total"]
    confirmed = api.post("/v1/workflows/import/bundle", json={"bundle": bundle, "confirm_executable": True})

    assert refused.status_code == 400
    assert set(refused.json()) == {"message", "error"}
    assert "count_tool" in refused.json()["error"]
    assert count == before
    assert confirmed.status_code in (200, 201)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"versions_to_import": [3]}, 422),
        ({"versions_to_import": []}, 422),
        ({"active_version_number": 3}, 422),
        ({"bundle": {}}, 422),
        ({"bundle": {"export_format": "other/1", "versions": []}}, 400),
    ],
)
def test_malformed_bundle_is_refused(api, change, status):
    bundle = bundle_of(api, create(api, greeting()), 0).json()

    assert api.post("/v1/workflows/import/bundle", json={"bundle": bundle, **change}).status_code == status


def test_favorites_are_each_persons_own(api):
    workflow_id = create(api, greeting(), name="Liked")
    path = f"/v1/workflows/{workflow_id}/favorite"

    def liked(user):
        query = {"favorites": "true", "size": 1000}
        rows = api.get("/v1/workflows/versions/active", params=query, headers=headers(user)).json()[
            "versions"
        ]
        return workflow_id in [row["workflow_id"] for row in rows]

    assert isinstance(api.post(path).json()["message"], str)
    assert isinstance(api.post(path).json()["message"], str)
    assert (liked("qa"), liked("other")) == (True, False)
    assert isinstance(api.delete(path).json()["message"], str)
    assert liked("qa") is False


def test_active_versions_are_filtered_and_paged(api):
    document = graph(static("hello", "Hi"), category="Rare", logical_id="workflow_rare")
    workflow_id = create(api, document)
    api.post(f"/v1/workflows/{workflow_id}/versions", json={"version_name": "two", "mark_as_active": True})

    def found(user="qa", **query):
        answer = api.get("/v1/workflows/versions/active", params=query, headers=headers(user)).json()
        return [(row["workflow_id"], row["version_number"]) for row in answer["versions"]]

    assert found(logical_id="workflow_rare") == [(workflow_id, 1)]
    assert found(category="Rare") == found(categories=["None", "Rare"]) == [(workflow_id, 1)]
    assert found(category="Rare", created_by_me="true") == [(workflow_id, 1)]
    assert found(user="other", category="Rare", created_by_me="true") == []
    assert found(category="None such") == []


def test_dynamic_variables_have_their_defaults(api):
    nodes = [static("hello", "{{shop}} {{guest.name}} {{now}} [[tea]]"), static("bye", "Bye {{guest.name}}")]
    settings = {"miscellaneous": {"default_dynamic_variables": {"shop": "Leaf"}}}
    workflow_id = create(api, graph(*nodes, direct("hello", "bye"), **settings))

    variables = api.get(f"/v1/workflows/dynamic-variables/{workflow_id}").json()["dynamic_variables"]

    assert set(variables) == {"shop", "guest", "now"}
    assert (variables["shop"]["default_value"], variables["guest"]["default_value"]) == ("Leaf", None)
    assert variables["guest"]["node_logical_ids"] == ["hello", "bye"]
    assert variables["now"]["is_system"] is True


@pytest.mark.parametrize(
    "parts",
    [
        [chat("a"), static("b", "B"), direct("a", "b"), {**direct("a", "b"), "logical_id": "again"}],
        [
            chat("a"),
            static("b", "B"),
            when("a", "b", "1 == 1", evaluate_while_waiting_config={"enabled": True}),
        ],
        [chat("a", self_loop=True, wait_for_user_message=False)],
    ],
)
def test_invalid_workflow_is_refused_in_platform_shape(api, parts):
    created = api.post("/v1/workflows", json={**graph(*parts), "name": "Tea"})
    workflow_id = create(api, greeting())
    path = f"/v1/workflows/{workflow_id}/versions/0/config"
    changed = api.patch(path, json={"config": graph(*parts)})

    for answer in (created, changed):
        assert answer.status_code == 400
        assert set(answer.json()) == {"message", "error"}
    assert hydrated(api, workflow_id) == {**greeting(), "name": "Tea"}


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": 7}, {"name": "Tea", "config": []}])
def test_missing_field_is_refused_by_place(api, body):
    answer = api.post("/v1/workflows", json=body)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][0] == "body"


def test_created_workflow_runs(api):
    workflow_id = create(api, shop())

    assert spoken(execute(api, workflow_id).json())[0] == "Welcome to Leaf"

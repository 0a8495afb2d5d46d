from __future__ import annotations

from functools import partial

import pytest

from debugger.store import runs as stored_runs
from tests.support.factories import document, say, static

UNKNOWN = "665f00000000000000000001"


def begin(api, *parts):
    body = {**document(*parts), "name": "Tea"}
    workflow_id = api.post("/v1/workflows", json=body).json()["workflow"]["_id"]
    sent = {"run_input": {"command": "start", "run_by": "qa"}}
    return workflow_id, api.post(f"/v1/workflows/{workflow_id}/execute", json=sent).json()


def test_a_record_is_nested_twice(api):
    workflow_id, result = begin(api, static("a", "Hello"))

    answer = api.get(f"/v1/workflow-runs/{result['run_id']}").json()

    record, run = answer["workflow_run"], answer["workflow_run"]["workflow_run"]
    assert record["_id"] == run["workflow_run_id"] == result["run_id"]
    assert record["created_at"].endswith("Z")
    assert "created_at" not in run
    assert (run["workflow_id"], run["status"], run["run_by"]) == (workflow_id, "completed", "qa")
    assert run["input_output_pairs"][0]["run_output"]["events"] == result["events"]
    assert answer["feedback_users"] == {}


def test_runs_are_listed_by_workflow_and_status(api):
    workflow_id, done = begin(api, static("a", "Hello"))
    begin(api, say("a"))

    listed = api.get("/v1/workflow-runs", params={"workflow_id": workflow_id, "status": "completed"}).json()
    waiting = api.get("/v1/workflow-runs", params={"workflow_id": workflow_id, "status": "failed"}).json()

    assert [row["_id"] for row in listed["workflow_runs"]] == [done["run_id"]]
    assert (listed["total"], listed["page"], listed["size"], listed["has_next"]) == (1, 1, 100, False)
    assert (waiting["workflow_runs"], waiting["total"], waiting["pages"]) == ([], 0, 0)


def test_run_that_a_user_of_the_page_has_deleted_is_not_listed(api, embedded):
    workflow_id, result = begin(api, static("a", "Hello wallaby"))
    query = {"workflow_id": workflow_id, "search": "wallaby"}

    before = api.get("/v1/workflow-runs", params=query).json()["total"]
    embedded.store.hidden.hide([result["run_id"]], "ada")
    after = api.get("/v1/workflow-runs", params=query).json()["total"]
    embedded.store.hidden.restore([result["run_id"]])

    assert (before, after) == (1, 0)
    assert api.get("/v1/workflow-runs", params=query).json()["total"] == 1


def test_runs_are_found_by_words_and_dates(api):
    workflow_id, result = begin(api, static("a", "Hello quokka"))

    def found(**query):
        rows = api.get("/v1/workflow-runs", params={"workflow_id": workflow_id, **query}).json()[
            "workflow_runs"
        ]
        return [row["_id"] for row in rows]

    assert found(search="QUOKKA hello") == found(start="2026-01-01T00:00:00Z") == [result["run_id"]]
    assert found(search="wombat") == found(end="2026-01-01T00:00:00") == found(start="2999-01-01") == []


def test_search_indexes_all_runs_first(api, embedded, monkeypatch):
    monkeypatch.setattr(stored_runs, "_RUNS_AT_ONCE", 1)
    monkeypatch.setattr(stored_runs, "refresh_index", partial(stored_runs.refresh_index, seconds=0))
    workflow_id, _ = begin(api, static("a", "Hello numbat"))
    for _ in range(2):
        api.post(f"/v1/workflows/{workflow_id}/execute", json={"run_input": {}})

    answer = api.get("/v1/workflow-runs", params={"workflow_id": workflow_id, "search": "numbat"})

    assert answer.json()["total"] == 3


def test_newest_run_is_on_first_page(api):
    newest = begin(api, static("a", "Hello"))[1]["run_id"]

    page = api.get("/v1/workflow-runs", params={"size": 1}).json()

    assert [row["workflow_run"]["workflow_run_id"] for row in page["workflow_runs"]] == [newest]
    assert page["has_next"] is True


@pytest.mark.parametrize(
    "query",
    [
        {"status": "RunStatus.COMPLETED"},
        {"workflow_id": "nope"},
        {"page": 0},
        {"size": 5000},
        {"start": "soon"},
    ],
)
def test_invalid_filter_is_named(api, query):
    answer = api.get("/v1/workflow-runs", params=query)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", next(iter(query))]


def test_unknown_run_and_malformed_id_differ(api):
    assert api.get(f"/v1/workflow-runs/{UNKNOWN}").status_code == 404
    assert api.get("/v1/workflow-runs/nope").status_code == 422


@pytest.mark.parametrize("is_wrapped", [False, True])
def test_run_bears_name_given_at_creation(api, embedded, is_wrapped):
    graph = document(static("a", "Hello"), name="Inner")
    body = {"name": "Given", "config": graph} if is_wrapped else {**graph, "name": "Given"}
    workflow_id = api.post("/v1/workflows", json=body).json()["workflow"]["_id"]
    changed = document(static("a", "Bye"), name="Another")
    api.patch(f"/v1/workflows/{workflow_id}/versions/0/config", json={"config": changed})

    ran = api.post(f"/v1/workflows/{workflow_id}/execute", json={"run_input": {}}).json()

    assert embedded.run(ran["run_id"]).to_wire()["workflow_name"] == "Given"

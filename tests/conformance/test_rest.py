"""Rules of every call: headers, bodies, paging, errors, complete routes."""

from __future__ import annotations

import httpx
import pytest

from tests.conformance.graphs import greeting
from tests.conformance.served import PAGING, UNKNOWN, create, execute

WF, RUN, EV, TOKEN = UNKNOWN, UNKNOWN, "event_1", "token"
OF_RUN = f"/v1/workflow-runs/{RUN}"
OF_WORKFLOW = f"/v1/workflows/{WF}"

OF_NOTHING = [
    ("GET", OF_WORKFLOW),
    ("GET", f"{OF_WORKFLOW}?fully_hydrate=true"),
    ("PATCH", OF_WORKFLOW),
    ("DELETE", OF_WORKFLOW),
    ("GET", f"{OF_WORKFLOW}/export?version_numbers=0&active_version_number=0"),
    ("POST", f"{OF_WORKFLOW}/favorite"),
    ("DELETE", f"{OF_WORKFLOW}/favorite"),
    ("GET", f"/v1/workflows/dynamic-variables/{WF}"),
    ("GET", f"{OF_WORKFLOW}/versions"),
    ("POST", f"{OF_WORKFLOW}/versions"),
    ("PATCH", f"{OF_WORKFLOW}/versions/0"),
    ("PATCH", f"{OF_WORKFLOW}/versions/0/config"),
    ("POST", f"{OF_WORKFLOW}/versions/0/activate"),
    ("DELETE", f"{OF_WORKFLOW}/versions/0"),
    ("GET", f"{OF_WORKFLOW}/versions/0/diff/1"),
    ("POST", f"{OF_WORKFLOW}/runs/{RUN}/pump-companions"),
    ("GET", OF_RUN),
    ("DELETE", OF_RUN),
    ("GET", f"{OF_RUN}/evaluation-result"),
    ("DELETE", f"{OF_RUN}/comments/comment_1"),
    ("DELETE", f"{OF_RUN}/events/{EV}/comments/comment_1"),
    ("DELETE", f"{OF_RUN}/events/{EV}/rating"),
    ("DELETE", f"{OF_RUN}/turns/0/rating"),
    ("DELETE", f"{OF_RUN}/turns/0/comments/comment_1"),
    ("GET", f"{OF_RUN}/rerunnable-turns"),
    ("POST", f"{OF_RUN}/turns/0/rerun-preflight"),
    ("POST", f"{OF_RUN}/turns/0/rerun-token"),
    ("GET", f"{OF_RUN}/turns/0/rerun-token/{TOKEN}"),
    ("PATCH", f"{OF_RUN}/turns/0/rerun-token/{TOKEN}"),
    ("POST", f"{OF_RUN}/turns/0/rerun"),
    ("GET", f"/v1/global-variables/{UNKNOWN}"),
    ("PATCH", f"/v1/global-variables/{UNKNOWN}"),
    ("DELETE", f"/v1/global-variables/{UNKNOWN}"),
]
"""Calls of what is not there; each is sent without a body, as the client sends an empty one."""

WITH_BODY = [
    ("PATCH", f"{OF_WORKFLOW}/concurrency", {"max_concurrent_runs": 1}),
    ("POST", f"{OF_WORKFLOW}/clone", {"clone_all_versions": True}),
    ("POST", f"{OF_WORKFLOW}/execute", {"run_input": {"command": "start"}}),
    ("POST", "/v1/workflow-runs", {"workflow_id": WF}),
    ("POST", f"{OF_RUN}/comments", {"content": "Odd."}),
    ("POST", f"{OF_RUN}/events/{EV}/comments", {"content": "Odd."}),
    ("PUT", f"{OF_RUN}/events/{EV}/rating", {"value": "up"}),
    ("PUT", f"{OF_RUN}/turns/0/rating", {"value": "up"}),
    ("POST", f"{OF_RUN}/turns/0/comments", {"content": "Odd."}),
]
LISTS = [
    ("/v1/workflows", "workflows"),
    ("/v1/workflows/versions/active", "versions"),
    ("/v1/workflow-runs", "workflow_runs"),
    ("/v1/global-variables", "variables"),
]
NOT_HERE = [
    ("GET", "/v1/nodes"),
    ("GET", "/v1/nodes/types"),
    ("POST", "/v1/nodes"),
    ("PATCH", f"/v1/edges/{UNKNOWN}"),
    ("GET", "/v1/edges/schema/direct"),
    ("POST", f"/v1/tools/{UNKNOWN}/execute"),
    ("POST", "/v1/tools/execute"),
    ("GET", "/v1/super-nodes"),
    ("GET", f"/v1/super-nodes/{UNKNOWN}/schema"),
    ("PUT", f"{OF_WORKFLOW}/super-node-interface"),
    ("DELETE", f"{OF_WORKFLOW}/super-node-interface"),
    ("GET", f"{OF_WORKFLOW}/super-node-dependents"),
    ("POST", f"{OF_WORKFLOW}/expand-preview"),
    ("GET", f"{OF_WORKFLOW}/super-node-snapshot-status"),
    ("GET", "/v1/templates"),
    ("GET", "/v1/templates/schema"),
    ("GET", "/v1/node-libraries"),
    ("GET", "/v1/workflow-categories"),
    ("GET", "/v1/schemas/llm-config"),
    ("GET", "/v1/llm-configs/default"),
    ("POST", f"{OF_WORKFLOW}/schedules"),
    ("GET", "/v1/workflow-schedules"),
    ("DELETE", f"/v1/workflow-schedules/{UNKNOWN}"),
    ("POST", "/v1/workflow-webhooks"),
    ("GET", "/v1/workflow-webhooks/events"),
    ("GET", "/v1/simulations/schema"),
    ("POST", f"/v1/simulations/{UNKNOWN}/run"),
    ("GET", f"/v1/simulation-runs/{UNKNOWN}"),
    ("POST", f"{OF_WORKFLOW}/runs/{RUN}/checkpoint-run"),
]


@pytest.mark.parametrize(("method", "path"), OF_NOTHING)
def test_unknown_and_malformed_ids_are_distinguished(api, method, path):
    unknown = api.request(method, path)
    malformed = api.request(method, path.replace(UNKNOWN, "nope"))

    assert unknown.status_code == 404
    assert isinstance(unknown.json()["detail"], str)
    assert unknown.json()["detail"] not in ("Not Found", "")
    assert malformed.status_code == 422
    assert malformed.json()["detail"][0]["loc"][0] == "path"
    assert set(malformed.json()["detail"][0]) == {"type", "loc", "msg"}


@pytest.mark.parametrize(("method", "path", "body"), WITH_BODY)
def test_unknown_ids_of_calls_with_body(api, method, path, body):
    unknown = api.request(method, path, json=body)
    incomplete = api.request(method, path)

    assert unknown.status_code == 404
    assert isinstance(unknown.json()["detail"], str)
    assert incomplete.status_code in (404, 422)


@pytest.mark.parametrize(("path", "rows"), LISTS)
def test_every_list_has_rows_and_paging(api, path, rows):
    create(api, greeting())

    answer = api.get(path, params={"page": 1, "size": 1, "nobody_knows": "this"}).json()

    assert set(answer) == {rows, *PAGING}
    assert isinstance(answer[rows], list)
    assert (answer["page"], answer["size"]) == (1, 1)
    assert isinstance(answer["has_next"], bool)
    for query in ({"page": 0}, {"size": 0}, {"size": "many"}):
        assert api.get(path, params=query).status_code == 422


@pytest.mark.parametrize(("method", "path"), NOT_HERE)
def test_platform_paths_answer_501(api, method, path):
    answer = api.request(method, path)

    assert answer.status_code == 501
    assert answer.json()["detail"].endswith(".")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/workflows/schema",
        "/v1/workflows/schemas/global-node-config",
        "/v1/workflow-runs/schema",
    ],
)
def test_schemas_are_objects(api, path):
    answer = api.get(path)

    assert answer.status_code == 200
    assert isinstance(answer.json(), dict)


def test_run_schema_has_four_parts(api):
    assert set(api.get("/v1/workflow-runs/schema").json()) == {
        "run_schema",
        "run_input_schema",
        "run_output_schema",
        "run_input_output_pair_schema",
    }


def test_missing_or_wrong_key_is_refused(api):
    for shown in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer sk-other"}):
        answer = httpx.get(f"{api.base_url}v1/workflows", headers=shown, trust_env=False)

        assert answer.status_code == 401
        assert isinstance(answer.json()["detail"], str)


def test_trailing_slash_is_not_redirected(api):
    assert api.get("/v1/workflows/").status_code == 404
    assert api.get("/v1/nothing-of-the-kind").status_code == 404


def test_every_response_has_request_id(api):
    ids = {api.get("/v1/workflows").headers["X-Request-Id"] for _ in range(2)}
    failed = api.get(OF_WORKFLOW).headers["X-Request-Id"]

    assert len(ids | {failed}) == 3


def test_malformed_body_is_named_by_place(api):
    for content in ("{", "[]", "7"):
        answer = api.post("/v1/workflows", content=content)

        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["body"]


def test_empty_body_equals_empty_object(api):
    workflow_id = create(api, greeting())
    run_id = execute(api, workflow_id).json()["run_id"]
    calls = [
        ("PATCH", f"/v1/workflows/{workflow_id}"),
        ("POST", f"/v1/workflows/{workflow_id}/favorite"),
        ("POST", f"/v1/workflows/{workflow_id}/versions"),
        ("PATCH", f"/v1/workflows/{workflow_id}/versions/0"),
        ("POST", f"/v1/workflows/{workflow_id}/versions/0/activate"),
        ("POST", f"/v1/workflow-runs/{run_id}/turns/0/rerun-preflight"),
        ("POST", f"/v1/workflow-runs/{run_id}/turns/0/rerun-token"),
        ("POST", f"/v1/workflow-runs/{run_id}/turns/0/rerun"),
    ]

    for method, path in calls:
        answer = api.request(method, path)

        assert answer.request.headers["Content-Length" if method != "GET" else "Accept"] == "0"
        assert 200 <= answer.status_code < 300, (path, answer.text)

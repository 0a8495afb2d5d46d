"""Requests that are too large, too deep or not JSON."""

from __future__ import annotations

import pytest

from tests.support.factories import document, say, static

JSON = {"Content-Type": "application/json"}


def new_workflow(api, *parts):
    body = {**document(*parts), "name": "Test"}
    return api.post("/v1/workflows", json=body).json()["workflow"]["_id"]


def begin(api, workflow_id, written):
    """Begin a run with a variable that is written in the body as given."""
    body = b'{"run_input": {"dynamic_variables": {"x": %s}}}' % written
    return api.post(f"/v1/workflows/{workflow_id}/execute", content=body, headers=JSON)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        pytest.param(b"NaN", "cannot be written as JSON", id="not a number"),
        pytest.param(b"1e999", "cannot be written as JSON", id="infinity"),
        pytest.param(b"[" * 10_000 + b"]" * 10_000, "not JSON", id="10,000 levels"),
        pytest.param(b"1" * 5_000, "not JSON", id="5,000 digits"),
        pytest.param(b'"' + b"y" * 2_000_000 + b'"', "at most 1.0 MB can be taken", id="2 MB"),
    ],
)
def test_invalid_run_input_is_rejected(api, written, reason):
    workflow_id = new_workflow(api, static("a", "Hello"))

    refused, taken = begin(api, workflow_id, written), begin(api, workflow_id, b"1")

    assert refused.status_code == 422
    assert reason in refused.json()["detail"][0]["msg"]
    assert taken.json()["status"] == "completed"


@pytest.mark.parametrize("levels", [250, 600])
def test_deeply_nested_variable_is_recorded(api, levels):
    workflow_id = new_workflow(api, say("chat"))

    run_id = begin(api, workflow_id, b"[" * levels + b"]" * levels).json()["run_id"]
    again = api.post(
        f"/v1/workflows/{workflow_id}/execute", json={"run_id": run_id, "run_input": {"command": "data"}}
    )

    assert again.json()["status"] == "waiting_for_user_input"
    assert api.get(f"/v1/workflow-runs/{run_id}").status_code == 200


def test_surrogates_and_long_numbers_are_returned_unchanged(api):
    workflow_id = new_workflow(api, say("chat"))

    half, long_number = begin(api, workflow_id, b'"\\ud800"'), begin(api, workflow_id, b"7" * 400)

    assert half.status_code == long_number.status_code == 200
    assert "7" * 400 in long_number.text


def test_prompt_of_5_mb_is_returned_unchanged(api):
    prompt = "word " * 1_000_000

    workflow_id = new_workflow(api, say("chat", prompt))
    shown = api.get(f"/v1/workflows/{workflow_id}", params={"fully_hydrate": "true"}).json()

    config = shown["workflow"]["workflow_config"]["node_configs"][0]
    assert config["main_response_config"]["prompt"] == prompt

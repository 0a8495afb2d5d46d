"""Run records over a real socket.

Source: ``platform.md#run-list``, ``platform.md#run-record`` and ``platform.md#feedback``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.conformance.graphs import chat, graph, greeting, shop
from tests.conformance.served import create, execute, headers, record, talk
from tests.support.number_types import numbers_in, wrong_numbers

RECORD = {"_id", "team_id", "created_by", "updated_by", "created_at", "updated_at", "workflow_run"}
RUN = {
    "logical_id",
    "workflow_run_id",
    "workflow_id",
    "voice_conversation_id",
    "version_number",
    "version_name",
    "status",
    "termination_source",
    "run_by",
    "miscellaneous",
    "comments",
    "input_output_pairs",
    "llm_token_usage",
    "llm_latency_stats",
    "workflow_config_fully_hydrated",
    "source_workflow_run_id",
    "checkpoint_source_turn_index",
    "carried_over_llm_token_usage",
    "carried_over_llm_latency_stats",
    "is_evaluation_run",
    "evaluation_run_info",
}
FINISHES_LATER = "Feedback can be given once the run has finished."


@pytest.fixture
def done(api):
    """A run that is over, and an event of it."""
    result = execute(api, create(api, greeting())).json()
    event = next(event for event in result["events"] if event["type"] == "assistant_response")
    return result["run_id"], event["logical_id"]


def test_answers_have_wire_number_types(api):
    workflow_id = create(api, shop())
    run_id, result = talk(api, workflow_id, "Hm.", "Yes.")
    copy = api.post(f"/v1/workflow-runs/{run_id}/turns/2/rerun").json()
    copied = record(api, copy["workflow_run_id"])
    listed = api.get("/v1/workflow-runs", params={"workflow_id": workflow_id}).json()

    assert copied["carried_over_llm_latency_stats"]["call_count"] > 0
    for answer in (result, copied, listed, record(api, run_id)):
        assert wrong_numbers(answer) == {}
        assert list(numbers_in(answer)) != []


def test_a_record_is_nested_twice_and_whole(api):
    workflow_id = create(api, shop())
    run_id, _ = talk(api, workflow_id, "Hm.")

    answer = api.get(f"/v1/workflow-runs/{run_id}").json()

    outer, run = answer["workflow_run"], answer["workflow_run"]["workflow_run"]
    assert set(outer) >= RECORD
    assert set(run) >= RUN
    assert outer["_id"] == run["workflow_run_id"] == run_id
    assert (run["workflow_id"], run["version_number"], run["version_name"]) == (
        workflow_id,
        0,
        "Initial Version",
    )
    assert answer["feedback_users"] == {}
    pair = run["input_output_pairs"][1]
    assert set(pair) == {
        "run_input",
        "run_output",
        "evaluation",
        "iteration_end_state_miscellaneous",
        "comments",
        "ratings",
    }
    assert set(pair["run_output"]) == {"events", "thread_to_node_outputs"}
    assert pair["run_input"]["runtime_variables"]["workflow_invoke_count"] == 1
    assert "now" in pair["run_input"]["dynamic_variables"]


def test_runs_are_listed_by_every_filter(api):
    workflow_id = create(api, shop())
    run_id, _ = talk(api, workflow_id, "Something about quokkas")
    execute(api, create(api, greeting()))
    now = datetime.now(UTC)

    def found(**query):
        answer = api.get("/v1/workflow-runs", params={"workflow_id": workflow_id, **query})
        return [row["workflow_run"]["workflow_run_id"] for row in answer.json()["workflow_runs"]]

    assert found() == found(status="waiting_for_user_input") == found(search="QUOKKAS") == [run_id]
    assert found(start=(now - timedelta(hours=1)).isoformat()) == [run_id]
    assert found(end=(now + timedelta(hours=1)).isoformat()) == [run_id]
    assert found(status="completed") == found(search="wombat") == []
    assert found(end=(now - timedelta(hours=1)).isoformat()) == []
    assert found(source_turn_index=0) == [run_id]
    row = api.get("/v1/workflow-runs", params={"workflow_id": workflow_id}).json()["workflow_runs"][0]
    assert set(row) >= RECORD


@pytest.mark.parametrize(
    "query",
    [
        {"status": "RunStatus.COMPLETED"},
        {"workflow_id": "nope"},
        {"start": "soon"},
        {"source_turn_index": -1},
    ],
)
def test_invalid_filter_is_refused_by_name(api, query):
    answer = api.get("/v1/workflow-runs", params=query)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", next(iter(query))]


def test_a_deleted_run_is_gone(api, done):
    run_id, _ = done
    api.post(f"/v1/workflow-runs/{run_id}/comments", json={"content": "A word that is gone"})

    assert api.delete(f"/v1/workflow-runs/{run_id}").status_code in (200, 202, 204)

    assert api.get(f"/v1/workflow-runs/{run_id}").status_code == 404
    assert api.get(f"/v1/workflow-runs/{run_id}/evaluation-result").status_code == 404
    listed = api.get("/v1/workflow-runs", params={"size": 1000}).json()["workflow_runs"]
    assert run_id not in [row["_id"] for row in listed]


def test_missing_evaluation_has_fields_of_both_sources(api, done):
    answer = api.get(f"/v1/workflow-runs/{done[0]}/evaluation-result").json()

    assert set(answer) == {
        "evaluation_workflow_run_id",
        "status",
        "evaluation_result",
        "score",
        "passed",
        "details",
        "evaluated_at",
    }


def test_comment_on_run_is_bare_and_in_record(api, done):
    run_id, _ = done
    path = f"/v1/workflow-runs/{run_id}/comments"

    comment = api.post(path, json={"content": "  Well done.  "}).json()

    assert (comment["content"], comment["created_by"], comment["createdBy"]) == ("Well done.", "qa", "qa")
    assert {"logical_id", "created_at", "createdAt", "updatedBy", "updatedAt"} <= set(comment)
    stored = api.get(f"/v1/workflow-runs/{run_id}").json()
    assert stored["workflow_run"]["workflow_run"]["comments"] == [comment]
    assert stored["feedback_users"]["qa"]["id"] == "qa"
    gone = api.delete(f"{path}/{comment['logical_id']}")
    assert gone.json()["workflow_run"]["workflow_run"]["comments"] == []
    assert api.delete(f"{path}/{comment['logical_id']}").status_code == 404


def test_comment_on_event_is_apart_from_the_runs(api, done):
    run_id, event_id = done
    api.post(f"/v1/workflow-runs/{run_id}/comments", json={"content": "On the run"})
    path = f"/v1/workflow-runs/{run_id}/events/{event_id}/comments"

    comment = api.post(path, json={"content": "On the event"}).json()

    assert comment["content"] == "On the event"
    events = record(api, run_id)["input_output_pairs"][0]["run_output"]["events"]
    assert [event["comments"] for event in events if event["logical_id"] == event_id] == [[comment]]
    assert [
        event["comments"] for event in events if event["logical_id"] != event_id and event["comments"]
    ] == []
    assert api.delete(f"{path}/{comment['logical_id']}").json()["comments"] == []


def test_comment_on_turn_answers_with_all(api, done):
    run_id, _ = done
    path = f"/v1/workflow-runs/{run_id}/turns/0/comments"

    api.post(path, json={"content": "One"})
    answer = api.post(path, json={"content": "Two"}).json()

    assert set(answer) == {"ratings", "comments", "feedback_users"}
    assert [comment["content"] for comment in answer["comments"]] == ["One", "Two"]
    assert answer["ratings"] == []
    assert {"id", "firstName", "lastName", "email"} == set(answer["feedback_users"]["qa"])
    pair = record(api, run_id)["input_output_pairs"][0]
    assert pair["comments"] == answer["comments"]
    rest = api.delete(f"{path}/{answer['comments'][0]['logical_id']}").json()
    assert [comment["content"] for comment in rest["comments"]] == ["Two"]


@pytest.mark.parametrize("target", ["turns/0", "events/{event}"])
def test_user_has_one_rating_per_target(api, done, target):
    run_id, event_id = done
    path = f"/v1/workflow-runs/{run_id}/{target.format(event=event_id)}/rating"

    api.put(path, json={"value": "up"})
    api.put(path, json={"value": "down"}, headers=headers("other"))
    answer = api.put(path, json={"value": "strong_up"}).json()

    assert {rating["createdBy"]: rating["value"] for rating in answer["ratings"]} == {
        "qa": "strong_up",
        "other": "down",
    }
    assert answer["comments"] == []
    keys = {"logical_id", "value", "createdBy", "updatedBy", "createdAt", "updatedAt"}
    assert all(set(rating) == keys for rating in answer["ratings"])
    pair = record(api, run_id)["input_output_pairs"][0]
    event = next(event for event in pair["run_output"]["events"] if event["logical_id"] == event_id)
    assert (pair if target == "turns/0" else event)["ratings"] == answer["ratings"]
    left = api.delete(path).json()
    assert [rating["createdBy"] for rating in left["ratings"]] == ["other"]
    assert api.delete(path).json() == left


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "comments", {"content": "Well."}),
        ("POST", "turns/0/comments", {"content": "Well."}),
        ("POST", "events/event_1/comments", {"content": "Well."}),
        ("PUT", "turns/0/rating", {"value": "up"}),
        ("PUT", "events/event_1/rating", {"value": "up"}),
        ("DELETE", "turns/0/rating", None),
        ("DELETE", "events/event_1/rating", None),
        ("DELETE", "comments/comment_1", None),
        ("DELETE", "turns/0/comments/comment_1", None),
        ("DELETE", "events/event_1/comments/comment_1", None),
    ],
)
def test_feedback_needs_a_finished_run(api, method, path, body):
    run_id = execute(api, create(api, graph(chat("ask")))).json()["run_id"]

    answer = api.request(method, f"/v1/workflow-runs/{run_id}/{path}", json=body)

    assert (answer.status_code, answer.json()) == (409, {"detail": FINISHES_LATER})


@pytest.mark.parametrize("content", ["", "   ", "x" * 5001, None, 7])
@pytest.mark.parametrize("target", ["", "turns/0/", "events/{event}/"])
def test_comment_length_is_limited(api, done, content, target):
    run_id, event_id = done
    path = f"/v1/workflow-runs/{run_id}/{target.format(event=event_id)}comments"

    assert api.post(path, json={"content": content}).status_code == 422


def test_a_rating_is_one_of_three_words(api, done):
    for value in ("sideways", None, 1):
        path = f"/v1/workflow-runs/{done[0]}/turns/0/rating"
        assert api.put(path, json={"value": value}).status_code == 422


def test_feedback_on_unknown_target_is_refused(api, done):
    path = f"/v1/workflow-runs/{done[0]}"

    assert api.put(f"{path}/turns/1/rating", json={"value": "up"}).status_code == 404
    assert api.put(f"{path}/turns/x/rating", json={"value": "up"}).status_code == 422
    assert api.put(f"{path}/events/event_nope/rating", json={"value": "up"}).status_code == 404
    assert api.post(f"{path}/events/event_nope/comments", json={"content": "x"}).status_code == 404

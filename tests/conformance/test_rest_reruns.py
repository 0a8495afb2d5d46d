"""Re-runs over a real socket (``platform.md#re-runs``)."""

from __future__ import annotations

import time

import pytest

from tests.conformance.graphs import chat, direct, graph, greeting, static, when
from tests.conformance.served import KEY, UNKNOWN, chat_of, create, execute, record, run_input, talk
from tests.support.server_sockets import opened

PREFLIGHT = {
    "rerunnable",
    "reason",
    "resolved_mode",
    "is_resumable",
    "not_resumable_reason",
    "entry_node_logical_id",
    "suggested_entry_nodes",
    "node_matches",
    "unmapped_node_ids",
    "unmapped_variable_keys",
    "carries_over",
    "dropped",
    "warnings",
}
TOKEN = {
    "rerun_token",
    "expires_in_seconds",
    "target_workflow_id",
    "target_version_number",
    "resolved_mode",
    "entry_node_logical_id",
    "warnings",
    "source_workflow_run_id",
    "turn_index",
    "restored_message_count",
}
PREVIEW = (TOKEN - {"rerun_token", "restored_message_count"}) | {
    "effective_mode",
    "edited",
    "removed_message_count",
    "resume_thread_id",
    "threads",
    "dynamic_variables",
}
STARTED = {"workflow_run_id", "status", "resolved_mode", "entry_node_logical_id", "warnings"}


def tea(ask="ask", name="Ask", **fields):
    return graph(
        static("greet", "Welcome"),
        chat(ask, **{"name": name, **fields}),
        static("bye", "Bye [[tea]]"),
        direct("greet", ask),
        when(ask, "bye", "[[done]] == true"),
    )


@pytest.fixture
def call(api):
    """A workflow, and a run of three turns."""
    workflow_id = create(api, tea())
    run_id, _ = talk(api, workflow_id, "First words", "Second words")
    return workflow_id, run_id


def ask(api, run_id, turn, what, method="POST", **body):
    return api.request(method, f"/v1/workflow-runs/{run_id}/turns/{turn}/{what}", json=body or None)


def change(api, workflow_id, document):
    """A second version of a workflow, which becomes the active one."""
    path = f"/v1/workflows/{workflow_id}/versions"
    api.post(path, json={"mark_as_active": True})
    api.patch(f"{path}/1/config", json={"config": {**document, "name": "Tea"}})


def test_every_turn_can_be_rerun_and_is_counted(api, call):
    _, run_id = call
    ask(api, run_id, 1, "rerun")
    ask(api, run_id, 1, "rerun")

    answer = api.get(f"/v1/workflow-runs/{run_id}/rerunnable-turns").json()

    assert answer["workflow_run_id"] == run_id
    assert [(turn["turn_index"], turn["rerunnable"], turn["rerun_count"]) for turn in answer["turns"]] == [
        (0, True, 0),
        (1, True, 2),
        (2, True, 0),
    ]
    assert all(turn["reason"] is None for turn in answer["turns"])


def test_rerun_of_deleted_version_is_refused_with_reason(api, call):
    workflow_id, run_id = call
    api.delete(f"/v1/workflows/{workflow_id}")

    turn = api.get(f"/v1/workflow-runs/{run_id}/rerunnable-turns").json()["turns"][0]
    preflight = ask(api, run_id, 0, "rerun-preflight").json()

    assert (turn["rerunnable"], preflight["rerunnable"], preflight["is_resumable"]) == (False, False, False)
    assert turn["reason"] == preflight["reason"] != ""
    assert ask(api, run_id, 0, "rerun-token").status_code == 409
    assert ask(api, run_id, 0, "rerun").status_code == 409


def test_rerun_on_same_graph_is_exact(api, call):
    _, run_id = call

    answer = ask(api, run_id, 1, "rerun-preflight").json()

    assert set(answer) == PREFLIGHT
    assert (answer["rerunnable"], answer["reason"], answer["resolved_mode"]) == (True, None, "EXACT")
    assert (answer["is_resumable"], answer["entry_node_logical_id"]) == (True, "ask")
    assert answer["carries_over"]["message_count"] == len(chat_of(record(api, run_id))) - 2
    assert answer["unmapped_node_ids"] == answer["unmapped_variable_keys"] == answer["warnings"] == []
    assert {match["matched_by"] for match in answer["node_matches"]} == {"identity"}
    assert set(answer["dropped"]) == {"node_ids", "variable_keys", "state_keys"}


def test_without_a_message_the_restored_conversation_waits(api, call):
    workflow_id, run_id = call
    before = record(api, run_id)

    answer = ask(api, run_id, 1, "rerun")

    assert answer.status_code == 202
    assert set(answer.json()) == STARTED
    assert answer.json()["status"] == "started"
    new = record(api, answer.json()["workflow_run_id"])
    assert (new["source_workflow_run_id"], new["checkpoint_source_turn_index"]) == (run_id, 1)
    assert new["status"] == "waiting_for_user_input"
    assert chat_of(new) == chat_of(before)[:-2]
    assert record(api, run_id) == before
    result = execute(api, workflow_id, "Other words", new["workflow_run_id"]).json()
    assert (result["turn_number"], result["status"]) == (3, "waiting_for_user_input")
    query = {"source_workflow_run_id": run_id}
    listed = api.get("/v1/workflow-runs", params={**query, "source_turn_index": 1}).json()
    assert [row["_id"] for row in listed["workflow_runs"]] == [new["workflow_run_id"]]
    assert api.get("/v1/workflow-runs", params={**query, "source_turn_index": 2}).json()["total"] == 0


def test_rerun_with_message_answers_with_its_turn(api, call):
    _, run_id = call

    path = f"/v1/workflow-runs/{run_id}/turns/1/rerun"
    answer = api.post(path, params={"async": "false"}, json={"message": "Other words"})

    assert answer.status_code == 200
    assert set(answer.json()) == STARTED
    assert answer.json()["status"] == "waiting_for_user_input"
    new = record(api, answer.json()["workflow_run_id"])
    assert len(new["input_output_pairs"]) == 2
    assert ("user", "Other words") in chat_of(new)
    assert ("user", "First words") not in chat_of(new)


def test_rerun_with_message_runs_without_waiting_client(api, call):
    _, run_id = call

    answer = api.post(
        f"/v1/workflow-runs/{run_id}/turns/0/rerun", params={"async": "true"}, json={"message": "Hello"}
    )

    assert (answer.status_code, answer.json()["status"]) == (202, "started")
    new_id, deadline = answer.json()["workflow_run_id"], time.monotonic() + 30
    while (run := record(api, new_id))["status"] != "waiting_for_user_input" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(run["input_output_pairs"]) == 1
    assert chat_of(record(api, new_id))[0] == ("user", "Hello")


def test_rerun_with_message_repeats_the_turns_variables(api):
    workflow_id = create(api, tea())
    first = execute(api, workflow_id).json()
    done = {"done": True, "tea": "Assam"}
    execute(api, workflow_id, "Assam", first["run_id"], runtime_variables=done)

    path = f"/v1/workflow-runs/{first['run_id']}/turns/1/rerun"
    started = api.post(path, params={"async": "false"}, json={"message": "Green"}).json()

    assert started["status"] == "completed"
    assert chat_of(record(api, started["workflow_run_id"]))[-1] == ("assistant", "Bye Assam")


def test_missing_node_is_replaced_by_name(api, call):
    workflow_id, run_id = call
    change(api, workflow_id, tea(ask="other", name="Ask"))

    preflight = ask(api, run_id, 1, "rerun-preflight").json()
    new_id = ask(api, run_id, 1, "rerun").json()["workflow_run_id"]
    result = execute(api, workflow_id, "Other words", new_id).json()

    assert (preflight["resolved_mode"], preflight["entry_node_logical_id"]) == ("REMAPPED", "other")
    matches = {m["source_node_logical_id"]: m for m in preflight["node_matches"]}
    assert matches["ask"] == {
        "source_node_logical_id": "ask",
        "target_node_logical_id": "other",
        "matched_by": "name",
        "source_node_name": "Ask",
        "target_node_name": "Ask",
    }
    assert (result["turn_number"], result["next_input_hint"]["origin_node_logical_id"]) == (3, "other")
    assert record(api, new_id)["version_number"] == 1


def test_a_node_may_be_mapped_by_hand(api, call):
    workflow_id, run_id = call
    change(api, workflow_id, tea(ask="other", name="Other"))

    plain = ask(api, run_id, 2, "rerun-preflight").json()
    mapped = ask(api, run_id, 2, "rerun-preflight", node_id_map={"ask": "other"}).json()

    assert (plain["resolved_mode"], plain["unmapped_node_ids"]) == ("PORTABLE", ["ask"])
    assert (mapped["resolved_mode"], mapped["entry_node_logical_id"]) == ("REMAPPED", "other")
    assert {m["matched_by"] for m in mapped["node_matches"]} == {"identity", "explicit"}
    for wrong in ({"nope": "other"}, {"ask": "nope"}):
        assert ask(api, run_id, 2, "rerun-token", node_id_map=wrong).status_code == 422


def test_missing_node_without_match_needs_a_choice(api, call):
    workflow_id, run_id = call
    change(api, workflow_id, tea(ask="other", name="Other"))

    preflight = ask(api, run_id, 2, "rerun-preflight").json()
    refused = ask(api, run_id, 2, "rerun-token")
    chosen = {"entry_node_logical_id": "other"}
    token = ask(api, run_id, 2, "rerun-token", **chosen)
    new_id = ask(api, run_id, 2, "rerun", **chosen).json()["workflow_run_id"]
    result = execute(api, workflow_id, "Other words", new_id).json()

    assert (preflight["rerunnable"], preflight["is_resumable"]) == (True, False)
    assert preflight["not_resumable_reason"]
    assert set(preflight["suggested_entry_nodes"]) == {"greet", "other"}
    assert refused.status_code == 409
    assert (token.status_code, token.json()["resolved_mode"]) == (200, "PORTABLE")
    assert result["next_input_hint"]["origin_node_logical_id"] == "other"
    assert ask(api, run_id, 2, "rerun-token", entry_node_logical_id="nope").status_code == 422


def test_more_than_is_possible_is_refused(api, call):
    workflow_id, run_id = call
    change(api, workflow_id, tea(ask="other", name="Ask"))

    for mode, status in (("PORTABLE", 200), ("REMAPPED", 200), ("EXACT", 409)):
        preflight = ask(api, run_id, 2, "rerun-preflight", requested_mode=mode).json()

        assert preflight["rerunnable"] is (status == 200)
        assert ask(api, run_id, 2, "rerun-token", requested_mode=mode).status_code == status
    assert ask(api, run_id, 2, "rerun-preflight", requested_mode="PERFECT").status_code == 422


def test_edited_version_is_not_the_same(api, call):
    workflow_id, run_id = call
    path = f"/v1/workflows/{workflow_id}/versions/0/config"
    api.patch(path, json={"config": {**tea(prompt="Be brief."), "name": "Tea"}})

    assert ask(api, run_id, 2, "rerun-preflight").json()["resolved_mode"] == "REMAPPED"


def test_another_workflow_can_be_gone_on_in(api, call):
    _, run_id = call
    other = create(api, tea(), name="Another")
    changed = {**tea(prompt="Be brief."), "name": "Another"}
    api.patch(f"/v1/workflows/{other}/versions/0/config", json={"config": changed})

    started = ask(api, run_id, 1, "rerun", target_workflow_id=other).json()
    result = execute(api, other, "Other words", started["workflow_run_id"]).json()

    assert started["resolved_mode"] == "REMAPPED"
    assert record(api, started["workflow_run_id"])["workflow_id"] == other
    assert result["turn_number"] == 3
    assert ask(api, run_id, 1, "rerun", target_workflow_id=UNKNOWN).status_code == 404
    assert ask(api, run_id, 1, "rerun", target_version_number=9).status_code == 404
    assert ask(api, run_id, 1, "rerun", target_workflow_id="nope").status_code == 422


@pytest.mark.parametrize(
    ("mode", "pairs", "memos"), [("FULL", 2, True), ("USER_AND_ASSISTANT_ONLY", 2, False), ("NONE", 0, False)]
)
def test_rerun_restores_the_requested_parts(api, call, mode, pairs, memos):
    workflow_id, run_id = call

    token = ask(api, run_id, 1, "rerun-token", history_mode=mode).json()
    new_id = ask(api, run_id, 1, "rerun", history_mode=mode).json()["workflow_run_id"]

    restored = record(api, new_id)["input_output_pairs"]
    events = [event["type"] for pair in restored for event in pair["run_output"]["events"]]
    assert len(restored) == pairs
    assert ("workflow_navigation_message" in events) is memos
    assert token["restored_message_count"] == len(chat_of(record(api, new_id)))
    result = execute(api, workflow_id, "Other words", new_id).json()
    assert (result["status"], result["turn_number"]) == ("waiting_for_user_input", pairs + 1)


def mint(api, run_id, turn=2, **target):
    answer = ask(api, run_id, turn, "rerun-token", **target)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_token_describes_its_rerun_without_itself(api, call):
    workflow_id, run_id = call

    token = mint(api, run_id, 1)
    preview = ask(api, run_id, 1, f"rerun-token/{token['rerun_token']}", "GET")

    assert set(token) == TOKEN
    assert 0 < token["expires_in_seconds"] <= 900
    shown = preview.json()
    assert set(shown) == PREVIEW
    assert token["rerun_token"] not in preview.text
    assert (shown["source_workflow_run_id"], shown["turn_index"]) == (run_id, 1)
    assert (shown["target_workflow_id"], shown["target_version_number"]) == (workflow_id, 0)
    assert (shown["resolved_mode"], shown["effective_mode"], shown["edited"]) == ("EXACT", "EXACT", False)
    assert shown["resume_thread_id"] == "0"
    thread = shown["threads"][0]
    messages = [(line["sender"], line["text"]) for line in thread["messages"]]
    assert (thread["thread_id"], messages) == ("0", chat_of(record(api, run_id))[:-2])
    assert [line["index"] for line in thread["messages"]] == list(range(len(messages)))
    assert all(line["editable"] and line["not_editable_reason"] is None for line in thread["messages"])


def test_token_is_edited_by_displayed_indexes(api, call):
    _, run_id = call
    token = mint(api, run_id)["rerun_token"]
    edits = {
        "dynamic_variables": {"shop": "Leaf"},
        "runtime_variables": {"0": {"tea": "Assam"}},
        "message_edits": [{"thread_id": "0", "index": 0, "text": "Hello there"}],
        "message_deletes": [{"thread_id": "0", "index": 1}],
        "message_appends": [{"thread_id": "0", "role": "user", "text": "And so on"}],
    }

    shown = ask(api, run_id, 2, f"rerun-token/{token}", "PATCH", **edits).json()
    later = ask(api, run_id, 2, f"rerun-token/{token}", "PATCH", dynamic_variables={"shop": "Bud"}).json()
    nothing = ask(api, run_id, 2, f"rerun-token/{token}", "PATCH").json()

    assert (shown["effective_mode"], shown["resolved_mode"], shown["edited"]) == ("EDITED", "EXACT", True)
    assert shown["removed_message_count"] == 1
    lines = shown["threads"][0]["messages"]
    assert (lines[0]["index"], lines[0]["text"]) == (0, "Hello there")
    assert [line["index"] for line in lines][:2] == [0, 2]
    assert (lines[-1]["sender"], lines[-1]["text"]) == ("user", "And so on")
    assert shown["threads"][0]["runtime_variables"]["tea"] == "Assam"
    assert (shown["dynamic_variables"]["shop"], later["dynamic_variables"]["shop"]) == ("Leaf", "Bud")
    assert later["threads"] == shown["threads"]
    assert {**nothing, "expires_in_seconds": 0} == {**later, "expires_in_seconds": 0}


@pytest.mark.parametrize(
    "edits",
    [
        {"surprise": 1},
        {"message_edits": [{"thread_id": "0", "index": 99, "text": "x"}]},
        {"message_edits": [{"thread_id": "9", "index": 0, "text": "x"}]},
        {"message_edits": [{"thread_id": "0", "index": 0, "text": "  "}]},
        {"message_edits": [{"thread_id": "0", "index": 0, "text": "x", "role": "user"}]},
        {"message_deletes": [{"thread_id": "0", "index": -1}]},
        {"message_appends": [{"thread_id": "0", "role": "system", "text": "x"}]},
        {"message_appends": [{"thread_id": "0", "role": "user", "text": ""}]},
        {"runtime_variables": {"9": {"a": 1}}},
        {
            "message_edits": [{"thread_id": "0", "index": 0, "text": "x"}],
            "message_deletes": [{"thread_id": "0", "index": 0}],
        },
    ],
)
def test_refused_edit_leaves_the_token_unchanged(api, call, edits):
    _, run_id = call
    token = mint(api, run_id)["rerun_token"]

    answer = ask(api, run_id, 2, f"rerun-token/{token}", "PATCH", **edits)

    assert answer.status_code == 422
    assert ask(api, run_id, 2, f"rerun-token/{token}", "GET").json()["edited"] is False


def test_a_token_is_of_one_turn(api, call):
    _, run_id = call
    token = mint(api, run_id)["rerun_token"]

    for turn, wrong_token in ((1, token), (2, token + "x"), (2, "nope")):
        for method in ("GET", "PATCH"):
            assert ask(api, run_id, turn, f"rerun-token/{wrong_token}", method).status_code == 404


def test_token_of_changed_graph_is_refused(api, call):
    workflow_id, run_id = call
    token = mint(api, run_id)["rerun_token"]
    path = f"/v1/workflows/{workflow_id}/versions/0/config"
    api.patch(path, json={"config": {**tea(prompt="Be brief."), "name": "Tea"}})

    assert ask(api, run_id, 2, f"rerun-token/{token}", "GET").status_code == 409


@pytest.mark.parametrize("what", ["rerun-preflight", "rerun-token", "rerun"])
def test_unknown_turn_is_not_found(api, call, what):
    _, run_id = call

    assert ask(api, run_id, 3, what).status_code == 404
    assert ask(api, run_id, -1, what).status_code == 422
    assert ask(api, run_id, 0, what, history_mode="SOME").status_code == 422


@pytest.mark.parametrize("message", ["", "  ", 7, ["Hello"]])
def test_a_message_has_words(api, call, message):
    assert ask(api, call[1], 1, "rerun", message=message).status_code == 422


def test_rerun_counts_against_limit_of_workflow(api, call):
    workflow_id, run_id = call
    api.patch(f"/v1/workflows/{workflow_id}/concurrency", json={"max_concurrent_runs": 1})

    assert ask(api, run_id, 1, "rerun").status_code == 429


@pytest.mark.parametrize(("turn", "lines"), [(0, 1), (1, 3), (2, 5)])
def test_token_restores_through_its_turn(api, call, turn, lines):
    workflow_id, run_id = call
    chat = chat_of(record(api, run_id))[:lines]

    token = mint(api, run_id, turn)
    preview = ask(api, run_id, turn, f"rerun-token/{token['rerun_token']}", "GET").json()
    ack, *events = redeem(api, workflow_id, token, "Other words")
    new = record(api, ack["workflow_run_id"])

    assert token["restored_message_count"] == lines
    (thread,) = preview["threads"]
    assert [(line["sender"], line["text"]) for line in thread["messages"]] == chat
    assert chat_of(new)[:lines] == chat
    assert chat_of(new)[lines] == ("user", "Other words")
    assert len(new["input_output_pairs"]) == turn + 2
    assert (new["source_workflow_run_id"], new["checkpoint_source_turn_index"]) == (run_id, turn)
    assert events[-1]["type"] == "workflow_ready_for_input"


def test_token_of_finished_run_restores_it(api):
    workflow_id = create(api, greeting("Hello"))
    run_id = execute(api, workflow_id).json()["run_id"]

    token = mint(api, run_id, 0)
    preview = ask(api, run_id, 0, f"rerun-token/{token['rerun_token']}", "GET").json()
    ack, *events = redeem(api, workflow_id, token, "Anybody there?")

    assert token["restored_message_count"] == 1
    assert preview["threads"][0]["messages"][0]["text"] == "Hello"
    assert "entry_node_logical_id" in token["warnings"][0]
    assert chat_of(record(api, ack["workflow_run_id"])) == [
        ("assistant", "Hello"),
        ("user", "Anybody there?"),
    ]
    assert events[-1]["type"] == "end_workflow"


def redeem(api, workflow_id, token, text):
    """Redeem a token in a start frame; return the turn's frames."""
    frame = {**run_input(text), "workflow_id": workflow_id, "rerun_token": token["rerun_token"]}
    with opened(api, additional_headers={"Authorization": f"Bearer {KEY}"}) as socket:
        return socket.turn(**frame)

from __future__ import annotations

import pytest

from debugger.errors import InputError, NotFoundError
from debugger.protocol.json_codec import encode
from debugger.protocol.runs import unwrap_run
from debugger.store.sql_helpers import new_id
from tests.support.turns import WholeTurn, append_turn

TEN = 1_782_900_000.0  # 2026-07-01T10:00:00Z


def a_turn(run_id, number=1, **fields):
    values = {
        "status": "waiting_for_user_input",
        "checkpoint": b"state",
        "started_at": TEN,
        "finished_at": TEN,
        "workflow_id": "665f00000000000000000001",
        "version_number": 0,
    }
    return WholeTurn(run_id=run_id, turn_number=number, **{**values, **fields})


def test_run_is_read_in_wire_shape(store):
    said = {"type": "assistant_response", "content": "Which tea?"}
    told = {
        "run_input": {"command": "start", "extra": 2**64},
        "run_output": {"events": [], "thread_to_node_outputs": {"0": [{"output": "Which tea?"}]}},
        "evaluation": None,
        "iteration_end_state_miscellaneous": {"active_thread_ids": ["0"]},
        "comments": [],
        "ratings": [],
    }
    closing_event = {"type": "end_workflow_iteration", "run_input_output_pair": told}
    untold = {**told, "run_input": {"command": "data"}}
    run_id = new_id()
    append_turn(
        store,
        a_turn(
            run_id,
            version_name="Initial Version",
            workflow_name="Tea",
            run_by="qa",
            events_json=encode([said, closing_event, {"type": "workflow_ready_for_input"}]),
            source_workflow_run_id="665f0c2b9a3e4d5f6a7b8c90",
            checkpoint_source_turn_index=2,
            finished_at=TEN + 1,
        ),
    )
    append_turn(
        store,
        a_turn(
            run_id,
            2,
            status="failed",
            termination_source="execution_error",
            pair_json=encode(untold),
            token_usage_json=b'{"total_tokens":7}',
            latency_stats_json=b'{"call_count":1}',
            started_at=TEN + 179,
            finished_at=TEN + 180,
        ),
    )

    run = store.run(run_id)

    assert run.to_wire() == {
        "logical_id": f"workflow_run_{run_id}",
        "workflow_run_id": run_id,
        "workflow_id": "665f00000000000000000001",
        "workflow_name": "Tea",
        "voice_conversation_id": None,
        "version_number": 0,
        "version_name": "Initial Version",
        "status": "failed",
        "termination_source": "execution_error",
        "turn_count": 2,
        "run_by": "qa",
        "miscellaneous": None,
        "comments": [],
        "input_output_pairs": [
            {
                **told,
                "run_output": {
                    **told["run_output"],
                    "events": [said, closing_event, {"type": "workflow_ready_for_input"}],
                },
            },
            untold,
        ],
        "llm_token_usage": {"total_tokens": 7},
        "llm_latency_stats": {"call_count": 1},
        "workflow_config_fully_hydrated": None,
        "source_workflow_run_id": "665f0c2b9a3e4d5f6a7b8c90",
        "checkpoint_source_turn_index": 2,
        "carried_over_llm_token_usage": None,
        "carried_over_llm_latency_stats": None,
        "is_evaluation_run": False,
        "evaluation_run_info": {"evaluation_workflow_run_id": None},
        "created_at": "2026-07-01T10:00:00.000Z",
        "updated_at": "2026-07-01T10:03:00.000Z",
    }
    assert unwrap_run(run.to_wire()) == run


def test_unknown_run_error_names_it(store):
    with pytest.raises(NotFoundError, match="no run 'unknown'"):
        store.run("unknown")


def test_runs_are_listed_newest_first_without_their_turns(store):
    ids = [new_id() for _ in range(5)]
    for place, run_id in enumerate(ids):
        append_turn(store, a_turn(run_id, started_at=TEN + place))
    append_turn(store, a_turn(ids[0], 2, started_at=TEN + 100))

    first, total, _ = store.runs(page=1, size=3)
    second, *_ = store.runs(page=2, size=3)

    assert [run.workflow_run_id for run in first + second] == ids[::-1]
    assert total == 5
    assert all(run.input_output_pairs == [] for run in first)
    assert [run.turn_count for run in second] == [1, 2]


def test_runs_are_picked_by_workflow_and_by_status(store):
    tea, coffee = new_id(), new_id()
    wanted = new_id()
    append_turn(store, a_turn(wanted, workflow_id=tea, status="completed"))
    append_turn(store, a_turn(new_id(), workflow_id=tea))
    append_turn(store, a_turn(new_id(), workflow_id=coffee, status="completed"))

    assert store.runs(tea)[1] == 2
    assert store.runs(status="completed")[1] == 2
    [run], total, _ = store.runs(tea, "completed")
    assert (run.workflow_run_id, total) == (wanted, 1)
    assert store.runs(status="no such status") == ([], 0, 0)
    assert store.runs(new_id()) == ([], 0, 0)


def test_a_page_that_cannot_be_is_refused(store):
    with pytest.raises(InputError, match="no page 0"):
        store.runs(page=0)


def test_runs_outlive_their_workflow(store):
    workflow = store.create_workflow({"name": "Tea"})
    run_id = new_id()
    append_turn(store, a_turn(run_id, workflow_id=workflow.id, workflow_name="Tea"))

    store.delete_workflow(workflow.id)

    assert store.run(run_id).workflow_id == workflow.id
    assert store.runs(workflow.id)[0][0].workflow_name == "Tea"
    append_turn(store, a_turn(run_id, 2))
    assert store.checkpoint(run_id).turn_number == 2


def test_a_large_turn_comes_back_whole(store):
    run_id = new_id()
    events = [{"type": "start_node_run", "origin_node_run_id": str(number)} for number in range(2000)]
    append_turn(store, a_turn(run_id, events_json=encode(events)))

    assert store.run(run_id).input_output_pairs[0].run_output.events == events

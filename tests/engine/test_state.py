from __future__ import annotations

import json

from debugger.engine.state import BoundedLoop, RunState, WaitingEdge


def test_from_json_restores_a_state():
    state = RunState.at("chat")
    state.turn_number = 3
    state.main.is_waiting = True
    state.main.runtime_variables = {"tea": "Assam", "big": 2**70, "nested": {"a": [1, None]}}
    state.main.return_stack = [("hours", "chat")]
    state.main.next_run_id("chat")

    again = RunState.from_json(state.to_json())

    assert again == state


def test_from_json_passes_over_unknown_keys():
    state = RunState.at("chat")
    state.main.loop = BoundedLoop("chat", 1, None)
    state.main.waiting_edges = {"edge": WaitingEdge(1, 2.0, {"poll": 1})}
    stored = json.loads(state.to_json())
    thread = stored["threads"]["0"]
    for part in (stored, thread, thread["loop"], thread["waiting_edges"]["edge"]):
        part["later"] = 1

    assert RunState.from_json(json.dumps(stored).encode()) == state


def test_to_json_keeps_stored_names():
    stored = json.loads(RunState.at("chat").to_json())

    thread = stored["threads"]["0"]
    assert "untold" in stored
    assert {"parked", "lingers", "callers", "came_back", "hops_in_a_row", "due_at"} <= thread.keys()


def test_run_ids_count_per_node_and_edge():
    thread = RunState.at("a").main

    assert [thread.next_run_id("a"), thread.next_run_id("a"), thread.next_run_id("b")] == ["1", "2", "1"]
    assert [thread.next_edge_run_id("e"), thread.next_edge_run_id("e")] == ["1", "2"]

from __future__ import annotations

from debugger.engine.state import RunState


def test_a_state_comes_back_from_json_as_it_was():
    state = RunState.at("chat")
    state.turn_number = 3
    state.main.parked = True
    state.main.runtime_variables = {"tea": "Assam", "big": 2**70, "nested": {"a": [1, None]}}
    state.main.callers = [("hours", "chat")]
    state.main.next_run_id("chat")

    again = RunState.from_json(state.to_json())

    assert again == state


def test_run_ids_count_per_node_and_per_edge_from_one():
    thread = RunState.at("a").main

    assert [thread.next_run_id("a"), thread.next_run_id("a"), thread.next_run_id("b")] == ["1", "2", "1"]
    assert [thread.next_edge_run_id("e"), thread.next_edge_run_id("e")] == ["1", "2"]

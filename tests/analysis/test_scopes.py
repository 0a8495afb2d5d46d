from __future__ import annotations

from debugger.analysis.differences import Difference
from debugger.analysis.variables import changed_variables, changes_by_turn, scopes_at
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput, TurnLog


def shown(runtime, shared=None, thread="0"):
    return parse_event(
        {
            "type": "workflow_show_state",
            "origin_thread_id": None,
            "thread_id": thread,
            "runtime_variables": runtime,
            "workflow_runtime_variables": shared or {},
        }
    )


def ended(node_id, name):
    return parse_event({"type": "end_node_run", "origin_node_logical_id": node_id, "origin_node_name": name})


def test_before_any_state_event_the_input_is_what_is_known():
    turn = TurnLog(1, TurnInput(dynamic_variables={"shop": "Leaf"}, runtime_variables={"vip": True}))

    scopes = scopes_at([turn])

    assert scopes.dynamic == {"shop": "Leaf"}
    assert scopes.seeds == {"vip": True}
    assert scopes.runtime == {}


def test_the_state_event_parts_the_callers_variables_from_the_systems():
    shared = {
        "_input_dynamic_variables": {"shop": "Leaf", "time": "tea time"},
        "_evaluated_dynamic_variables": {
            "shop": "Leaf",
            "now": "July 14, 2026 07:10 PM",
            "time": "tea time",
            "rand_int": 5,
        },
        "attempts": 2,
        "_hidden": 1,
    }

    scopes = scopes_at([TurnLog(1, TurnInput(), [shown({}, shared)])])

    assert scopes.dynamic == {"shop": "Leaf", "time": "tea time"}
    assert scopes.system == {"now": "July 14, 2026 07:10 PM", "rand_int": 5}
    assert scopes.workflow == {"attempts": 2, "_hidden": 1}


def test_copies_that_bear_a_nodes_id_or_name_are_split_off():
    variables = {"tea": "Assam", "node_order.tea": "Assam", "Dr. Leaf's desk.tea": "Assam", "price.eur": 3}
    events = [ended("node_order", "Dr. Leaf's desk"), shown(variables)]

    scopes = scopes_at([TurnLog(1, TurnInput(), events)])

    assert scopes.runtime == {"0": {"tea": "Assam", "price.eur": 3}}
    assert scopes.qualified == {"0": {"node_order.tea": "Assam", "Dr. Leaf's desk.tea": "Assam"}}


def test_each_thread_keeps_its_latest_state():
    events = [
        shown({"tea": "Assam"}),
        shown({"lab": "pending"}, thread="0_companion_lab"),
        shown({"tea": "Mate"}),
    ]

    scopes = scopes_at([TurnLog(1, TurnInput(), events)])

    assert scopes.runtime == {"0": {"tea": "Mate"}, "lab": {"lab": "pending"}}


def test_the_past_is_seen_as_it_was_after_an_event():
    first = TurnLog(1, TurnInput(dynamic_variables={"shop": "Leaf"}), [shown({"tea": "Assam"})])
    second = TurnLog(2, TurnInput(dynamic_variables={"vip": True}), [ended("a", "A"), shown({"tea": "Mate"})])
    turns = [first, second]

    assert scopes_at(turns, -1).dynamic == {}
    assert scopes_at(turns, 0).dynamic == {"shop": "Leaf"}
    assert scopes_at(turns, 1).dynamic == {"shop": "Leaf", "vip": True}
    assert scopes_at(turns, 1).runtime["0"] == {"tea": "Assam"}
    assert scopes_at(turns, 2).runtime["0"] == {"tea": "Mate"}
    assert scopes_at(turns) == scopes_at(turns, 2) == scopes_at(turns, 99)


def test_a_recorded_input_that_echoes_the_system_is_read_without_it():
    echo = TurnInput(
        dynamic_variables={"shop": "Leaf", "now": "July 14, 2026 07:10 PM"},
        runtime_variables={
            "input_dynamic_variables": {"shop": "Leaf"},
            "all_dynamic_variables": {"shop": "Leaf", "now": "July 14, 2026 07:10 PM"},
            "workflow_invoke_count": 0,
            "vip": True,
        },
    )

    scopes = scopes_at([TurnLog(1, echo)])

    assert scopes.dynamic == {"shop": "Leaf"}
    assert scopes.seeds == {"vip": True}


def test_a_run_begun_with_a_state_has_its_variables_from_the_start():
    state = {
        "threads": {"0": {"runtime_variables": {"tea": "Assam"}}},
        "workflow_runtime_variables": {"attempts": 2},
        "dynamic_variables": {"shop": "Leaf"},
    }

    scopes = scopes_at([TurnLog(1, TurnInput(initial_state=state, dynamic_variables={"vip": True}))])

    assert scopes.runtime == {"0": {"tea": "Assam"}}
    assert scopes.workflow == {"attempts": 2}
    assert scopes.dynamic == {"shop": "Leaf", "vip": True}


def test_a_state_event_with_nulls_shows_no_variables():
    event = parse_event(
        {
            "type": "workflow_show_state",
            "thread_id": "0",
            "runtime_variables": None,
            "workflow_runtime_variables": None,
        }
    )

    assert scopes_at([TurnLog(1, TurnInput(), [event])]).runtime == {"0": {}}


def test_an_event_changed_what_differs_from_the_event_before():
    shared = {"_evaluated_dynamic_variables": {"now": "7"}, "attempts": 1}
    later = {"_evaluated_dynamic_variables": {"now": "8"}, "attempts": 2}
    turns = [
        TurnLog(1, TurnInput(), [ended("n", None), shown({"tea": "Assam"}, shared)]),
        TurnLog(2, TurnInput(), [ended("n", None), shown({"tea": "Mate", "n.tea": "Mate"}, later)]),
    ]

    assert changed_variables(turns, 3) == [
        Difference("runtime.tea", "Assam", "Mate", "changed"),
        Difference("workflow.attempts", 1, 2, "changed"),
    ]


def test_the_first_event_of_a_turn_tells_what_the_input_brought():
    turns = [
        TurnLog(1, TurnInput(dynamic_variables={"shop": "Leaf"}), [ended("n", None)]),
        TurnLog(2, TurnInput(dynamic_variables={"shop": "Cup"}), [ended("n", None)]),
    ]

    assert changed_variables(turns, 1) == [Difference("dynamic.shop", "Leaf", "Cup", "changed")]


def test_an_event_that_shows_no_state_changed_nothing():
    turns = [TurnLog(1, TurnInput(dynamic_variables={"a": 1}), [ended("n", None), ended("n", None)])]

    assert changed_variables(turns, 1) == []
    assert changed_variables(turns, 7) == []


def test_a_variable_of_a_companion_bears_its_thread():
    turns = [TurnLog(1, TurnInput(), [ended("n", None), shown({"lab": "pending"}, thread="0_companion_x")])]

    assert changed_variables(turns, 1) == [Difference("thread_x.lab", None, "pending", "added")]


def test_turn_by_turn_only_what_nodes_wrote_counts():
    turns = [
        TurnLog(1, TurnInput(dynamic_variables={"shop": "Leaf"}), [shown({"tea": "A"}), shown({"tea": "B"})]),
        TurnLog(2, TurnInput(dynamic_variables={"shop": "Cup"}), [shown({"tea": "B"})]),
    ]

    assert changes_by_turn(turns) == [[Difference("runtime.tea", None, "B", "added")], []]

from __future__ import annotations

from debugger.analysis.differences import Difference
from debugger.analysis.event_fields import fields_of
from debugger.analysis.variable_history import VariableHistory
from debugger.analysis.variables import (
    EMPTY_SNAPSHOT,
    Snapshots,
    VariableChanges,
    scopes_at,
)
from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog, turn_logs
from debugger.settings import Settings
from tests.support.factories import document, say, static, workflow
from tests.support.short_turns import shows, turn


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


def test_scopes_before_any_state_event():
    turn = TurnLog(1, TurnInput(dynamic_variables={"shop": "Leaf"}, runtime_variables={"vip": True}))

    scopes = scopes_at([turn])

    assert scopes.dynamic == {"shop": "Leaf"}
    assert scopes.seeds == {"vip": True}
    assert scopes.runtime == {}


def test_scopes_separate_system_variables():
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


def test_scopes_separate_qualified_copies():
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


def test_scopes_at_a_past_event():
    first = TurnLog(1, TurnInput(dynamic_variables={"shop": "Leaf"}), [shown({"tea": "Assam"})])
    second = TurnLog(2, TurnInput(dynamic_variables={"vip": True}), [ended("a", "A"), shown({"tea": "Mate"})])
    turns = [first, second]

    assert scopes_at(turns, -1).dynamic == {}
    assert scopes_at(turns, 0).dynamic == {"shop": "Leaf"}
    assert scopes_at(turns, 1).dynamic == {"shop": "Leaf", "vip": True}
    assert scopes_at(turns, 1).runtime["0"] == {"tea": "Assam"}
    assert scopes_at(turns, 2).runtime["0"] == {"tea": "Mate"}
    assert scopes_at(turns) == scopes_at(turns, 2) == scopes_at(turns, 99)


def test_number_is_shown_as_its_event_has_it():
    turns = [TurnLog(1, TurnInput(), [shown({"a": 1, "b": 2}), shown({"a": 1.0, "b": 2})])]

    assert [repr(scopes_at(turns, index).runtime["0"]["a"]) for index in (0, 1)] == ["1", "1.0"]


def test_scopes_of_an_echoed_input():
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


def test_scopes_of_an_initial_state():
    state = {
        "threads": {"0": {"runtime_variables": {"tea": "Assam"}}},
        "workflow_runtime_variables": {"attempts": 2},
        "dynamic_variables": {"shop": "Leaf"},
    }

    scopes = scopes_at([TurnLog(1, TurnInput(initial_state=state, dynamic_variables={"vip": True}))])

    assert scopes.runtime == {"0": {"tea": "Assam"}}
    assert scopes.workflow == {"attempts": 2}
    assert scopes.dynamic == {"shop": "Leaf", "vip": True}


def test_scopes_of_null_variables():
    event = parse_event(
        {
            "type": "workflow_show_state",
            "thread_id": "0",
            "runtime_variables": None,
            "workflow_runtime_variables": None,
        }
    )

    assert scopes_at([TurnLog(1, TurnInput(), [event])]).runtime == {"0": {}}


def changed_at(turns, index):
    return VariableHistory(Snapshots().catch_up(turns)).changed_at(index)


def test_changed_at_compares_with_previous_event():
    shared = {"_evaluated_dynamic_variables": {"now": "7"}, "attempts": 1}
    later = {"_evaluated_dynamic_variables": {"now": "8"}, "attempts": 2}
    turns = [
        TurnLog(1, TurnInput(), [ended("n", None), shown({"tea": "Assam"}, shared)]),
        TurnLog(2, TurnInput(), [ended("n", None), shown({"tea": "Mate", "n.tea": "Mate"}, later)]),
    ]

    assert changed_at(turns, 3) == [
        Difference("runtime.tea", "Assam", "Mate", "changed"),
        Difference("workflow.attempts", 1, 2, "changed"),
    ]


def test_changed_at_includes_the_turns_input():
    turns = [
        TurnLog(1, TurnInput(dynamic_variables={"shop": "Leaf"}), [ended("n", None)]),
        TurnLog(2, TurnInput(dynamic_variables={"shop": "Cup"}), [ended("n", None)]),
    ]

    assert changed_at(turns, 1) == [Difference("dynamic.shop", "Leaf", "Cup", "changed")]


def test_changed_at_without_a_state_event():
    turns = [TurnLog(1, TurnInput(dynamic_variables={"a": 1}), [ended("n", None), ended("n", None)])]

    assert changed_at(turns, 1) == []
    assert changed_at(turns, 7) == []


def test_changed_at_names_companion_threads():
    turns = [TurnLog(1, TurnInput(), [ended("n", None), shown({"lab": "pending"}, thread="0_companion_x")])]

    assert changed_at(turns, 1) == [Difference("thread_x.lab", None, "pending", "added")]


def test_changes_exclude_inputs():
    turns = [
        TurnLog(1, TurnInput(dynamic_variables={"shop": "Leaf"}), [shown({"tea": "A"}), shown({"tea": "B"})]),
        TurnLog(2, TurnInput(dynamic_variables={"shop": "Cup"}), [shown({"tea": "B"})]),
    ]

    assert changes_of(turns) == [[Difference("runtime.tea", None, "B", "added")], []]


def changes_of(turns):
    changes = VariableChanges()
    return [changes.add_turn(each, fields_of(each.events)) for each in turns]


def event(kind, **fields):
    return parse_event({"type": kind, **fields})


def state_event(runtime, thread="0", **shared):
    return event(
        "workflow_show_state", thread_id=thread, runtime_variables=runtime, workflow_runtime_variables=shared
    )


def test_snapshots_equal_a_full_read():
    turns = [
        TurnLog(
            1, TurnInput(dynamic_variables={"shop": "Leaf"}), [event("start_workflow"), state_event({"a": 1})]
        ),
        TurnLog(
            2, TurnInput(runtime_variables={"vip": True}), [state_event({"a": 2, "Price.a": 2}, tries=3)]
        ),
        TurnLog(
            2,
            TurnInput(command="data", miscellaneous={"background": True}),
            [
                event("end_node_run", origin_node_logical_id="price", origin_node_name="Price"),
                state_event({"lab": 1}, thread="0_companion_lab"),
            ],
            is_background=True,
        ),
    ]

    moments = Snapshots().catch_up(turns)

    for index in (-1, 0, 1, 2, 3, 4, None):
        assert moments.scopes(index).runtime.keys() == scopes_at(turns, index).runtime.keys()
    assert moments.scopes(None) == scopes_at(turns)
    assert moments.at(-1) is EMPTY_SNAPSHOT
    assert (moments.at(1).index, moments.at(1).turn_number) == (1, 1)


def test_snapshots_catch_up_or_restart():
    turn = TurnLog(1, TurnInput(), [state_event({"a": 1})])
    moments = Snapshots().catch_up([turn])
    first = moments.at(0)

    turn.events.append(state_event({"a": 2}))
    grown = [TurnLog(1, turn.run_input, list(turn.events)), TurnLog(2, TurnInput(), [state_event({"a": 3})])]
    moments.catch_up(grown)

    assert moments.at(0) is first
    assert [moments.at(index).runtime["0"]["a"] for index in range(3)] == [1, 2, 3]
    moments.catch_up([TurnLog(1, TurnInput(), [state_event({"a": 9})])])
    assert moments.at(None).runtime["0"] == {"a": 9}
    assert moments.event_count == 1


def test_snapshots_of_a_removed_turn():
    first = TurnLog(1, TurnInput(), [state_event({"a": 1})])
    moments = Snapshots().catch_up([first, TurnLog(2, TurnInput(dynamic_variables={"x": 1}))])

    moments.catch_up([first, TurnLog(2, TurnInput(dynamic_variables={"x": 2}))])

    assert moments.at(None).dynamic == {"x": 2}


def test_snapshots_set_the_loop_outcome():
    given_up = event("self_loop_exhausted", origin_thread_id="0_companion_lab", outcome="max_retries")
    turns = [TurnLog(1, TurnInput(), [state_event({"n": 1}, thread="0_companion_lab"), given_up])]

    moments = Snapshots().catch_up(turns)

    assert moments.at(0).runtime["lab"] == {"n": 1}
    assert moments.at(1).runtime["lab"] == {"n": 1, "self_loop_outcome": "max_retries"}


def test_snapshots_clear_a_restarted_companion():
    lab = "0_companion_lab"
    fork = event("companion_edge", origin_thread_id=lab)
    turns = [
        TurnLog(
            1,
            TurnInput(),
            [state_event({"n": 1}, thread=lab), fork, event("end_thread", origin_thread_id=lab), fork],
        )
    ]

    moments = Snapshots().catch_up(turns)

    assert moments.at(2).runtime["lab"] == {"n": 1}
    assert moments.at(3).runtime["lab"] == {}


def test_snapshot_scope_precedence():
    made = workflow(static("a", "Hi"), defaults={"shop": "Leaf", "city": "Ulm"})
    given = TurnInput(dynamic_variables={"shop": "Cup"}, runtime_variables={"vip": True, "tries": 0})
    moments = Snapshots().catch_up([TurnLog(1, given, [state_event({"a": 1}, tries=2)])])

    scope = moments.at(0).scope(workflow=made)

    assert (scope.dynamic["shop"], scope.dynamic["city"]) == ("Cup", "Ulm")
    assert dict(scope.workflow) == {"vip": True, "tries": 2}
    assert scope.runtime == {"a": 1}


def test_changes_turn_by_turn():
    turns = [
        turn(1, "Hi", shows(a=1, b="x")),
        turn(2, "Hi", shows(a=2), shows(a=2, c=[1])),
        turn(3, "Hi"),
        turn(4, "Hi", shows(c=[1, 2])),
    ]

    assert changes_of(turns) == [
        [Difference("runtime.a", None, 1, "added"), Difference("runtime.b", None, "x", "added")],
        [
            Difference("runtime.a", 1, 2, "changed"),
            Difference("runtime.b", "x", None, "removed"),
            Difference("runtime.c", None, [1], "added"),
        ],
        [],
        [Difference("runtime.a", 2, None, "removed"), Difference("runtime.c[1]", None, 2, "added")],
    ]


def test_recorded_turn_begins_with_its_system_variables(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    kept = backend.create_workflow(document(say("chat")))
    first = TurnInput.with_message("hi", dynamic_variables={"date": "own"})
    run_id = backend.execute(kept.id, first).finish().run_id
    backend.execute(kept.id, TurnInput.with_message("again", command="data"), run_id=run_id).finish()
    turns = turn_logs(backend.run(run_id))
    backend.close()
    moments, second = Snapshots().catch_up(turns), len(turns[0].events)

    at_begin = [moments.at(index).system for index in (0, second)]
    at_end = [moments.at(index).system for index in (second - 1, None)]

    assert at_begin == at_end
    assert at_begin[0]["rand_uuid"] != at_begin[1]["rand_uuid"]
    assert "date" not in at_begin[1]

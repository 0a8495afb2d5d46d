from __future__ import annotations

from debugger.analysis.variables import BEFORE, Moments, scopes_at
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput, TurnLog
from tests.factories import static, workflow


def event(kind, **fields):
    return parse_event({"type": kind, **fields})


def shown(runtime, thread="0", **shared):
    return event(
        "workflow_show_state", thread_id=thread, runtime_variables=runtime, workflow_runtime_variables=shared
    )


def test_the_variables_after_any_event_are_those_that_reading_the_run_again_would_give():
    turns = [
        TurnLog(1, TurnInput(dynamic_variables={"shop": "Leaf"}), [event("start_workflow"), shown({"a": 1})]),
        TurnLog(2, TurnInput(runtime_variables={"vip": True}), [shown({"a": 2, "Price.a": 2}, tries=3)]),
        TurnLog(
            2,
            TurnInput(command="data", miscellaneous={"background": True}),
            [
                event("end_node_run", origin_node_logical_id="price", origin_node_name="Price"),
                shown({"lab": 1}, thread="0_companion_lab"),
            ],
            is_background=True,
        ),
    ]

    moments = Moments().follow(turns)

    for index in (-1, 0, 1, 2, 3, 4, None):
        assert moments.scopes(index).runtime.keys() == scopes_at(turns, index).runtime.keys()
    assert moments.scopes(None) == scopes_at(turns)
    assert moments.at(-1) is BEFORE
    assert (moments.at(1).index, moments.at(1).turn_number) == (1, 1)


def test_a_run_that_grows_is_taken_in_once_and_one_that_was_taken_back_anew():
    turn = TurnLog(1, TurnInput(), [shown({"a": 1})])
    moments = Moments().follow([turn])
    first = moments.at(0)

    turn.events.append(shown({"a": 2}))
    grown = [TurnLog(1, turn.run_input, list(turn.events)), TurnLog(2, TurnInput(), [shown({"a": 3})])]
    moments.follow(grown)

    assert moments.at(0) is first
    assert [moments.at(index).runtime["0"]["a"] for index in range(3)] == [1, 2, 3]
    moments.follow([TurnLog(1, TurnInput(), [shown({"a": 9})])])
    assert moments.at(None).runtime["0"] == {"a": 9}
    assert moments.count == 1


def test_a_turn_that_was_taken_back_before_its_first_event_gives_nothing():
    first = TurnLog(1, TurnInput(), [shown({"a": 1})])
    moments = Moments().follow([first, TurnLog(2, TurnInput(dynamic_variables={"x": 1}))])

    moments.follow([first, TurnLog(2, TurnInput(dynamic_variables={"x": 2}))])

    assert moments.at(None).dynamic == {"x": 2}


def test_the_end_of_a_bounded_loop_sets_its_outcome_before_any_state_shows_it():
    given_up = event("self_loop_exhausted", origin_thread_id="0_companion_lab", outcome="max_retries")
    turns = [TurnLog(1, TurnInput(), [shown({"n": 1}, thread="0_companion_lab"), given_up])]

    moments = Moments().follow(turns)

    assert moments.at(0).runtime["lab"] == {"n": 1}
    assert moments.at(1).runtime["lab"] == {"n": 1, "self_loop_outcome": "max_retries"}


def test_a_companion_thread_that_is_forked_again_begins_without_variables():
    lab = "0_companion_lab"
    fork = event("companion_edge", origin_thread_id=lab)
    turns = [
        TurnLog(
            1,
            TurnInput(),
            [shown({"n": 1}, thread=lab), fork, event("end_thread", origin_thread_id=lab), fork],
        )
    ]

    moments = Moments().follow(turns)

    assert moments.at(2).runtime["lab"] == {"n": 1}
    assert moments.at(3).runtime["lab"] == {}


def test_a_scope_sees_defaults_below_what_was_given_and_seeds_below_the_memory():
    made = workflow(static("a", "Hi"), defaults={"shop": "Leaf", "city": "Ulm"})
    given = TurnInput(dynamic_variables={"shop": "Cup"}, runtime_variables={"vip": True, "tries": 0})
    moments = Moments().follow([TurnLog(1, given, [shown({"a": 1}, tries=2)])])

    scope = moments.at(0).scope(workflow=made)

    assert (scope.dynamic["shop"], scope.dynamic["city"]) == ("Cup", "Ulm")
    assert dict(scope.workflow) == {"vip": True, "tries": 2}
    assert scope.runtime == {"a": 1}

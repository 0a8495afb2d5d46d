from __future__ import annotations

from debugger.analysis.differences import Difference
from debugger.analysis.variable_history import Setting, VariableHistory
from debugger.analysis.variables import Moments, changed_variables
from debugger.protocol.runs import TurnInput, TurnLog
from tests.analysis.test_moments import event, shown


def history_of(*turns):
    return VariableHistory(Moments().follow(turns)).catch_up()


def test_a_variable_leads_to_the_event_that_set_it_last():
    history = history_of(
        TurnLog(1, TurnInput(), [shown({"tea": "Assam"}), shown({"tea": "Assam", "cup": 1})]),
        TurnLog(2, TurnInput(), [event("start_thread"), shown({"tea": "Mate"}), shown({"tea": "Mate"})]),
    )

    assert history.last_set("runtime", "tea", None) == Setting(3, 2, "changed", "Assam", "Mate")
    assert history.last_set("runtime", "tea", 2) == Setting(0, 1, "added", None, "Assam")
    assert history.last_set("runtime", "cup", None) == Setting(3, 2, "removed", 1, None)
    assert history.last_set("runtime", "tea", -1) is None
    assert history.last_set("runtime", "gone", None) is None


def test_what_a_turn_was_given_was_set_by_its_first_event():
    history = history_of(
        TurnLog(1, TurnInput(dynamic_variables={"shop": "Leaf"}), [event("start_thread"), shown({})]),
        TurnLog(2, TurnInput(dynamic_variables={"shop": "Cup"}), [event("start_thread")]),
    )

    assert [(each.index, each.after) for each in history.settings("dynamic", "shop")] == [
        (0, "Leaf"),
        (2, "Cup"),
    ]


def test_a_number_that_became_a_truth_value_has_changed():
    history = history_of(TurnLog(1, TurnInput(), [shown({"a": 1}), shown({"a": True})]))

    assert [each.after for each in history.settings("runtime", "a")] == [1, True]


def test_what_an_event_changed_is_what_reading_the_run_again_would_tell():
    turns = [
        TurnLog(1, TurnInput(dynamic_variables={"shop": "Leaf"}), [event("start_thread"), shown({"a": [1]})]),
        TurnLog(2, TurnInput(), [shown({"a": [1, 2]}, tries=1), shown({}, thread="0_companion_lab")]),
        TurnLog(
            3, TurnInput(), [event("start_thread"), shown({}), shown({"b": 1}, thread="0_companion_lab")]
        ),
    ]
    history = history_of(*turns)

    for index in range(7):
        mine = sorted(history.changed_at(index), key=lambda each: each.path)
        assert mine == sorted(changed_variables(turns, index), key=lambda each: each.path)


def test_the_changes_of_several_events_add_up():
    history = history_of(TurnLog(1, TurnInput(), [shown({"a": 1}), shown({"a": 2, "b": 1}), shown({"b": 1})]))

    assert history.changed_between(0, 2) == [
        Difference("runtime.a", 1, None, "removed"),
        Difference("runtime.b", None, 1, "added"),
    ]


def test_a_run_that_grew_is_caught_up_with_and_another_run_begins_anew():
    turn = TurnLog(1, TurnInput(), [shown({"a": 1})])
    moments = Moments().follow([turn])
    history = VariableHistory(moments).catch_up()

    turn.events.append(shown({"a": 2}))
    moments.follow([turn])
    assert [each.after for each in history.catch_up().settings("runtime", "a")] == [1, 2]
    moments.follow([TurnLog(1, TurnInput(), [shown({"a": 5})])])

    assert [each.after for each in history.catch_up().settings("runtime", "a")] == [5]

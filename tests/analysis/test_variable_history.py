from __future__ import annotations

import pytest

from debugger.analysis.differences import Difference, differences
from debugger.analysis.variable_history import Series, VariableChange, VariableHistory, read_watch
from debugger.analysis.variables import Snapshots, scopes_at
from debugger.errors import ExpressionError, InputError
from debugger.expressions import ABSENT
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from tests.analysis.test_variables import event, state_event
from tests.support.factories import static, workflow


def history_of(*turns):
    return VariableHistory(Snapshots().catch_up(turns)).catch_up()


def test_last_set_finds_the_event():
    history = history_of(
        TurnLog(1, TurnInput(), [state_event({"tea": "Assam"}), state_event({"tea": "Assam", "cup": 1})]),
        TurnLog(
            2,
            TurnInput(),
            [event("start_thread"), state_event({"tea": "Mate"}), state_event({"tea": "Mate"})],
        ),
    )

    assert history.last_set("runtime", "tea", None) == VariableChange(3, 2, "changed", "Assam", "Mate")
    assert history.last_set("runtime", "tea", 2) == VariableChange(0, 1, "added", None, "Assam")
    assert history.last_set("runtime", "cup", None) == VariableChange(3, 2, "removed", 1, None)
    assert history.last_set("runtime", "tea", -1) is None
    assert history.last_set("runtime", "gone", None) is None


def test_changes_of_a_turns_input():
    history = history_of(
        TurnLog(1, TurnInput(dynamic_variables={"shop": "Leaf"}), [event("start_thread"), state_event({})]),
        TurnLog(2, TurnInput(dynamic_variables={"shop": "Cup"}), [event("start_thread")]),
    )

    assert [(each.index, each.after) for each in history.changes("dynamic", "shop")] == [
        (0, "Leaf"),
        (2, "Cup"),
    ]


def test_changes_tell_true_from_one():
    history = history_of(TurnLog(1, TurnInput(), [state_event({"a": 1}), state_event({"a": True})]))

    assert [each.after for each in history.changes("runtime", "a")] == [1, True]


def test_changes_tell_nested_true_from_one():
    states = [state_event({"a": value}) for value in ({"b": [1]}, {"b": [True]})]
    history = history_of(TurnLog(1, TurnInput(), states))

    changes = history.changes("runtime", "a")

    assert [(each.index, each.after) for each in changes] == [(0, {"b": [1]}), (1, {"b": [True]})]
    assert history.changed_at(1) == [Difference("runtime.a.b[0]", 1, True, "changed")]


def test_changed_at_equals_a_full_read():
    turns = [
        TurnLog(
            1, TurnInput(dynamic_variables={"shop": "Leaf"}), [event("start_thread"), state_event({"a": [1]})]
        ),
        TurnLog(
            2, TurnInput(), [state_event({"a": [1, 2]}, tries=1), state_event({}, thread="0_companion_lab")]
        ),
        TurnLog(
            3,
            TurnInput(),
            [event("start_thread"), state_event({}), state_event({"b": 1}, thread="0_companion_lab")],
        ),
    ]
    history = history_of(*turns)

    def flat(scopes):
        threads = {"runtime" if key == "0" else f"thread_{key}": own for key, own in scopes.runtime.items()}
        scoped = {**threads, "dynamic": scopes.dynamic, "workflow": scopes.workflow}
        return {f"{scope}.{name}": value for scope, own in scoped.items() for name, value in own.items()}

    for index in range(7):
        before, after = scopes_at(turns, index - 1), scopes_at(turns, index)
        mine = sorted(history.changed_at(index), key=lambda each: each.path)
        assert mine == sorted(differences(flat(before), flat(after)), key=lambda each: each.path)


def test_the_changes_of_several_events_add_up():
    history = history_of(
        TurnLog(1, TurnInput(), [state_event({"a": 1}), state_event({"a": 2, "b": 1}), state_event({"b": 1})])
    )

    assert history.changed_between(0, 2) == [
        Difference("runtime.a", 1, None, "removed"),
        Difference("runtime.b", None, 1, "added"),
    ]


def test_history_catches_up_or_restarts():
    turn = TurnLog(1, TurnInput(), [state_event({"a": 1})])
    moments = Snapshots().catch_up([turn])
    history = VariableHistory(moments).catch_up()

    turn.events.append(state_event({"a": 2}))
    moments.catch_up([turn])
    assert [each.after for each in history.catch_up().changes("runtime", "a")] == [1, 2]
    moments.catch_up([TurnLog(1, TurnInput(), [state_event({"a": 5})])])

    assert [each.after for each in history.catch_up().changes("runtime", "a")] == [5]


TURNS = [
    TurnLog(
        1,
        TurnInput(dynamic_variables={"shop": "Leaf"}),
        [event("start_thread"), state_event({"tea": "Assam"})],
    ),
    TurnLog(2, TurnInput(), [state_event({"tea": "Mate", "order": {"teas": [{"n": 1}]}}, tries=3)]),
    TurnLog(3, TurnInput(), [state_event({"result": "late"}, thread="0_companion_lab"), state_event({})]),
]


def series(text, turns=TURNS, made=None):
    snapshots = Snapshots().catch_up(turns)
    return Series(read_watch(text), snapshots, made or workflow(static("a", "Hi"))).catch_up()


def values(text):
    return [(point.index, point.value) for point in series(text).points]


@pytest.mark.parametrize("text", ["runtime.tea", "[[tea]]", "tea", "[[thread_0.tea]]", " tea "])
def test_read_watch_accepts_every_notation(text):
    assert values(text) == [(0, ABSENT), (1, "Assam"), (2, "Mate"), (4, ABSENT)]


@pytest.mark.parametrize("text", ["dynamic.shop", "{{shop}}", "shop"])
def test_series_of_a_dynamic_variable(text):
    assert values(text) == [(0, "Leaf")]


def test_series_of_nested_paths():
    assert values("runtime.order.teas[0].n")[1:] == [(2, 1), (4, ABSENT)]
    assert values("workflow.tries") == [(0, ABSENT), (2, 3), (3, ABSENT)]
    assert values("thread_lab.result") == [(0, ABSENT), (3, "late")]
    assert values("[[tea | upcase]]") == [(0, ABSENT), (1, "ASSAM"), (2, "MATE"), (4, ABSENT)]


def test_series_of_a_condition():
    watched = series("[[tea]] == 'Mate' AND [[tries]] >= 3")

    assert [(point.index, point.value) for point in watched.points] == [(0, False), (2, True), (3, False)]
    assert (watched.first_true.index, watched.first_true.turn_number) == (2, 2)
    assert series("[[tea]] == 'Oolong'").first_true is None


def test_series_value_at_an_event():
    watched = series("tea")

    assert watched.at(1).value == "Assam"
    assert watched.at(3).value == "Mate"
    assert watched.at(-1) is None
    assert watched.at(None).value is ABSENT


def test_series_of_a_failing_condition():
    watched = series("[[tea]] < 3")

    assert watched.points[0].value is False
    assert watched.points[1].value is ABSENT
    assert "Error evaluating condition expression ''Assam' < 3'" in watched.points[1].problem


def test_series_includes_workflow_defaults():
    made = workflow(static("a", "Hi"), defaults={"city": "Ulm"})

    assert [point.value for point in series("{{city}} == 'Ulm'", made=made).points] == [True]


def test_series_catches_up():
    turn = TurnLog(1, TurnInput(), [state_event({"a": 1})])
    moments = Snapshots().catch_up([turn])
    watched = Series(read_watch("a"), moments, workflow(static("a", "Hi"))).catch_up()

    turn.events += [state_event({"a": 1}), state_event({"a": 2})]
    moments.catch_up([turn])

    assert [point.value for point in watched.catch_up().points] == [1, 2]


@pytest.mark.parametrize("text", ["", "   ", "x" * 501])
def test_read_watch_rejects_empty_and_long_text(text):
    with pytest.raises(InputError, match=r"nothing to watch|at most 500"):
        read_watch(text)


@pytest.mark.parametrize("text", ["[[a]] ==", "a b", "contains([[a]], 'x')", "runtime.a b", "(", "[[a"])
def test_read_watch_locates_syntax_errors(text):
    with pytest.raises(ExpressionError):
        read_watch(text)

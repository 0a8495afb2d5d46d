from __future__ import annotations

import pytest

from debugger.analysis.variable_history import Series, read_watch
from debugger.analysis.variables import Moments
from debugger.errors import ExpressionError, InputError
from debugger.expressions import ABSENT
from debugger.protocol.runs import TurnInput, TurnLog
from tests.analysis.test_moments import event, shown
from tests.factories import static, workflow

TURNS = [
    TurnLog(
        1, TurnInput(dynamic_variables={"shop": "Leaf"}), [event("start_thread"), shown({"tea": "Assam"})]
    ),
    TurnLog(2, TurnInput(), [shown({"tea": "Mate", "order": {"teas": [{"n": 1}]}}, tries=3)]),
    TurnLog(3, TurnInput(), [shown({"result": "late"}, thread="0_companion_lab"), shown({})]),
]


def series(text, turns=TURNS, made=None):
    return Series(read_watch(text), Moments().follow(turns), made or workflow(static("a", "Hi"))).catch_up()


def values(text):
    return [(point.index, point.value) for point in series(text).points]


@pytest.mark.parametrize("text", ["runtime.tea", "[[tea]]", "tea", "[[thread_0.tea]]", " tea "])
def test_a_variable_is_watched_under_each_of_its_names(text):
    assert values(text) == [(0, ABSENT), (1, "Assam"), (2, "Mate"), (4, ABSENT)]


@pytest.mark.parametrize("text", ["dynamic.shop", "{{shop}}", "shop"])
def test_a_dynamic_variable_has_its_value_from_the_first_event_on(text):
    assert values(text) == [(0, "Leaf")]


def test_a_path_reaches_into_objects_and_lists_and_other_scopes():
    assert values("runtime.order.teas[0].n")[1:] == [(2, 1), (4, ABSENT)]
    assert values("workflow.tries") == [(0, ABSENT), (2, 3), (3, ABSENT)]
    assert values("thread_lab.result") == [(0, ABSENT), (3, "late")]
    assert values("[[tea | upcase]]") == [(0, ABSENT), (1, "ASSAM"), (2, "MATE"), (4, ABSENT)]


def test_a_condition_is_true_from_where_it_first_holds():
    watched = series("[[tea]] == 'Mate' AND [[tries]] >= 3")

    assert [(point.index, point.value) for point in watched.points] == [(0, False), (2, True), (3, False)]
    assert (watched.first_true.index, watched.first_true.turn_number) == (2, 2)
    assert series("[[tea]] == 'Oolong'").first_true is None


def test_the_value_at_an_event_is_the_last_one_that_began_before_it():
    watched = series("tea")

    assert watched.at(1).value == "Assam"
    assert watched.at(3).value == "Mate"
    assert watched.at(-1) is None
    assert watched.at(None).value is ABSENT


def test_a_condition_that_cannot_be_evaluated_tells_why_where_it_cannot():
    watched = series("[[tea]] < 3")

    assert watched.points[0].value is False
    assert watched.points[1].value is ABSENT
    assert "Error evaluating condition expression ''Assam' < 3'" in watched.points[1].problem


def test_values_that_the_workflow_has_by_default_count():
    made = workflow(static("a", "Hi"), defaults={"city": "Ulm"})

    assert [point.value for point in series("{{city}} == 'Ulm'", made=made).points] == [True]


def test_a_run_that_grew_is_caught_up_with():
    turn = TurnLog(1, TurnInput(), [shown({"a": 1})])
    moments = Moments().follow([turn])
    watched = Series(read_watch("a"), moments, workflow(static("a", "Hi"))).catch_up()

    turn.events += [shown({"a": 1}), shown({"a": 2})]
    moments.follow([turn])

    assert [point.value for point in watched.catch_up().points] == [1, 2]


@pytest.mark.parametrize("text", ["", "   ", "x" * 501])
def test_what_is_nothing_or_too_long_cannot_be_watched(text):
    with pytest.raises(InputError, match=r"nothing to watch|at most 500"):
        read_watch(text)


@pytest.mark.parametrize("text", ["[[a]] ==", "a b", "contains([[a]], 'x')", "runtime.a b", "(", "[[a"])
def test_what_is_no_condition_is_told_with_its_place(text):
    with pytest.raises(ExpressionError):
        read_watch(text)

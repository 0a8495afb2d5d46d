from __future__ import annotations

from debugger.analysis.comparison.tables import variable_rows
from tests.analysis.comparison.turns import shows, turn


def told(rows):
    return [(row.sign, row.path, row.a, row.b) for row in rows]


def test_variables_are_compared_by_scope_and_name():
    a = [turn(1, None, shows(tea="Assam", cup={"size": 1}, gone=1), dynamic_variables={"shop": "Leaf"})]
    b = [turn(1, None, shows(tea="Assam", cup={"size": 2}, new=None), dynamic_variables={"shop": "Bean"})]

    assert told(variable_rows(a, b, ())) == [
        ("~", "dynamic.shop", "Leaf", "Bean"),
        ("~", "runtime.cup.size", 1, 2),
        ("−", "runtime.gone", 1, None),
        ("+", "runtime.new", None, None),
    ]


def test_what_is_the_same_is_told_on_request():
    turns = [turn(1, None, shows(tea="Assam"))]

    assert variable_rows(turns, turns, ()) == []
    assert told(variable_rows(turns, turns, (), with_same=True)) == [("=", "runtime.tea", "Assam", "Assam")]


def test_clock_chance_and_justifications_are_passed_over_by_name():
    def state(number):
        evaluated = {"now": number, "rand_int": number, "shop": "Leaf"}
        shown = shows(justification=f"rule {number}", tea="Assam")
        shown["workflow_runtime_variables"] = {"_evaluated_dynamic_variables": evaluated}
        return [turn(1, None, shown)]

    everything = variable_rows(state(1), state(2), ())
    left = variable_rows(state(1), state(2), {"times", "random values", "justifications"})

    assert {row.path for row in everything} == {"system.now", "system.rand_int", "runtime.justification"}
    assert left == []

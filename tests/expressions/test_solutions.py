from __future__ import annotations

import pytest

from debugger.expressions import Scope, parse
from debugger.expressions.solutions import solution, with_values


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("[[kind]] == 'new'", {("runtime", "kind"): "new"}),
        ("'new' == [[kind]]", {("runtime", "kind"): "new"}),
        ("[[n]] >= 3", {("runtime", "n"): 3}),
        ("[[n]] > 3 AND [[n]] < 5", {("runtime", "n"): 4}),
        ("[[n]] != 3", {("runtime", "n"): 4}),
        ("{{tier}} == 'gold'", {("dynamic", "tier"): "gold"}),
        ("[[done]]", {("runtime", "done"): True}),
        ("[[verdict.ok]] == false", {("runtime", "verdict.ok"): False}),
        ("isPresent([[customer.name]])", {("runtime", "customer.name"): "name"}),
        ("NOT isEmpty([[x]]) AND [[n]] == null", {("runtime", "x"): "x", ("runtime", "n"): None}),
        ("[[a]] == 1 OR [[b]] == 2 AND [[c]] == 3", {("runtime", "a"): 1}),
        ("[[name | downcase]] == 'ada'", {("runtime", "name"): "ada"}),
    ],
)
def test_solution_makes_condition_hold(expression, values):
    assert not parse(expression).evaluate(Scope()).value

    assert solution(expression, Scope()) == values
    assert parse(expression).evaluate(with_values(Scope(), values)).value


def test_condition_that_holds_needs_no_change():
    assert solution("[[n]] > 2", Scope(runtime={"n": 3})) == {}


def test_change_of_one_variable_wins_over_two():
    scope = Scope(runtime={"a": 1})

    assert solution("[[a]] == 1 AND [[b]] == 2", scope) == {("runtime", "b"): 2}


def test_conditions_evaluated_before_do_not_hold():
    before = ["[[ok]] == false", "[[n]] >= 3"]

    found = solution("[[n]] >= 2", Scope(runtime={"ok": False}), others=before)

    assert found == {("runtime", "n"): 2, ("runtime", "ok"): True}


@pytest.mark.parametrize(
    "expression", ["[[a]] == [[b]]", "[[n]] > 3 AND [[n]] < 2", "[[xs | size]] == 3", "1 == 2"]
)
def test_undecidable_condition_has_no_solution(expression):
    assert solution(expression, Scope()) is None


def test_change_that_is_not_allowed_is_not_made():
    found = solution(
        "[[a]] == 1 OR [[b]] == 2", Scope(), is_allowed=lambda values: ("runtime", "a") not in values
    )

    assert found == {("runtime", "b"): 2}


def test_condition_that_fails_to_evaluate_is_no_solution():
    scope = Scope(runtime={"n": "text"})

    assert solution("[[m]] == 1", scope, others=["[[n]] > 3"]) == {("runtime", "m"): 1, ("runtime", "n"): 3}


def test_many_variables_are_bounded():
    text = " AND ".join(f"[[v{number}]] == {number}" for number in range(30))

    assert solution(text, Scope()) is None

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
    "expression", ["[[a]] != [[a]]", "[[n]] > 3 AND [[n]] < 2", "[[xs | size]] == 1000", "1 == 2"]
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


def test_many_variables_that_all_change():
    text = " AND ".join(f"[[v{number}]] == {number}" for number in range(30))

    assert solution(text, Scope()) == {("runtime", f"v{number}"): number for number in range(30)}


def test_many_changes_of_many_variables_need_not_be_fewest():
    parts = [f"([[a{number}]] == 1 OR [[b{number}]] == 1)" for number in range(14)]
    text = " AND ".join((*parts, "([[last]] == 2 OR [[first]] == 2)"))

    found = solution(text, Scope())

    assert found is not None
    assert parse(text).evaluate(with_values(Scope(), found)).value


def test_many_variables_are_bounded():
    sums = [f"([[a{number}]] == 1 OR [[b{number}]] == 1)" for number in range(20)]
    none = [f"NOT ([[a{number}]] == 1 AND [[z]] == 1) AND [[b{number}]] != 1" for number in range(20)]

    assert solution(" AND ".join([*sums, *none, "[[z]] == 1"]), Scope()) is None


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("[[a]] == [[b]]", {("runtime", "a"): 1, ("runtime", "b"): 1}),
        ("[[a]] > [[b]]", {("runtime", "a"): 1, ("runtime", "b"): 0}),
        ("[[a]] == 'x' AND [[b]] == [[a]]", {("runtime", "a"): "x", ("runtime", "b"): "x"}),
        ("[[a]] == {{tier}} AND [[a]] != 1", {("runtime", "a"): 2, ("dynamic", "tier"): 2}),
        (
            "[[a]] == [[b]] AND [[a]] == [[c]] AND [[c]] == 'x'",
            {("runtime", name): "x" for name in "abc"},
        ),
        ("[[xs | size]] == 3", {("runtime", "xs"): ["x", "x", "x"]}),
        ("[[n]] > 3 AND [[n]] < 4", {("runtime", "n"): 3.5}),
    ],
)
def test_variables_are_solved_jointly(expression, values):
    assert solution(expression, Scope()) == values
    assert parse(expression).evaluate(with_values(Scope(), values)).value


def test_value_of_another_variable_is_not_copied():
    scope = Scope(runtime={"b": "planted"}, dynamic={"api_key": "planted"})

    assert solution("[[a]] == {{api_key}}", scope) == {("runtime", "a"): 1, ("dynamic", "api_key"): 1}
    assert solution("[[a]] == [[b]]", scope) == {("runtime", "a"): 1, ("runtime", "b"): 1}


def test_part_of_value_is_not_decided_before_the_value():
    scope = Scope(runtime={"customer": {"tier": "gold"}})

    assert solution("[[customer.tier]] == 'gold' AND [[customer]] != 'x'", scope) == {}


def test_numbers_beyond_floats_have_none_between():
    huge = [10**400, 10**400 + 1]

    assert solution("[[n]] == 1", Scope(), values={("runtime", "n"): huge}) == {("runtime", "n"): 1}

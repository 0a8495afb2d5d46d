from __future__ import annotations

from debugger.analysis.undecided import EdgeExpression
from debugger.expressions import Scope
from debugger.session.answer_values import answer_fields, needed_for

SCHEMA = {"type": "object", "properties": {"kind": {"enum": ["new", "old"]}, "n": {"type": "integer"}}}


def test_output_makes_expression_true():
    expression = EdgeExpression("[[kind]] == 'old'", (), {"kind": ("kind",)})

    assert answer_fields(expression, {"kind": "new", "n": 0}, SCHEMA, Scope()) == {"kind": "old", "n": 0}


def test_output_fits_schema():
    expression = EdgeExpression("[[kind]] == 'odd'", (), {"kind": ("kind",)})

    assert answer_fields(expression, {"kind": "new"}, SCHEMA, Scope()) is None


def test_expressions_before_do_not_hold():
    answered = {"ok": ("success",), "result.kind": ("result", "kind")}
    expression = EdgeExpression("[[result.kind]] == 'full'", ("[[ok]] == false",), answered)

    found = answer_fields(expression, {"success": False, "result": ""}, None, Scope())

    assert found == {"success": True, "result": {"kind": "full"}}


def test_variables_of_others_stay():
    expression = EdgeExpression("[[n]] == 1 AND {{tier}} == 'gold'", (), {"n": ("n",)})

    assert answer_fields(expression, {"n": 0}, None, Scope()) is None
    assert answer_fields(expression, {"n": 0}, None, Scope(dynamic={"tier": "gold"})) == {"n": 1}
    assert needed_for(expression).startswith(
        "It needs [[n]] == 1 AND {{tier}} == 'gold', and {{tier}} must be set elsewhere"
    )


def test_output_that_is_given_is_not_changed():
    fields = {"n": 0}

    answer_fields(EdgeExpression("[[n]] == 1", (), {"n": ("n",)}), fields, None, Scope())

    assert fields == {"n": 0}

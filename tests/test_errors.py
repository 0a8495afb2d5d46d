from __future__ import annotations

from debugger.errors import ExpressionError, InputError, extra_advice


def test_error_says_cause_and_remedy():
    assert (
        str(InputError("'x' is no id.", advice="Copy it from the list."))
        == "'x' is no id. Copy it from the list."
    )


def test_expression_error_shows_the_place():
    error = ExpressionError("expected a value.", text="[[a]] ==", column=9)

    assert str(error).splitlines() == ["column 9: expected a value.", "[[a]] ==", "        ^"]


def test_expression_error_shows_its_line():
    error = ExpressionError("expected a value.", text="[[a]] == 1 AND\n[[b]] ==", column=24)

    assert str(error).splitlines()[1:] == ["[[b]] ==", "        ^"]


def test_extras_are_installed_from_checkout_or_wheel():
    assert "pip install '.[dask,postgres]'" in extra_advice("dask,postgres")
    assert "whl[dask,postgres]'" in extra_advice("dask,postgres")

from __future__ import annotations

from debugger.errors import ExpressionError, InputError


def test_an_error_says_what_happened_and_what_to_do():
    assert (
        str(InputError("'x' is no id.", advice="Copy it from the list."))
        == "'x' is no id. Copy it from the list."
    )


def test_an_error_in_an_expression_shows_the_place():
    error = ExpressionError("expected a value.", text="[[a]] ==", column=9)

    assert str(error).splitlines() == ["column 9: expected a value.", "[[a]] ==", "        ^"]


def test_of_several_lines_the_one_with_the_error_is_shown():
    error = ExpressionError("expected a value.", text="[[a]] == 1 AND\n[[b]] ==", column=24)

    assert str(error).splitlines()[1:] == ["[[b]] ==", "        ^"]

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debugger.errors import InputError
from debugger.session.variable_rows import (
    RowError,
    VariableRow,
    edited,
    row_from,
    rows_from,
    value_of,
    variables_from,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.text("abcdefgh_.", min_size=1, max_size=6)


@given(st.dictionaries(NAMES, JSON, max_size=4))
def test_variables_survive_the_table_unchanged(variables):
    back = variables_from(rows_from(variables))

    assert back == variables
    assert [type(value) for value in back.values()] == [type(value) for value in variables.values()]


@pytest.mark.parametrize(
    ("value", "row"),
    [
        ("42", VariableRow("x", "text", "42")),
        (42, VariableRow("x", "number", "42")),
        (2**70, VariableRow("x", "number", "1180591620717411303424")),
        (False, VariableRow("x", "boolean", "false")),
        (None, VariableRow("x", "null", "")),
        (["é", 1], VariableRow("x", "JSON", '["é", 1]')),
    ],
)
def test_each_kind_of_value_has_its_own_type(value, row):
    assert row_from("x", value) == row
    assert value_of(row) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("number", "forty"),
        ("number", "0x10"),
        ("number", "1_000"),
        ("number", "NaN"),
        ("number", "1e999"),
        ("number", ""),
        ("boolean", "yes"),
        ("boolean", "1"),
        ("JSON", "{a: 1}"),
        ("JSON", ""),
    ],
)
def test_a_value_that_is_not_of_its_type_is_refused_with_its_text(kind, text):
    with pytest.raises(InputError) as caught:
        value_of(VariableRow("x", kind, text))

    assert kind.lower() in caught.value.message.lower()


def test_spaces_around_a_number_do_no_harm_and_those_of_a_text_are_kept():
    assert value_of(VariableRow("x", "number", " 7 ")) == 7
    assert value_of(VariableRow("x", "text", " 7 ")) == " 7 "


def test_every_row_that_cannot_be_used_is_told_at_once():
    rows = [
        VariableRow("age", "number", "old"),
        VariableRow("", "text", "lost"),
        VariableRow("tea", "text", "Assam"),
        VariableRow("tea", "text", "Ceylon"),
    ]

    with pytest.raises(RowError) as caught:
        variables_from(rows)

    assert [problem.row for problem in caught.value.problems] == [1, 2, 3, 4]
    assert "age: 'old' is not a number" in str(caught.value)
    assert "the name 'tea' occurs 2 times" in str(caught.value)


def test_what_a_grid_tells_of_its_edits_is_applied_to_the_rows():
    rows = [VariableRow("a", "text", "1"), VariableRow("b", "text", "2"), VariableRow("c", "text", "3")]
    edits = {
        "edited_rows": {0: {"type": "number"}, "2": {"value": None}},
        "deleted_rows": [1],
        "added_rows": [{"name": "d", "value": "4"}, {}],
    }

    assert edited(rows, edits) == [
        VariableRow("a", "number", "1"),
        VariableRow("c", "text", ""),
        VariableRow("d", "text", "4"),
        VariableRow("", "text", ""),
    ]


def test_a_row_that_has_just_been_added_is_passed_over():
    assert variables_from([VariableRow("", "text", ""), VariableRow("a", "text", "b")]) == {"a": "b"}


def test_a_whole_number_may_be_longer_than_a_float_can_hold():
    digits = "1" * 400

    assert value_of(VariableRow("a", "number", digits)) == int(digits)


@pytest.mark.parametrize("text", ["1" * 5000, "1e999"])
def test_a_number_that_cannot_be_kept_is_refused(text):
    with pytest.raises(InputError, match="is not a number"):
        value_of(VariableRow("a", "number", text))

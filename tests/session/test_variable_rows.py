from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debugger.errors import InputError
from debugger.session.variable_rows import (
    PendingEdits,
    RowError,
    VariableRow,
    VariableScope,
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
def test_each_value_kind_has_its_type(value, row):
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
def test_value_of_wrong_type_is_rejected(kind, text):
    with pytest.raises(InputError) as caught:
        value_of(VariableRow("x", kind, text))

    assert kind.lower() in caught.value.message.lower()


def test_spaces_matter_in_texts_not_numbers():
    assert value_of(VariableRow("x", "number", " 7 ")) == 7
    assert value_of(VariableRow("x", "text", " 7 ")) == " 7 "


def test_all_unusable_rows_are_reported():
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


def test_grid_edits_are_applied_to_rows():
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


def test_value_typed_into_null_needs_type():
    table = edited(rows_from({"carrier": None}), {"edited_rows": {"0": {"value": '{"state": "LOST"}'}}})

    with pytest.raises(RowError, match="is not null; choose the type of the value"):
        variables_from(table)


def test_type_null_drops_value():
    table = edited(rows_from({"carrier": "dhl"}), {"edited_rows": {"0": {"type": "null"}}})

    assert variables_from(table) == {"carrier": None}


def test_new_empty_row_is_ignored():
    assert variables_from([VariableRow("", "text", ""), VariableRow("a", "text", "b")]) == {"a": "b"}


def test_integer_may_exceed_float():
    digits = "1" * 400

    assert value_of(VariableRow("a", "number", digits)) == int(digits)


@pytest.mark.parametrize("text", ["1" * 5000, "1e999"])
def test_unusable_number_is_rejected(text):
    with pytest.raises(InputError, match="is not a number"):
        value_of(VariableRow("a", "number", text))


def test_difference_names_thread_by_public_id():
    tier = VariableScope("runtime", "0_companion_lab")
    pending = PendingEdits({tier: {"n": 1}})

    pending.set_rows(tier, [VariableRow("n", "number", "2")])

    assert [each.path for each in pending.differences] == ["thread_lab.n"]


def test_edit_renames_no_variable_with_blanks():
    tier = VariableScope("runtime")
    pending = PendingEdits({tier: {"name ": "Ada", "age": 7}})

    pending.set_rows(tier, edited(pending.rows(tier), {"edited_rows": {"1": {"name": " years "}}}))

    changed = {edit.name: edit.is_removal for edit in pending.edits}
    assert changed == {"age": True, "years": False}

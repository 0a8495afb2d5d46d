from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debugger.errors import InputError, InputJsonError
from debugger.session.run_input import (
    RowError,
    RunInputModel,
    VariableRow,
    parse_json,
    parse_object,
    row_from,
    rows_from,
    value_of,
    variables_from,
    with_message,
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


def test_a_row_that_has_just_been_added_is_passed_over():
    assert variables_from([VariableRow("", "text", ""), VariableRow("a", "text", "b")]) == {"a": "b"}


def test_a_json_error_says_line_and_column():
    with pytest.raises(InputJsonError) as caught:
        parse_json('{\n  "a": 1,\n  "b" 2\n}', what="The run input")

    assert (caught.value.line, caught.value.column) == (3, 7)
    assert caught.value.message == "The run input is not JSON: line 3, column 7: expecting ':' delimiter."


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_does_not_have_is_refused_with_its_place(constant):
    with pytest.raises(InputJsonError) as caught:
        parse_json('{\n "a": ' + constant + "}")

    assert (caught.value.line, caught.value.column) == (2, 7)
    assert constant in caught.value.message


def test_json_that_is_nested_too_deeply_is_an_error_and_not_a_crash():
    with pytest.raises(InputJsonError, match="too deeply"):
        parse_json("[" * 100_000)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("[]", "a list"), ("3", "a number"), ("true", "a boolean"), ("null", "null"), ('"a"', "a text")],
)
def test_json_of_another_kind_is_no_run_input(text, kind):
    with pytest.raises(InputJsonError, match=f"must be a JSON object, and it is {kind}"):
        parse_object(text)


def test_the_table_and_the_text_are_two_views_of_one_object():
    model = RunInputModel({"dynamic_variables": {"shop": "Leaf"}, "welcome_message": "Hi"})

    model.set_rows(
        "dynamic_variables", [VariableRow("shop", "text", "Leaf & Co"), VariableRow("n", "number", "2")]
    )

    assert json.loads(model.text) == {
        "dynamic_variables": {"shop": "Leaf & Co", "n": 2},
        "welcome_message": "Hi",
    }

    model.set_text('{"dynamic_variables": {"shop": null}, "run_by": "qa"}')

    assert model.rows("dynamic_variables") == [VariableRow("shop", "null", "")]
    assert model.value["run_by"] == "qa"


def test_text_that_is_not_json_is_kept_as_typed_and_holds_the_turn_back():
    model = RunInputModel({"run_by": "qa"})

    model.set_text('{"run_by": }')

    assert model.text == '{"run_by": }'
    assert model.value == {"run_by": "qa"}
    with pytest.raises(InputError, match="line 1, column 12"):
        model.turn_input()


def test_text_with_a_key_of_the_wrong_kind_says_where_the_key_stands():
    model = RunInputModel()

    model.set_text('{\n  "run_by": "qa",\n  "dynamic_variables": [1]\n}')

    assert model.draft_error is not None
    assert (model.draft_error.line, model.draft_error.column) == (3, 3)
    assert "dynamic_variables: Input should be an object" in model.draft_error.message


def test_half_a_surrogate_in_the_text_is_told_and_not_raised():
    model = RunInputModel()

    model.set_text('{"run_by": "\\ud800"}')

    assert model.draft_error is not None
    assert "hex escape" in model.draft_error.message


def test_rows_that_cannot_be_used_are_kept_as_typed_and_hold_the_turn_back():
    model = RunInputModel({"runtime_variables": {"n": 1}})
    rows = [VariableRow("n", "number", "one")]

    model.set_rows("runtime_variables", rows)

    assert model.rows("runtime_variables") == rows
    assert model.value == {"runtime_variables": {"n": 1}}
    assert model.problems == [
        "Runtime variables, row 1: n: 'one' is not a number; write it like 42, -1.5 or 1e3."
    ]
    with pytest.raises(InputError, match="is not a number"):
        model.turn_input()


def test_correcting_a_row_lets_the_turn_go():
    model = RunInputModel()
    model.set_rows("runtime_variables", [VariableRow("n", "number", "one")])

    model.set_rows("runtime_variables", [VariableRow("n", "number", "1")])

    assert model.problems == []
    assert model.turn_input().runtime_variables == {"n": 1}


def test_discarding_goes_back_to_the_last_sound_input():
    model = RunInputModel({"run_by": "qa"})
    model.set_text("{")
    model.set_rows("dynamic_variables", [VariableRow("n", "number", "x")])
    model.set_state_text("[")

    model.discard_drafts()

    assert model.problems == []
    assert json.loads(model.text) == {"run_by": "qa"}
    assert model.state_text == ""


def test_the_initial_state_is_one_key_of_the_input():
    model = RunInputModel()

    model.set_state_text('{"threads": {"0": {"node_logical_id": "ask"}}}')

    assert model.value["initial_state"] == {"threads": {"0": {"node_logical_id": "ask"}}}

    model.set_state_text("  ")

    assert "initial_state" not in model.value


def test_an_initial_state_that_is_not_json_is_kept_as_typed():
    model = RunInputModel()

    model.set_state_text("{threads}")

    assert model.state_text == "{threads}"
    assert "The initial state is not JSON: line 1, column 2" in model.problems[0]


def test_keys_that_nobody_knows_are_sent_as_they_stand():
    model = RunInputModel({"dynamic_variables": {}, "secret_sauce": {"a": [1]}})

    assert model.turn_input("hello").to_wire()["secret_sauce"] == {"a": [1]}


def test_an_input_without_a_message_names_the_main_thread():
    assert RunInputModel({}).turn_input().to_wire() == {
        "thread_to_node_inputs": {"0": {"node_run_inputs": []}}
    }


def test_a_message_joins_what_the_main_thread_is_given_already():
    value = {
        "thread_to_node_inputs": {
            "0": {
                "node_run_inputs": [
                    {"type": "llm", "runtime_variables": {"a": 1}, "messages": [{"type": "human"}]}
                ]
            },
            "side": {"node_run_inputs": []},
        }
    }

    threads = with_message(value, "hello")["thread_to_node_inputs"]

    assert threads["0"]["node_run_inputs"][0]["runtime_variables"] == {"a": 1}
    assert [m.get("content") for m in threads["0"]["node_run_inputs"][0]["messages"]] == [None, "hello"]
    assert threads["side"] == {"node_run_inputs": []}
    assert value["thread_to_node_inputs"]["0"]["node_run_inputs"][0]["messages"] == [{"type": "human"}]

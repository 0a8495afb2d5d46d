from __future__ import annotations

import json

import pytest

from debugger.errors import InputError
from debugger.session.run_input import RunInputModel, with_message
from debugger.session.variable_rows import VariableRow


def test_table_and_text_show_one_object():
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


def test_non_json_text_is_kept_and_blocks_turn():
    model = RunInputModel({"run_by": "qa"})

    model.set_text('{"run_by": }')

    assert model.text == '{"run_by": }'
    assert model.value == {"run_by": "qa"}
    with pytest.raises(InputError, match="line 1, column 12"):
        model.turn_input()


def test_key_of_wrong_kind_gives_its_place():
    model = RunInputModel()

    model.set_text('{\n  "run_by": "qa",\n  "dynamic_variables": [1]\n}')

    assert model.draft_error is not None
    assert (model.draft_error.line, model.draft_error.column) == (3, 3)
    assert "dynamic_variables: Input should be an object" in model.draft_error.message


def test_half_surrogate_is_reported_not_raised():
    model = RunInputModel()

    model.set_text('{"run_by": "\\ud800"}')

    assert model.draft_error is not None
    assert "hex escape" in model.draft_error.message


def test_unusable_rows_are_kept_and_block_turn():
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


def test_discard_restores_last_valid_input():
    model = RunInputModel({"run_by": "qa"})
    model.set_text("{")
    model.set_rows("dynamic_variables", [VariableRow("n", "number", "x")])
    model.set_object_text("initial_state", "[")

    model.discard_drafts()

    assert model.problems == []
    assert json.loads(model.text) == {"run_by": "qa"}
    assert model.object_text("initial_state") == ""


def test_initial_state_is_one_key():
    model = RunInputModel()

    model.set_object_text("initial_state", '{"threads": {"0": {"node_logical_id": "ask"}}}')

    assert model.value["initial_state"] == {"threads": {"0": {"node_logical_id": "ask"}}}

    model.set_object_text("initial_state", "  ")

    assert "initial_state" not in model.value


def test_non_json_initial_state_is_kept():
    model = RunInputModel()

    model.set_object_text("initial_state", "{threads}")

    assert model.object_text("initial_state") == "{threads}"
    assert "The initial state is not JSON: line 1, column 2" in model.problems[0]


def test_unknown_keys_are_sent_unchanged():
    model = RunInputModel({"dynamic_variables": {}, "secret_sauce": {"a": [1]}})

    assert model.turn_input("hello").to_wire()["secret_sauce"] == {"a": [1]}


def test_input_without_message_names_main_thread():
    assert RunInputModel({}).turn_input().to_wire() == {
        "thread_to_node_inputs": {"0": {"node_run_inputs": []}}
    }


def test_message_joins_existing_main_thread_input():
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


@pytest.mark.parametrize(
    "brought", [{"type": "http_request"}, {"type": "llm", "node_logical_id": "later"}, {"type": "base_node"}]
)
def test_message_leaves_input_of_other_node(brought):
    value = {"thread_to_node_inputs": {"0": {"node_run_inputs": [brought]}}}

    first, second = with_message(value, "hello")["thread_to_node_inputs"]["0"]["node_run_inputs"]

    assert first == brought
    assert (second["type"], second["messages"][0]["content"]) == ("llm", "hello")


def test_thread_inputs_of_wrong_shape_block_turn():
    model = RunInputModel()

    model.set_object_text("thread_to_node_inputs", '{"0": {"node_run_inputs": 3}}')

    assert "node_run_inputs" in model.problems[0]
    with pytest.raises(InputError, match="node_run_inputs"):
        model.turn_input("Hi")

    model.set_object_text("thread_to_node_inputs", '{"0": {"node_run_inputs": []}}')

    assert model.problems == []
    assert model.turn_input("Hi").message == "Hi"

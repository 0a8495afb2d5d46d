from __future__ import annotations

import pytest

from debugger.engine.tools.base import ToolConfig
from debugger.engine.tools.results import NO_PARTS, ResultMapping, split_result
from debugger.errors import InputError

RESULT = {"slots": [{"time": "9:00"}, {"time": "10:00"}], "a.b": 1, "a": {"b": 2, "none": None}, "_trace": 7}


def test_a_mapping_has_the_documented_defaults():
    mapping = ResultMapping.from_wire({"target_variable_name": "slot"})

    assert mapping.model_dump() == {
        "target_variable_name": "slot",
        "result_path": None,
        "scope": "thread",
        "default": None,
        "required": False,
    }


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "target_variable_name"),
        ({"target_variable_name": " "}, "it is blank"),
        ({"target_variable_name": "a b"}, "'a b' is not an identifier"),
        ({"target_variable_name": "a.b"}, "'a.b' is not an identifier"),
        ({"target_variable_name": "_x"}, "'_x' begins with an underscore"),
        ({"target_variable_name": "x", "scope": "planet"}, "scope"),
        ({"target_variable_name": "x", "result_path": "a..b"}, "'a..b' is not a path"),
        ({"target_variable_name": "x", "result_path": "slots[].time"}, "leads to many places"),
    ],
)
def test_invalid_mapping_is_rejected_by_its_rule(fields, told):
    with pytest.raises(InputError) as caught:
        ResultMapping.from_wire(fields)

    assert told in str(caught.value)


def test_duplicate_target_is_rejected():
    twice = [{"target_variable_name": "x", "result_path": path} for path in ("a", "b")]

    with pytest.raises(InputError, match=r"result_variable_mappings: .*'x' is there more than once"):
        ToolConfig.from_wire({"type": "inline_python", "result_variable_mappings": twice})


def test_null_is_no_mapping_and_no_expansion():
    fields = {"result_variable_mappings": None, "expand_result_into_runtime_variables": None}

    config = ToolConfig.from_wire({"type": "inline_python", **fields})

    assert config.result_variable_mappings == []
    assert config.expand_result_into_runtime_variables is False


@pytest.mark.parametrize(
    ("result", "path", "value"),
    [
        (RESULT, None, RESULT),
        (41, None, 41),
        (None, None, None),
        (RESULT, "slots", RESULT["slots"]),
        (RESULT, "slots[1].time", "10:00"),
        (RESULT, "slots[-1].time", "10:00"),
        (RESULT, "a['b']", 2),
        (RESULT, "a.b", 1),
        (RESULT, "a.none", None),
        ([[1, 2], [3]], "[0][1]", 2),
        (RESULT, "slots[2]", "absent"),
        (RESULT, "slots.time", "absent"),
        (RESULT, "slots.size", "absent"),
        (RESULT, "a.none.b", "absent"),
        ("text", "a", "absent"),
        (None, "a", "absent"),
    ],
)
def test_path_gives_part_or_default(result, path, value):
    mapping = ResultMapping(target_variable_name="x", result_path=path, default="absent")

    assert split_result(result, [mapping], expand=False).thread == {"x": value}


def test_without_a_default_it_is_null():
    mapping = ResultMapping(target_variable_name="x", result_path="nowhere")

    assert split_result(RESULT, [mapping], expand=False).thread == {"x": None}


def test_missing_required_part_gives_reason_only():
    good = ResultMapping(target_variable_name="good", result_path="a")
    bad = ResultMapping(target_variable_name="bad", result_path="b.c", required=True, default=1)

    parts = split_result(RESULT, [good, bad], expand=True)

    assert parts[:3] == NO_PARTS[:3]
    assert parts.problem == "The variable 'bad' is required, but the result has nothing at 'b.c'."


def test_null_required_part_is_present():
    mapping = ResultMapping(target_variable_name="x", result_path="a.none", required=True)

    assert split_result(RESULT, [mapping], expand=False).thread == {"x": None}


def test_the_scope_says_whose_variable_it_is():
    mine = ResultMapping(target_variable_name="mine", result_path="a.b")
    ours = ResultMapping(target_variable_name="ours", result_path="slots[0]", scope="workflow")

    parts = split_result(RESULT, [mine, ours], expand=False)

    assert (parts.expanded, parts.thread, parts.workflow) == ({}, {"mine": 1}, {"ours": {"time": "9:00"}})


def test_expansion_skips_hidden_and_mapped_keys():
    mappings = [
        ResultMapping(target_variable_name="one", result_path="two"),
        ResultMapping(target_variable_name="three", result_path="two", scope="workflow"),
    ]

    parts = split_result({"one": 1, "two": 2, "three": 3, "_four": 4}, mappings, expand=True)

    assert (parts.expanded, parts.thread, parts.workflow) == ({"two": 2}, {"one": 2}, {"three": 2})


@pytest.mark.parametrize("result", [None, 41, "text", [1, 2]])
def test_what_is_no_object_expands_to_nothing(result):
    assert split_result(result, [], expand=True) == NO_PARTS

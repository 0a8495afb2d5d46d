from __future__ import annotations

from typing import Any

import pytest

from debugger.graph import Problem, check
from debugger.protocol.workflow import Workflow


def found(values: Any, *fields: dict[str, Any], **more: Any) -> list[Problem]:
    node = {"logical_id": "s", "type": "super_node", "is_start": True, "super_workflow_id": "w", **more}
    node |= {"field_values": values, "super_node_interface": {"input_fields": list(fields)}}
    return check(Workflow.from_document({"node_configs": [node]}))


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("Ann", {}),
        (None, {"required": False}),
        (3, {"value_type": "integer", "min_value": 3, "max_value": 3}),
        ("{{count}}", {"value_type": "integer"}),
        ("red", {"value_type": "enum", "enum_values": ["red"]}),
        ([1], {"value_type": "array", "min_length": 1}),
    ],
)
def test_values_that_the_interface_asks_for_are_fine(value, field):
    problems = found({} if value is None else {"who": value}, {"name": "who", **field})

    assert [problem for problem in problems if problem.level == "error"] == []


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (None, {}),
        ("x", {"value_type": "integer"}),
        (True, {"value_type": "integer"}),
        (2, {"value_type": "integer", "min_value": 3}),
        (4, {"value_type": "number", "max_value": 3}),
        ("ab", {"max_length": 1}),
        ("", {"min_length": 1}),
        ("blue", {"value_type": "enum", "enum_values": ["red"]}),
    ],
)
def test_other_values_are_errors(value, field):
    [problem] = found({"who": value}, {"name": "who", **field})

    assert (problem.level, problem.code, problem.node_logical_id) == ("error", "super-node-field", "s")
    assert "'who'" in problem.message


def test_a_value_that_the_interface_does_not_have_is_an_error():
    [problem] = found({"who": 1, "woh": 2}, {"name": "who"})

    assert problem.code == "super-node-field"
    assert "'woh'" in problem.message


def test_values_are_not_compared_with_an_interface_of_another_shape():
    assert found({"anything": 1}) == []


def test_a_super_node_stands_for_a_workflow():
    [problem] = found({}, super_workflow_id=None)

    assert (problem.level, problem.code) == ("error", "super-node-without-workflow")

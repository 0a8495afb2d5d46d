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
        ("dynamic_variable:count", {"value_type": "integer"}),
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


def test_values_may_name_variables_themselves():
    assert found({"who": 1, "dynamic_variable:place": "Ulm", "runtime_variable:n": 2}, {"name": "who"}) == []


def test_text_that_only_begins_like_a_reference_is_a_value():
    [problem] = found({"who": "dynamic_variable: a term"}, {"name": "who", "value_type": "integer"})

    assert problem.code == "super-node-field"


def test_values_are_not_compared_with_an_interface_of_another_shape():
    assert found({"anything": 1}) == []


def test_a_super_node_stands_for_a_workflow():
    [problem] = found({}, super_workflow_id=None)

    assert (problem.level, problem.code) == ("error", "super-node-without-workflow")


def boxes(
    *values: Any, kind: str = "dynamic_variable", names: tuple[str, ...] = ("guest", "guest")
) -> list[str]:
    def box(logical_id: str, value: Any, name: str) -> dict[str, Any]:
        mapping = {"target_type": kind, "target_variable_name": name}
        field = {"name": "who", "required": False, "mappings": [mapping], "default_value": "Ada"}
        values = {} if value is None else {"who": value}
        fields = {"super_node_interface": {"input_fields": [field]}, "field_values": values}
        return {"logical_id": logical_id, "type": "super_node", "super_workflow_id": "w", **fields}

    nodes = [box(*each) for each in zip(("a", "b"), values, names, strict=True)]
    problems = check(Workflow.from_document({"node_configs": nodes}))
    return [problem.message for problem in problems if problem.code == "variable-given-twice"]


@pytest.mark.parametrize(
    ("first", "second"), [("Ada", "Bo"), (None, "Bo"), (1, 2), ({"name": "Ada"}, {"name": "Bo"})]
)
@pytest.mark.parametrize("kind", ["dynamic_variable", "runtime_variable"])
def test_two_values_for_one_variable_are_told(first, second, kind):
    [told] = boxes(first, second, kind=kind)

    assert told.startswith("Node 'b' gives the variable 'guest' the value ")
    assert "node 'a' gives it" in told
    assert told.endswith("is not known." if kind == "dynamic_variable" else "one value in a run: the first.")


@pytest.mark.parametrize(
    ("first", "second"),
    [("Ada", "Ada"), (None, None), ("Ada", "{{who}}"), ("[[who]]", "Bo"), ("dynamic_variable:caller", "Bo")],
)
def test_same_or_referred_values_are_fine(first, second):
    assert boxes(first, second) == []


def test_values_of_two_variables_are_fine():
    assert boxes("Ada", "Bo", names=("guest", "host")) == []
    assert boxes("Ada", "Bo", kind="node_config_field") == []


@pytest.mark.parametrize("key", ["who", "dynamic_variable:guest"])
def test_two_values_are_told_of_interfaces_in_the_guides_shape(key):
    interface = {"field_values": [{"name": "who", "map_to": "dynamic_variable:guest"}]}
    nodes = [
        {"type": "super_node", "super_workflow_id": "w", "super_node_interface": interface, **fields}
        for fields in (
            {"logical_id": "a", "field_values": {"who": "Ada"}},
            {"logical_id": "b", "field_values": {key: "Bo"}},
        )
    ]

    codes = [problem.code for problem in check(Workflow.from_document({"node_configs": nodes}))]

    assert codes.count("variable-given-twice") == 1

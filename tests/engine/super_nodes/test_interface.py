from __future__ import annotations

from typing import Any

import pytest

from debugger.errors import RunError
from debugger.protocol.workflow import Workflow
from tests.support.factories import Json, direct, document, static, when, workflow
from tests.support.super_nodes import expanded, super_node


def interface_field(name: str, *mappings: Json, **fields: Any) -> Json:
    return {"name": name, "mappings": list(mappings), **fields}


def to_node(node_id: str, path: str) -> Json:
    return {
        "target_type": "node_config_field",
        "target_node_or_edge_logical_id": node_id,
        "target_field_path": path,
    }


def to_variable(name: str, kind: str = "dynamic_variable") -> Json:
    return {"target_type": kind, "target_variable_name": name}


def given(*fields: Json, inside: Json | None = None, **values: Any) -> Workflow:
    """A workflow whose super node 'booking' has an interface of these fields and is given these values."""
    inside = inside or document(
        static("a", "one", "two", rows=[{"n": 1}, {"n": 2}], none=None),
        static("b"),
        when("a", "b", "1 == 2"),
    )
    interface = {"input_fields": list(fields)}
    return workflow(super_node("booking", inside, super_node_interface=interface, field_values=values))


def test_value_reaches_five_kinds_of_target():
    edge = {
        "target_type": "edge_config_field",
        "target_node_or_edge_logical_id": "edge_a_b",
        "target_field_path": "condition.condition_expression",
    }
    settings = {"target_type": "workflow_config_field", "target_field_path": "default_prompt_prefix"}
    outer = given(
        interface_field("texts", to_node("a", "static_messages_config.static_messages[-1]")),
        interface_field("row", to_node("a", "rows.1.n")),
        interface_field("test", edge),
        interface_field("prefix", settings, to_variable("tone")),
        interface_field("seed", to_variable("count", "runtime_variable")),
        texts="{{hello}}",
        row=[7],
        test="2 == 2",
        prefix="Be kind.",
        seed=0,
    )

    found = expanded(outer).workflow

    a = found.node_configs[0].model_extra
    assert a["static_messages_config"]["static_messages"] == ["one", "{{hello}}"]
    assert a["rows"] == [{"n": 1}, {"n": [7]}]
    assert found.edge_configs[0].condition.condition_expression == "2 == 2"
    assert found.config.default_dynamic_variables == {"tone": "Be kind."}
    assert found.runtime_variables == {"count": 0}


def test_inner_setting_reaches_its_nodes():
    inside = document({"type": "say_llm", "logical_id": "ask"})
    prefix = {"target_type": "workflow_config_field", "target_field_path": "default_prompt_prefix"}

    found = expanded(given(interface_field("prefix", prefix), inside=inside, prefix="Be kind.")).workflow

    assert found.node_configs[0].model_extra["main_response_config"]["prompt"] == "Be kind."
    assert found.config.default_prompt_prefix is None


def test_value_reaches_nested_super_nodes():
    deep = document(static("say", "?"))
    text = interface_field("text", to_node("say", "static_messages_config.static_messages[0]"))
    inner = super_node(
        "deep", deep, super_node_interface={"input_fields": [text]}, field_values={"text": "x"}
    )
    outer = given(
        interface_field("text", to_node("deep", "field_values.text")), inside=document(inner), text="Hi"
    )

    found = expanded(outer).workflow

    assert found.node_configs[0].model_extra["static_messages_config"]["static_messages"] == ["Hi"]


def test_default_needs_a_missing_value():
    rows = [interface_field(name, to_variable(name), required=False, default_value=9) for name in ("a", "b")]
    bare = interface_field("c", to_variable("c"), required=False)

    found = expanded(given(*rows, bare, a=0, b=None)).workflow

    assert found.config.default_dynamic_variables == {"a": 0, "b": 9}


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ({}, None, "'field_values' lacks 'x', which is required"),
        ({"value_type": "integer"}, "5", "the field 'x' is '5' and not of the type 'integer'"),
        ({"value_type": "enum", "enum_values": ["a"]}, "b", "is 'b', which is none of"),
        ({"min_value": 3}, 2, "'min_value' is 3"),
        ({"max_value": 3}, 4, "'max_value' is 3"),
        ({"min_length": 2}, "a", "'min_length' is 2"),
        ({"max_length": 2}, [1, 2, 3], "'max_length' is 2"),
        (
            {"json_schema": {"properties": {"n": {"type": "integer"}}}},
            {"n": "two"},
            "the field 'x' does not fit its 'json_schema': n: 'two' is not of type 'integer'.",
        ),
    ],
)
def test_unfitting_value_is_used_with_warning(field, value, told):
    found = expanded(given(interface_field("x", to_variable("x"), **field), x=value))

    [warning] = found.warnings
    assert "'Booking' (booking): " in warning
    assert told in warning
    assert found.workflow.config.default_dynamic_variables == ({} if value is None else {"x": value})


def test_placeholder_value_fits_any_type():
    schema = {"type": "integer"}
    field = interface_field(
        "x", to_node("a", "rows[0].n"), value_type="integer", min_value=3, json_schema=schema
    )

    found = expanded(given(field, x="{{count}}")).workflow

    assert found.node_configs[0].model_extra["rows"][0] == {"n": "{{count}}"}


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        (to_node("a", "rows[2].n"), "the path 'rows[2].n' leads to nothing at its step 2."),
        (to_node("a", "static_messages_config.text"), "leads to nothing at its step 'text'."),
        (to_node("a", "none.deep"), "leads to nothing at its step 'deep'."),
        (to_node("a", "rows[].n"), "leads to many places; name one element by its index."),
        (to_node("a", "rows..n"), "'rows..n' is not a path"),
        (to_node("a", "promt"), "leads to nothing at its step 'promt'."),
        (to_node("gone", "name"), "there is no 'gone' in the workflow's 'node_configs'."),
        (to_node("a", ""), "its mapping has no 'target_field_path'."),
        (to_node("", "name"), "its mapping has no 'target_node_or_edge_logical_id'."),
        (to_variable(""), "its mapping has no 'target_variable_name'."),
        (to_node("a", "disabled"), "disabled: Input should be a valid boolean"),
        (
            {
                "target_type": "edge_config_field",
                "target_node_or_edge_logical_id": "edge_a_b",
                "target_field_path": "condition.condition_string",
            },
            "the path 'condition.condition_string' leads to nothing at its step 'condition_string'.",
        ),
    ],
)
def test_mapping_to_nothing_names_its_path(mapping, told):
    with pytest.raises(RunError) as raised:
        expanded(given(interface_field("x", mapping), x="value"))

    assert str(raised.value).startswith(
        "Super node 'Booking' (booking): the value of the field 'x' cannot be put in place: "
    )
    assert told in str(raised.value)


def test_omitted_field_of_node_type_is_set():
    found = expanded(given(interface_field("x", to_node("a", "description")), x="told")).workflow

    assert found.node_configs[0].description == "told"


@pytest.mark.parametrize(
    ("interface", "told"),
    [
        ({"input_fields": [{"mappings": []}]}, "has an interface with a field that has no name"),
        (
            {"input_fields": [interface_field("x", {"target_type": "moon"})]},
            "has a mapping that cannot be read",
        ),
        (
            {"field_values": [{"name": "x", "map_to": "moon:y"}]},
            "'x' is mapped to 'moon:y', which is not a variable",
        ),
    ],
)
def test_an_interface_that_makes_no_sense_is_refused(interface, told):
    node = super_node("s", document(static("a")), super_node_interface=interface, field_values={"x": 1})

    with pytest.raises(RunError, match=told):
        expanded(workflow(node))


def test_values_that_are_no_object_are_refused():
    with pytest.raises(RunError, match=r"Super node 'S' \(s\) has 'field_values' that are not an object"):
        expanded(workflow(super_node("s", document(static("a")), field_values=["x"])))


def test_guides_shape_is_read():
    interface = {
        "field_values": [
            {
                "name": "Caller",
                "type": "string",
                "description": "Who",
                "map_to": "dynamic_variable:caller_id",
            },
            {"name": "Tries", "type": "integer", "map_to": "runtime_variable:tries"},
            {"name": "Absent", "type": "string", "map_to": "dynamic_variable:absent"},
        ]
    }
    values = {"dynamic_variable:caller_id": "ada", "Tries": 2, "dynamic_variable:loose": "x"}
    node = super_node("s", document(static("a")), super_node_interface=interface, field_values=values)

    found = expanded(workflow(node)).workflow

    assert found.config.default_dynamic_variables == {"caller_id": "ada", "loose": "x"}
    assert found.runtime_variables == {"tries": 2}


def test_inner_interface_counts_without_copy():
    inside = document(
        static("a"), super_node_interface={"input_fields": [interface_field("x", to_variable("y"))]}
    )

    found = expanded(
        workflow(super_node("s", super_workflow_id="w", field_values={"x": 1})), w=inside
    ).workflow

    assert found.config.default_dynamic_variables == {"y": 1}


def test_a_value_without_effect_is_warned_of():
    node = super_node("s", document(static("a")), field_values={"x": 1})

    expansion = expanded(workflow(node))

    assert expansion.warnings == (
        "Super node 'S' (s): the value of 'x' has no effect: the field is mapped to nothing.",
    )


def test_outer_variables_win_over_inner():
    deep = document(static("d"), defaults={"a": "deep", "b": "deep", "c": "deep", "d": "deep"})
    inside = document(super_node("deep", deep), defaults={"a": "inner", "b": "inner", "c": "inner"})
    inside["runtime_variables"] = {"r": "inner"}
    node = super_node(
        "s", inside, field_values={"dynamic_variable:a": "given", "runtime_variable:r": "given"}
    )

    found = expanded(workflow(node, defaults={"a": "outer", "b": "outer"})).workflow

    merged = {**found.dynamic_variables, **found.config.default_dynamic_variables}
    assert merged == {"a": "given", "b": "outer", "c": "inner", "d": "deep"}
    assert found.runtime_variables == {"r": "given"}


def test_conflicting_values_are_warned_of():
    one, two = (
        super_node(name, document(static("a")), field_values={"runtime_variable:x": name})
        for name in ("p", "q")
    )

    expansion = expanded(workflow(one, two, direct("p", "q")))

    assert expansion.workflow.runtime_variables == {"x": "p"}
    [warning] = expansion.warnings
    assert warning.startswith(
        "Super node 'Q' (q) gives the variable 'x' another value than a super node before"
    )


def test_placeholder_in_variable_is_warned_of():
    node = super_node("s", document(static("a")), field_values={"dynamic_variable:x": "a {{y}}"})

    [warning] = expanded(workflow(node)).warnings

    assert "the variable 'x' gets the text 'a {{y}}'; a variable's value is not filled in again" in warning

from __future__ import annotations

import json

import pytest

from debugger.errors import InputError
from debugger.expressions import required_variables, unresolved_placeholders


def workflow(*texts: str, defaults: object = None) -> dict[str, object]:
    return {
        "workflow_config": {"miscellaneous": {"default_dynamic_variables": defaults}},
        "node_configs": [{"logical_id": "n", "prompt": text} for text in texts],
        "edge_configs": [],
    }


def test_settings_nodes_and_edges_are_scanned_and_nothing_else():
    document = {
        "workflow_config": {"default_prompt_prefix": "{{in_settings}}"},
        "node_configs": [{"tool_arguments": {"deep": [{"k": "{{in_node}}"}], "{{in_key}}": 1}}],
        "edge_configs": [{"condition": {"condition_expression": "{{in_edge}} == 1"}}],
        "dynamic_variables": {"not": "{{scanned}}"},
        "runtime_variables": {},
    }

    assert required_variables(document) == {"in_settings": "", "in_node": "", "in_key": "", "in_edge": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{x}} and {{ x }}", {"x": ""}),
        ("{{ x | upcase }}", {"x": ""}),
        ("{{x|default: 'a | b'}}", {"x": ""}),
        ("{{a.b}}", {"a": {"b": ""}}),
        ("{{a.b}} {{a.c.d}}", {"a": {"b": "", "c": {"d": ""}}}),
        ("{{xs[2]}}", {"xs": ["", "", ""]}),
        ("{{xs[2].name}}", {"xs": [{"name": ""}, {"name": ""}, {"name": ""}]}),
        ("{{xs[0].a}} {{xs[1].b}}", {"xs": [{"a": "", "b": ""}, {"a": "", "b": ""}]}),
        ("{{a.xs[1].b[0]}}", {"a": {"xs": [{"b": [""]}, {"b": [""]}]}}),
        ("{{m[1][1]}}", {"m": [["", ""], ["", ""]]}),
        ("{{xs[i].n}}", {"xs": [{"n": ""}]}),
        ("{{xs[-1]}}", {"xs": [""]}),
        ("{{a}} {{a.b}}", {"a": {"b": ""}}),
        ("{{a.b}} {{a}}", {"a": {"b": ""}}),
        ("{{xs[1]}} {{xs}}", {"xs": ["", ""]}),
        ("{{xs[1]}} {{xs[1].n}}", {"xs": [{"n": ""}, {"n": ""}]}),
        ("{{xs[2]}} {{xs.n}}", {"xs": {"n": ""}}),
        ("{{global.x}}", {"global": {"x": ""}}),
        ("[[runtime]] {{ }} {{ unclosed", {}),
        ("{{ 'text' | upcase }} {{ 5 }} {{ true }}", {}),
        ("{{[0].x}}", {}),
    ],
)
def test_the_shape_that_a_text_asks_for(text, expected):
    assert required_variables(workflow(text)) == expected


def test_defaults_replace_whole_variables_and_bring_their_own():
    document = workflow(
        "{{shop.name}} {{shop.city}} {{tea}}", defaults={"shop": {"name": "Leaf"}, "more": [1]}
    )

    assert required_variables(document) == {"shop": {"name": "Leaf"}, "tea": "", "more": [1]}


@pytest.mark.parametrize("document", [{"workflow_config": None, "node_configs": []}, {"node_configs": []}])
def test_a_document_without_settings_is_refused(document):
    with pytest.raises(InputError, match="workflow_config"):
        required_variables(document)
    with pytest.raises(InputError, match="workflow_config"):
        unresolved_placeholders(document, {})


@pytest.mark.parametrize("part", [None, [], "odd"])
def test_missing_parts_are_empty(part):
    assert required_variables({"workflow_config": {"miscellaneous": part}, "node_configs": part}) == {}


def test_an_enormous_index_gives_a_list_of_bearable_size():
    built = required_variables(
        workflow("{{xs[999999999]}} {{m[99999][99999][99999]}} {{big[99999999999999999999]}}")
    )

    assert len(json.dumps(built)) < 100_000
    assert len(built["xs"]) == 1000


def test_unresolved_placeholders_are_listed_once_in_order():
    document = workflow("{{b}} {{a.x}} {{ b | upcase }}", "{{xs[1].n}} {{given}} [[runtime]]")

    missing = unresolved_placeholders(document, {"given": None, "a": {}, "xs": [{"n": 1}]})

    assert missing == ["b", "a.x", "xs[1].n"]


def test_system_names_defaults_and_globals_count_as_resolved():
    document = workflow(
        "{{now}} {{shop.name}} {{shop.city}} {{global.team}} {{seed}} {{gone | default: '-'}} {{ 'a' }}",
        defaults={"shop": {"name": "Leaf"}},
    )
    document["dynamic_variables"] = {"seed": 1}

    assert unresolved_placeholders(document, {"team": "blue"}, system=["now"]) == ["shop.city"]
    assert unresolved_placeholders(document, {"shop": {"city": "Rome"}}) == [
        "now",
        "shop.name",
        "global.team",
    ]


def test_a_broken_expression_is_listed():
    assert unresolved_placeholders(workflow("{{ x | nope }}"), {"x": 1}) == ["x"]


def test_what_a_super_node_or_the_workflow_inside_it_brings_along_is_not_asked_for():
    inner = {
        "workflow_config": {"miscellaneous": {"default_dynamic_variables": {"place": "Ulm"}}},
        "node_configs": [{"logical_id": "a", "type": "no_op", "note": "{{doctor}} {{place}} {{patient}}"}],
        "edge_configs": [],
    }
    mapping = {"target_type": "dynamic_variable", "target_variable_name": "doctor"}
    field = {"name": "who", "mappings": [mapping]}
    node = {
        "logical_id": "s",
        "type": "super_node",
        "field_values": {"who": "Dr. Okafor"},
        "super_node_interface": {"input_fields": [field]},
        "encapsulated_workflow_config": inner,
    }

    found = required_variables({"workflow_config": {}, "node_configs": [node], "edge_configs": []})

    assert found == {"patient": ""}


@pytest.mark.parametrize("name", [["who"], {"who": 1}, 5, None])
def test_field_without_name_takes_its_default(name):
    mapping = {"target_type": "dynamic_variable", "target_variable_name": "doctor"}
    field = {"name": name, "default_value": "Dr. Okafor", "mappings": [mapping]}
    node = {
        "type": "super_node",
        "super_node_interface": {"input_fields": [field]},
        "field_values": {"who": "x"},
        "encapsulated_workflow_config": {"node_configs": [{"prompt": "{{doctor}} {{patient}}"}]},
    }

    found = required_variables({"workflow_config": {}, "node_configs": [node], "edge_configs": []})

    assert found == {"patient": ""}

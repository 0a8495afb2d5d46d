from __future__ import annotations

from typing import Any

import pytest

from debugger.graph import Problem, check
from debugger.protocol.workflow import SYSTEM_NAMES, Workflow
from tests.support.factories import say, static, tool, when, workflow


def found(text: str, *nodes: dict[str, Any], **document: Any) -> list[Problem]:
    say = {"logical_id": "say", "name": "Say", "type": "say_static", "is_start": True}
    say["static_messages_config"] = {"static_messages": [text]}
    edges = [
        {
            "logical_id": f"to {node['logical_id']}",
            "type": "conditional",
            "source_node_logical_id": "say",
            "destination_node_logical_id": node["logical_id"],
            "condition": {"condition_expression": "1 == 1"},
        }
        for node in nodes
    ]
    return check(Workflow.from_document({"node_configs": [say, *nodes], "edge_configs": edges, **document}))


@pytest.mark.parametrize(
    "text",
    [
        "{{now}}",
        "{{global.shop}}",
        "{{shop}}",
        "{{shop.name | upcase}}",
        "{{given[0].x}}",
        "{{ 'a' | upcase }}",
        "{{ missing | default: 'x' }}",
    ],
)
def test_a_variable_that_has_a_value_is_fine(text):
    defaults = {"miscellaneous": {"default_dynamic_variables": {"shop": {"name": "Leaf"}}}}

    assert found(text, workflow_config=defaults, dynamic_variables={"given": []}) == []


def test_a_variable_without_a_default_is_told_once():
    problems = found("Hello {{who}}, {{who.name}}.")

    assert [(problem.level, problem.code, problem.node_logical_id) for problem in problems] == [
        ("warning", "variable-without-value", "say")
    ]
    assert "'{{who}}'" in problems[0].message


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "tool_node", "tool_arguments": {"name": "{{who}}"}},
        {"type": "tool_node", "tool_arguments": {"patient": [{"description": "{{who}}"}]}},
        {"type": "http_request", "headers": {"name": "{{who}}"}},
        {"type": "http_request", "body_parameters": {"guest": {"name": "{{who}}"}}},
        {"type": "super_node", "super_workflow_id": "w", "field_values": {"name": "{{who}}"}},
    ],
)
def test_argument_may_be_called_name(fields):
    problems = found("Hello", {"logical_id": "other", **fields})

    assert [(problem.code, problem.node_logical_id) for problem in problems] == [
        ("variable-without-value", "other")
    ]


def test_note_is_not_filled():
    assert found("Hello", {"logical_id": "other", "type": "no_op", "note": "{{who}} is [[late]]"}) == []


def test_names_and_descriptions_are_not_filled():
    schema = {"type": "object", "description": "{{who}}", "properties": {}}
    texts = {"name": "{{who}}", "description": "{{who}}"}
    tool = {"type": "inline_python", "args_schema": schema, **texts}

    assert found("Hello", {"logical_id": "other", "type": "tool_node", "tool_config": tool, **texts}) == []


@pytest.mark.parametrize("name", sorted(SYSTEM_NAMES))
def test_the_names_that_every_run_has_are_known(name):
    assert found("It is {{" + name + "}}.") == []


@pytest.mark.parametrize(
    ("name", "node"),
    [
        ("no_op_result_success", {"type": "no_op"}),
        ("tea", {"type": "worker_llm", "structured_output_schema": {"properties": {"tea": {}}}}),
        (
            "price_error",
            {
                "type": "tool_node",
                "tool_config": {"type": "inline_python"},
                "result_runtime_variable_name": "price",
            },
        ),
        ("tool_result", {"type": "say_llm", "use_mcp_tools": True}),
        ("other.tea", {"type": "no_op"}),
        ("thread_poll.tea", {"type": "no_op"}),
        ("seed", {"type": "no_op"}),
        ("self_loop_outcome", {"type": "no_op"}),
    ],
)
def test_a_variable_that_is_written_is_fine(name, node):
    assert found(f"[[{name}]]", {"logical_id": "other", **node}, runtime_variables={"seed": 1}) == []


def test_arguments_of_transition_are_written():
    schema = {"type": "object", "properties": {"day": {"type": "string"}}}
    made = workflow(
        say("desk"),
        static("bye", "See you on [[day]], since [[justification]] and [[nothing]]."),
        when("desk", "bye", freeform="books", condition={"args_schema": schema}),
    )

    assert [problem.message for problem in check(made)] == [
        "Node 'Bye' (bye): '[[nothing]]' is written by no node and no tool of the workflow."
    ]


def test_tool_node_without_tool_writes_its_outcome():
    node = {"logical_id": "price", "type": "tool_node", "result_runtime_variable_name": "price"}

    assert found("[[price]] [[price_success]] [[price_error]]", node) == []


def test_a_variable_that_nothing_writes_is_told_once():
    problems = found("[[tea]] and [[tea | upcase]]", {"logical_id": "other", "type": "no_op"})

    assert [(problem.level, problem.code, problem.node_logical_id) for problem in problems] == [
        ("warning", "variable-never-written", "say")
    ]
    assert "'[[tea]]'" in problems[0].message


@pytest.mark.parametrize(
    "node",
    [
        {"type": "from_next_year"},
        {"type": "super_node", "super_workflow_id": "w"},
        {"type": "worker_llm", "structured_output_schema": {"$ref": "#/x"}},
        {"type": "tool_node", "tool_config": {"type": "inline_python", "tool_id": "saved"}},
        {
            "type": "tool_node",
            "tool_config": {"type": "inline_python", "expand_result_into_runtime_variables": True},
        },
    ],
)
def test_nothing_is_said_where_only_a_run_shows_what_is_written(node):
    problems = found("[[tea]]", {"logical_id": "other", **node})

    assert [problem for problem in problems if problem.code == "variable-never-written"] == []


@pytest.mark.parametrize(
    "document",
    [
        {"default_dynamic_variables": {"shop": 1}},
        {"workflow_config": {"default_dynamic_variables": {"shop": 1}}},
    ],
)
def test_defaults_in_the_wrong_place_are_told(document):
    [problem] = found("Hello", **document)

    assert (problem.level, problem.code) == ("warning", "misplaced-defaults")
    assert "miscellaneous" in problem.advice


def test_an_unknown_field_is_told_with_the_closest_known_one():
    problems = found(
        "Hello", workflow_config={"main_respons_config": {}, "mcp_servers": []}, runtime_variabels={}
    )

    assert [(problem.level, problem.code) for problem in problems] == [("warning", "unknown-field")] * 2
    assert [problem.advice for problem in problems] == [
        "Did you mean 'runtime_variables'?",
        "Did you mean 'main_response_config'?",
    ]


def test_what_the_store_puts_beside_a_document_is_known():
    assert found("Hello", _id="1", name="Tea", created_at="now", secret_variables={}) == []


def paths_of(flow):
    return [problem.message for problem in check(flow) if problem.code == "dotted-access"]


LABELLED = tool("look_up", "def f(): pass", name="Look up")


@pytest.mark.parametrize(
    "text",
    ["[[day.first]]", "[[days[0]]]", "[[thread_0.day.first]]", "[[look_up.day.first]]", "[[Look up.d.k]]"],
)
def test_path_into_a_variable_in_a_text_is_told(text):
    [told] = paths_of(workflow(LABELLED, static("say", f"On {text}?"), runtime_variables={"day": {}}))

    assert f"'{text}' is a path into a variable, which the platform leaves in a text" in told


@pytest.mark.parametrize(
    "text",
    [
        "[[day]]",
        "[[thread_0.day]]",
        "[[look_up.day]]",
        "[[Look up.day]]",
        "{{day.first}}",
        "[[see ch. 3]]",
        "[[wiki#a.b]]",
    ],
)
def test_whole_variable_in_a_text_is_no_path(text):
    assert paths_of(workflow(LABELLED, static("say", f"On {text}?"))) == []


def test_path_in_a_condition_is_not_told():
    everywhere = {"is_global": True, "condition": {"condition_expression": "[[day.first]] == 1"}}
    nodes = [static("a", "Hi"), static("b", "Bye", global_node_config=everywhere)]

    assert paths_of(workflow(*nodes, when("a", "b", "[[day.second]] == 2"))) == []

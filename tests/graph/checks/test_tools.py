from __future__ import annotations

from typing import Any

import pytest

from debugger.engine.tools.builtins import BUILTINS, SEND_SMS, find_builtin
from debugger.graph import Problem, check
from debugger.graph.checks.tools import FUNCTION_ARGUMENTS
from debugger.protocol.workflow import Workflow


def found(tool: dict[str, Any], **fields: Any) -> list[Problem]:
    node = {"logical_id": "t", "type": "tool_node", "is_start": True, "tool_config": tool, **fields}
    return check(Workflow.from_document({"node_configs": [node]}))


def argument(**fields: Any) -> dict[str, Any]:
    return {"type": "inline_python", "name": "price", "variable_arguments": [_cups(**fields)]}


def _cups(**fields: Any) -> dict[str, Any]:
    return {"argument_name": "cups", "variable_path": "cups", **fields}


@pytest.mark.parametrize("kind", ["inline_python", "inbuilt_function", "external_api", "knowledge_base"])
def test_a_tool_has_one_of_four_types(kind):
    assert found({"type": kind}) == []


@pytest.mark.parametrize("kind", ["spell", None])
def test_another_type_of_tool_is_an_error(kind):
    [problem] = found({"type": kind, "name": "abracadabra"})

    assert (problem.level, problem.code, problem.node_logical_id) == ("error", "unknown-tool-type", "t")
    assert "'abracadabra'" in problem.message


@pytest.mark.parametrize(
    ("body", "is_wrong"),
    [
        ('{"a": "{{x}}"}', False),
        ("  ", False),
        ({"a": 1}, False),
        (None, False),
        ("{a: 1}", True),
        ('{"a": ', True),
    ],
)
def test_an_api_body_is_json(body, is_wrong):
    problems = found({"type": "external_api", "api_body": body})

    errors = [problem for problem in problems if problem.level == "error"]
    assert [problem.code for problem in errors] == (["api-body-not-json"] if is_wrong else [])
    assert all("api_body" in problem.message for problem in errors)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"source": "literal", "variable_path": None},
        {"expose_to_llm": True, "override_provided_value": False},
    ],
)
def test_an_argument_that_the_workflow_sets_may_be_sound(fields):
    assert found(argument(**fields)) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"argument_name": None},
        {"argument_name": "two words"},
        {"argument_name": "class"},
        {"source": "sky"},
        {"variable_path": " "},
        {"override_provided_value": False},
    ],
)
def test_an_argument_needs_a_name_a_source_and_a_purpose(fields):
    assert [(problem.level, problem.code) for problem in found(argument(**fields))] == [
        ("error", "tool-argument")
    ]


def test_an_argument_is_set_once():
    tool = argument() | {"variable_arguments": [_cups(), _cups()]}

    assert [problem.code for problem in found(tool)] == ["tool-argument"]


@pytest.mark.parametrize(
    ("request_fields", "is_wrong"),
    [
        ({"api_endpoint": "https://x.test/{cups}"}, False),
        ({"api_headers": {"X-Cups": "{cups}"}}, False),
        ({"api_body": {"cups": "{cups}"}}, False),
        ({"tool_id": "saved"}, False),
        ({"api_endpoint": "https://x.test/{{cups}}"}, True),
    ],
)
def test_an_argument_of_an_api_call_occurs_in_it(request_fields, is_wrong):
    problems = found(argument() | {"type": "external_api", **request_fields})

    errors = [problem.code for problem in problems if problem.level == "error"]
    assert errors == (["tool-argument"] if is_wrong else [])


@pytest.mark.parametrize(("name", "is_wrong"), [("query", False), ("limit", True)])
def test_of_a_knowledge_base_only_the_query_is_set(name, is_wrong):
    problems = found(argument(argument_name=name) | {"type": "knowledge_base"})

    assert [problem.code for problem in problems] == (["tool-argument"] if is_wrong else [])


@pytest.mark.parametrize(
    ("name", "is_wrong"),
    [
        ("euros", False),
        ("price", False),
        ("price_success", True),
        ("price_error", True),
        ("tool_result_error", True),
        ("tool_result_err", False),
        ("_euros", True),
        ("two words", True),
        ("", True),
        (None, True),
    ],
)
def test_a_mapped_variable_has_a_name_of_its_own(name, is_wrong):
    tool = {"type": "inline_python", "result_variable_mappings": [{"target_variable_name": name}]}

    problems = found(tool, result_runtime_variable_name="price")

    assert [problem.code for problem in problems] == (["result-mapping"] if is_wrong else [])


def test_a_variable_is_mapped_once_and_into_a_scope_that_exists():
    twice = [{"target_variable_name": "a"}, {"target_variable_name": "a", "scope": "moon"}]

    problems = found({"type": "inline_python", "result_variable_mappings": twice})

    assert [problem.code for problem in problems] == ["result-mapping"] * 2


def test_the_tools_of_a_model_and_of_the_whole_workflow_are_looked_at_too():
    odd = {"tools": [{"type": "spell"}]}
    node = {"logical_id": "n", "type": "say_llm", "is_start": True, "tools_config": odd}

    problems = check(
        Workflow.from_document({"node_configs": [node], "workflow_config": {"tools_config": odd}})
    )

    assert [(problem.code, problem.node_logical_id) for problem in problems] == [
        ("unknown-tool-type", None),
        ("unknown-tool-type", "n"),
    ]


def test_arguments_of_functions_are_those_of_the_engine():
    complete = {name: tuple(each.arguments) for name, each in BUILTINS.items() if each.complete}
    texting = find_builtin(f"{SEND_SMS}1")
    assert texting is not None

    assert {**complete, SEND_SMS: tuple(texting.arguments)} == FUNCTION_ARGUMENTS


@pytest.mark.parametrize(
    ("tool", "is_wrong"),
    [
        ({"tool_id": "math_add"}, True),
        ({"name": "math_add"}, True),
        ({"tool_id": "665f00000000000000000001", "name": "math_add"}, True),
        ({"tool_id": "communication_send_sms_1"}, True),
        ({"tool_id": "web_search", "name": "math_add"}, False),
        ({"tool_id": "from_next_year"}, False),
    ],
)
def test_a_function_has_the_argument(tool, is_wrong):
    problems = found({"type": "inbuilt_function", "variable_arguments": [_cups()], **tool})

    errors = [problem.code for problem in problems if problem.level == "error"]
    assert errors == (["tool-argument"] if is_wrong else [])

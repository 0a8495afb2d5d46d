from __future__ import annotations

import pytest

from debugger.graph import check
from debugger.graph.offline_limits import LIMITS, offline_limits
from tests.support.factories import document, node, say, static, workflow

SAVED_TOOL = "665f00000000000000000001"


def api_tool(**fields):
    config = {"type": "external_api", "name": "lookup", "api_endpoint": "https://example.com", **fields}
    return node("call", "tool_node", tool_config=config)


def of_settings(**config):
    return workflow(static("a", "Hello"), **config)


USES = [
    ("integration-auth", "crm", "call", workflow(api_tool(integration_auth={"integration_id": "crm"}))),
    (
        "integration-auth",
        "okta",
        "a",
        workflow(say("a", llms_config={"type": "custom_llm", "okta_auth": {"integration_id": "okta"}})),
    ),
    ("saved-tool", SAVED_TOOL, "call", workflow(api_tool(tool_id=SAVED_TOOL))),
    ("saved-prompt", "tone", "a", workflow(say("a", "Be kind. <<<managed_prompt:tone>>>"))),
    ("saved-prompt", "legal", None, of_settings(default_prompt_suffix="<<<managed_prompt: legal >>>")),
    ("saved-model", "fast", "a", workflow(say("a", attachable_llm_config_id="fast"))),
    ("saved-model", "fast", None, of_settings(attachable_llm_config_id="fast")),
    ("evaluation-run", "w1", None, of_settings(evaluation_config={"evaluator_workflow_id": "w1"})),
    (
        "turn-by-turn-evaluation",
        "",
        None,
        of_settings(evaluation_config={"enable_turn_by_turn_evaluation": True}),
    ),
    (
        "turn-by-turn-evaluation",
        "",
        "judge",
        workflow(node("judge", "workflow_run_evaluator", is_turn_by_turn_evaluator=True)),
    ),
    (
        "system-global",
        "interactly_api_base_url",
        "a",
        workflow(static("a", "{{global.interactly_api_base_url}}")),
    ),
    ("system-global", "interactly_api_token", "a", workflow(static("a", "{{interactly_api_token}}"))),
    ("streaming-model", "", "a", workflow(say("a", llms_config={"type": "openai_llm", "streaming": True}))),
    ("streaming-model", "", None, of_settings(llms_config={"type": "openai_llm", "streaming": True})),
]


@pytest.mark.parametrize(("name", "item", "node_id", "used"), USES)
def test_use_is_a_limit_and_a_warning(name, item, node_id, used):
    [limit] = offline_limits(used)

    assert (limit.name, limit.item, limit.node_logical_id) == (name, item, node_id)
    [problem] = [each for each in check(used) if each.code == name]
    assert (problem.level, problem.message, problem.advice) == ("warning", limit.sentence, limit.advice)
    assert item in problem.message


def test_each_limit_has_a_row():
    assert {find.__name__.replace("_", "-") for find in LIMITS} == {name for name, *_ in USES}


@pytest.mark.parametrize(
    "used",
    [
        workflow(
            api_tool(integration_auth={"integration_id": "crm"}, api_headers={"authorization": "Bearer 1"})
        ),
        workflow(node("call", "tool_node", tool_config={"type": "inbuilt_function", "tool_id": "math_add"})),
        workflow(say("a", "<<<managed_prompt:>>> and <<<other:tone>>>")),
        workflow(node("a", "super_node", attachable_llm_config_id="fast", super_workflow_id="w")),
        of_settings(evaluation_config={"evaluator_workflow_id": None}),
        workflow(say("a", llms_config={"type": "openai_llm", "streaming": "false"})),
        workflow(
            static("a", "{{interactly_api_token}} {{global.interactly_api_base_url}}"),
            defaults={
                "interactly_api_token": "t",
                "global": {"interactly_api_base_url": "https://example.com"},
            },
        ),
        workflow(static("a", "{{interactly_api_token | default: 'none'}}")),
        workflow(say("a", attachable_llm_config_id="fast", disabled=True)),
        of_settings(
            attachable_llm_config_id="fast",
            llms_config={"type": "openai_llm", "named_llm_config_id": "fast"},
        ),
    ],
)
def test_no_limit_where_nothing_is_missing(used):
    assert offline_limits(used) == []


@pytest.mark.parametrize(
    ("config", "instead"),
    [
        ({"type": "external_api"}, "a call of it fails here"),
        ({"type": "external_api", "api_endpoint": "https://example.com"}, "is used here"),
        ({"type": "inline_python", "code": "def f(): pass"}, "is used here"),
        ({"type": "inbuilt_function"}, "a call of it fails here"),
    ],
)
def test_saved_tool_says_what_happens_instead(config, instead):
    tool = {"name": "lookup", "tool_id": SAVED_TOOL, **config}

    [limit] = offline_limits(workflow(node("call", "tool_node", tool_config=tool)))

    assert "'lookup'" in limit.sentence
    assert instead in limit.sentence


def test_limit_inside_super_node_is_a_warning():
    inner = document(say("a", "<<<managed_prompt:tone>>>"))
    outer = workflow(node("box", "super_node", encapsulated_workflow_config=inner))

    [problem] = [each for each in check(outer) if each.code == "saved-prompt"]

    assert problem.node_logical_id == "box"
    assert "tone" in problem.message

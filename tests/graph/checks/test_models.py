from __future__ import annotations

from typing import Any

import pytest

from debugger.graph import Problem, check
from debugger.graph.checks import save_errors
from debugger.graph.offline_limits import offline_limits
from debugger.protocol.workflow import Workflow


def found(model: Any = None, **config: Any) -> list[Problem]:
    node = {"logical_id": "n", "type": "say_llm", "is_start": True, "llms_config": model}
    return check(Workflow.from_document({"node_configs": [node], "workflow_config": config}))


@pytest.mark.parametrize(
    ("kind", "is_wrong"), [("openai_llm", False), ("global_default_llm", False), ("crystal_ball", True)]
)
def test_a_model_is_of_a_type_that_exists(kind, is_wrong):
    problems = found({"type": "llm_group", "llms": [{"type": kind}]})

    assert [(problem.level, problem.code, problem.node_logical_id) for problem in problems] == (
        [("error", "unknown-llm-type", "n")] if is_wrong else []
    )


@pytest.mark.parametrize(
    ("temperature", "is_wrong"),
    [
        (0, False),
        (1, False),
        ("0.5", False),
        (None, False),
        (1.1, True),
        (-0.1, True),
        ("warm", True),
        (True, True),
    ],
)
def test_a_temperature_is_from_0_to_1(temperature, is_wrong):
    problems = found(llms_config={"type": "openai_llm", "temperature": temperature})

    assert [problem.code for problem in problems] == (["temperature-out-of-range"] if is_wrong else [])


@pytest.mark.parametrize(
    ("timeout", "is_wrong"), [(0, False), (300, False), (301, True), (-1, True), ("x", True)]
)
def test_a_request_is_given_up_after_five_minutes(timeout, is_wrong):
    node = {"logical_id": "h", "type": "http_request", "is_start": True, "timeout": timeout}

    problems = check(Workflow.from_document({"node_configs": [node]}))

    assert [problem.code for problem in problems] == (["timeout-out-of-range"] if is_wrong else [])


def test_model_of_a_transcript_is_named_by_its_field():
    model = {"process_transcript_llms_config": {"type": "crystal_ball"}}
    node = {"logical_id": "end", "type": "end_conversation", "is_start": True, **model}

    [problem] = check(Workflow.from_document({"node_configs": [node]}))

    assert "'process_transcript_llms_config' has the type 'crystal_ball'" in problem.message


def test_a_tool_server_has_an_address():
    servers = [{"name": "good", "server_url": "https://x.test/mcp"}, {"name": "bad"}]

    [problem] = found(mcp_servers=servers)

    assert (problem.level, problem.code) == ("error", "server-without-url")
    assert "'bad'" in problem.message


@pytest.mark.parametrize("kind", ["realtime_agent", None, "say_static"])
def test_fields_of_other_types_refuse_no_save(kind):
    model = {"type": "realtime_llm", "temperature": 1.5, "integration_auth": {"integration_id": "okta"}}
    tools = {"tools": [{"type": "mcp_tool", "name": "x", "tool_id": "saved"}]}
    fields = {"llms_config": model, "process_transcript_llms_config": model, "tools_config": tools}
    fields["attachable_llm_config_id"] = "saved"
    node = {"logical_id": "n", "is_start": True, **({"type": kind} if kind else {}), **fields}
    flow = Workflow.from_document({"node_configs": [node]})

    assert list(save_errors(flow)) == []
    assert offline_limits(flow) == []

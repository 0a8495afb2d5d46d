from __future__ import annotations

import pytest

from debugger.engine.nodes import NODE_TYPES
from debugger.protocol.workflow import Workflow
from debugger.samples import SAMPLES
from debugger.scenarios.possible_effects import possible_effects
from tests.support.factories import document, node, say, static, tool

API = {"type": "external_api", "name": "api", "api_endpoint": "https://api.example"}


def classes(*parts, **config):
    return {(each.call_class, each.node) for each in possible_effects(workflow(*parts, **config))}


def workflow(*parts, **config):
    return Workflow.from_document(document(*parts, **config))


@pytest.mark.parametrize(
    ("made", "call_class"),
    [
        (node("a", "http_request", url="https://api.example"), "read"),
        (node("a", "http_request", url="https://api.example", method="POST"), "write"),
        (node("a", "google_docs", operate_document={"type": "google_docs_get_document"}), "read"),
        (node("a", "google_docs", operate_document={"type": "google_docs_create_document"}), "write"),
        (node("a", "teleport"), "write"),
        (tool("a", "print()"), "python"),
        (node("a", "tool_node", tool_config=API), "read"),
        (node("a", "tool_node", tool_config={**API, "args_schema": {"x": {"type": ["null"]}}}), "read"),
        (node("a", "tool_node", tool_config={**API, "api_method": "POST"}), "write"),
        (node("a", "tool_node", tool_config={**API, "side_effect": "sends"}), "contact"),
        (node("a", "tool_node", tool_config={"type": "external_api", "tool_id": "saved"}), "write"),
        (
            node("a", "tool_node", tool_config={"type": "inbuilt_function", "name": "call_forward"}),
            "contact",
        ),
        (
            node(
                "a",
                "tool_node",
                tool_config={"type": "inbuilt_function", "name": "communication_send_sms_twilio"},
            ),
            "contact",
        ),
        (node("a", "tool_node", tool_config={"type": "inbuilt_function", "name": "odd"}), "write"),
    ],
)
def test_node_has_its_class(made, call_class):
    assert classes(static("hello", "Hello"), made) == {(call_class, "A")}


def test_every_node_type_with_an_effect_is_classed():
    found = {
        name: {each.call_class for each in possible_effects(workflow(node("a", name)))} for name in NODE_TYPES
    }

    assert {name: classes for name, classes in found.items() if classes} == {
        **{name: {"contact"} for name in ("send_sms", "start_conversation")},
        **{f"athena_{name}": {"contact"} for name in ("patients_create", "patients_update")},
        "athena_appointments_create": {"contact"},
        "athena_patients_search": {"read"},
        "http_request": {"read"},
        "google_docs": {"write"},
        **{name: {"talk"} for name in ("say_llm", "worker_llm", "workflow_run_evaluator")},
    }


def test_silent_nodes_have_no_effect():
    math = {"type": "inbuilt_function", "name": "math_add"}

    assert classes(
        static("hello", "Hello"), node("n", "no_op"), node("t", "tool_node", tool_config=math)
    ) == (set())


def test_tools_of_models_and_workflow_count():
    found = possible_effects(
        workflow(
            say("a", tools_config={"tools": [{**API, "api_method": "DELETE", "name": "wipe"}]}),
            tools_config={"tools": [{**API, "name": "look"}]},
            mcp_servers=[{"server_url": "https://mcp.example"}],
        )
    )

    assert {(each.call_class, each.node, each.what) for each in found} == {
        ("talk", "A", "say_llm"),
        ("write", "A", "tool wipe"),
        ("read", "workflow", "tool look"),
        ("write", "workflow", "tools of MCP servers"),
    }


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_samples_are_read(sample):
    effects = possible_effects(Workflow.from_document(sample.load_documents()[-1]))

    assert {each.call_class for each in effects} <= {"talk", "read", "write", "contact", "python"}

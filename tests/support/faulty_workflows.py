"""Workflows that each break one rule by which the platform refuses to save a workflow."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.support.factories import Json, direct, document, node, say, static, when, worker


class Faulty(NamedTuple):
    """A workflow and the rule that it breaks."""

    rule: str
    """What is wrong, in a few words."""
    code: str
    """The code of the check."""
    document: Json
    told: str
    """A part of the message."""


def tool_node(config: Json, **fields: Any) -> Json:
    """Return a node with Python code that takes any arguments, if the tool is not of another type."""
    python = {"type": "inline_python", "name": "price", "code": "def price(**given):\n    return {'n': 1}\n"}
    return node("t", "tool_node", tool_config={**python, **config}, **fields)


def _mapped(*targets: Any, **fields: Any) -> Json:
    mappings = [{"target_variable_name": target, "result_path": "n"} for target in targets]
    return document(tool_node({"result_variable_mappings": mappings}, **fields))


def _bound(*names: Any, config: Json | None = None, **fields: Any) -> Json:
    bindings = [{"argument_name": name, "source": "literal", "literal_value": 1, **fields} for name in names]
    return document(tool_node({"variable_arguments": bindings, **(config or {})}))


def _super_node(values: Json, **field: Any) -> Json:
    inner = document(static("inner", "Hi {{guest}}"))
    target = {"target_type": "dynamic_variable", "target_variable_name": "guest"}
    interface = {"input_fields": [{"name": "guest", "mappings": [target], **field}]}
    return document(
        node(
            "s",
            "super_node",
            super_node_interface=interface,
            field_values=values,
            encapsulated_workflow_config=inner,
        )
    )


_API = {"type": "external_api", "name": "api", "api_endpoint": "https://example.com", "api_method": "POST"}
_RETRY = {"enabled": True}

CONSTRUCTION_FAULTS = [
    Faulty("target _x", "result-mapping", _mapped("_x"), "'_x', which begins with an underscore"),
    Faulty("target a.b", "result-mapping", _mapped("a.b"), "'a.b', which is not a valid variable name"),
    Faulty("empty target", "result-mapping", _mapped(""), "'', which is not a valid variable name"),
    Faulty("target twice", "result-mapping", _mapped("x", "x"), "'x', which is mapped more than once"),
    Faulty(
        "own success as target",
        "result-mapping",
        _mapped("scoring_success", result_runtime_variable_name="scoring"),
        "'scoring_success', which is the name of the tool's own outcome",
    ),
    Faulty(
        "own error as target",
        "result-mapping",
        _mapped("tool_result_error"),
        "'tool_result_error', which is the name of the tool's own outcome",
    ),
    Faulty(
        "outcome of the tool below a renamed node result",
        "result-mapping",
        _mapped("tool_result_success", result_runtime_variable_name="scoring"),
        "'tool_result_success', which is the name of the tool's own outcome",
    ),
    Faulty(
        "scope of a target",
        "result-mapping",
        document(tool_node({"result_variable_mappings": [{"target_variable_name": "x", "scope": "galaxy"}]})),
        "the scope 'galaxy'",
    ),
    Faulty("argument a.b", "tool-argument", _bound("a.b"), "'a.b', which is not a valid argument name"),
    Faulty("argument class", "tool-argument", _bound("class"), "'class', which is not a valid argument name"),
    Faulty("argument twice", "tool-argument", _bound("cups", "cups"), "'cups', which is set more than once"),
    Faulty("source of an argument", "tool-argument", _bound("cups", source="sky"), "the source 'sky'"),
    Faulty("argument without a path", "tool-argument", _bound("cups", source="auto"), "no 'variable_path'"),
    Faulty(
        "argument without a purpose",
        "tool-argument",
        _bound("cups", override_provided_value=False),
        "neither exposed to the model nor overrides",
    ),
    Faulty(
        "argument without a slot",
        "tool-argument",
        _bound("cups", config=_API),
        "does not occur as {cups}",
    ),
    Faulty(
        "argument of a knowledge base",
        "tool-argument",
        _bound("cups", config={"type": "knowledge_base", "name": "kb"}),
        "a knowledge base does not have",
    ),
    Faulty(
        "argument that a function lacks",
        "tool-argument",
        _bound("c", config={"type": "inbuilt_function", "name": "math_add", "tool_id": "math_add"}),
        "'c', which the function 'math_add' does not have",
    ),
    Faulty(
        "API body",
        "api-body-not-json",
        document(tool_node({**_API, "api_body": "{a: 1}"})),
        "an 'api_body' that is not JSON",
    ),
    Faulty("type of a tool", "unknown-tool-type", document(tool_node({"type": "spell"})), "the type 'spell'"),
    Faulty(
        "argument of a model's tool",
        "tool-argument",
        document(say("a", tools_config={"tools": [_bound("class")["node_configs"][0]["tool_config"]]})),
        "'class', which is not a valid argument name",
    ),
    Faulty(
        "argument of a workflow's tool",
        "tool-argument",
        document(say("a"), tools_config={"tools": [_bound("class")["node_configs"][0]["tool_config"]]}),
        "'class', which is not a valid argument name",
    ),
    Faulty(
        "API body that is a list",
        "api-body-not-json",
        document(tool_node({**_API, "api_body": "[1]"})),
        "an 'api_body' that is no JSON object",
    ),
    Faulty(
        "temperature",
        "temperature-out-of-range",
        document(static("a", "Hi"), llms_config={"type": "openai_llm", "temperature": 1.5}),
        "'temperature' is '1.5'",
    ),
    Faulty(
        "type of a model",
        "unknown-llm-type",
        document(say("a", llms_config={"type": "tarot_llm"})),
        "the type 'tarot_llm'",
    ),
    Faulty(
        "timeout",
        "timeout-out-of-range",
        document(node("h", "http_request", url="https://example.com", timeout=301)),
        "the 'timeout' '301'",
    ),
    Faulty(
        "MCP server",
        "server-without-url",
        document(static("a", "Hi"), mcp_servers=[{"name": "crm"}]),
        "('crm') has no 'server_url'",
    ),
    Faulty(
        "node id twice",
        "duplicate-node-id",
        document(static("a", "Hi"), static("b", "Bye"), static("b", "Bye again"), direct("a", "b")),
        "2 nodes have the id 'b'",
    ),
    Faulty(
        "edge id twice",
        "duplicate-edge-id",
        document(
            static("a", "Hi"),
            static("b", "Bye"),
            when("a", "b", "1 == 2"),
            {**when("a", "b", "1 == 1"), "name": "again"},
        ),
        "2 edges have the id 'edge_a_b'",
    ),
    Faulty(
        "required field of a super node",
        "super-node-field",
        _super_node({}),
        "lacks 'guest', which is required",
    ),
    Faulty(
        "type of a super node's field",
        "super-node-field",
        _super_node({"guest": "Ada"}, value_type="integer"),
        "'guest' is 'Ada' and not of the type 'integer'",
    ),
    Faulty(
        "choice of a super node's field",
        "super-node-field",
        _super_node({"guest": "Ada"}, value_type="enum", enum_values=["Bo"]),
        "'guest' is 'Ada', which is none of",
    ),
    Faulty(
        "range of a super node's field",
        "super-node-field",
        _super_node({"guest": 9}, max_value=5),
        "'guest' is 9, and 'max_value' is 5",
    ),
    Faulty(
        "loop without a bound",
        "retry-without-bound",
        document(worker("w", wait_for_user_message=False, self_loop_config=_RETRY)),
        "'self_loop_config' enabled without a bound",
    ),
]
"""Source: V15 to V21 in ``platform.md#validation``."""

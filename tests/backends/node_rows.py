"""Expected events of each node type (``platform.md#node-runs``), as rows of data.

``made``, ``call`` and ``a run`` stand for whatever was made up, ``SERVER`` for the address of a server.
"""

from __future__ import annotations

from typing import Any

from tests.backends.connector_rows import CONNECTORS, outcome
from tests.support.factories import Json, document, node, say, static, tool, worker

GIVEN = {"dynamic_variables": {}, "runtime_variables": {}, "miscellaneous": {}}


def llm_input(*messages: str, kind: str = "llm") -> Json:
    return {"type": kind, "node_logical_id": "n", **GIVEN, "messages": list(messages)}


ROWS: dict[str, tuple[Json, Json, list[Any]]] = {
    "say_llm": (
        say("n"),
        {"text": "hi"},
        [
            ("start_node_run", llm_input("hi")),
            (
                "say_llm",
                {"message": '[built-in rules: N] I heard: "hi".', "llm_usage_info": "built-in rules"},
            ),
            (
                "assistant_response",
                {
                    "content": '[built-in rules: N] I heard: "hi".',
                    "response_metadata": {},
                    "llm_usage_info": "built-in rules",
                },
            ),
            ("end_node_run", {"structured_output": {}}),
            ("workflow_show_state", {}),
        ],
    ),
    "worker_llm": (
        worker("n", {"email": {"type": "string", "format": "email"}}),
        {"text": "ada@example.com"},
        [
            ("start_node_run", llm_input("ada@example.com")),
            ("worker_llm", {"message": "", "llm_usage_info": "built-in rules"}),
            ("end_node_run", {"structured_output": {"email": "ada@example.com"}}),
            ("workflow_show_state", {"email": "ada@example.com"}),
        ],
    ),
    "say_static": (
        static("n", "Hello"),
        {},
        [
            ("start_node_run", None),
            ("say_static", {"message": "Hello"}),
            (
                "assistant_response",
                {"content": "Hello", "response_metadata": {"message_type": "static"}, "llm_usage_info": {}},
            ),
            ("end_node_run", {}),
            ("workflow_show_state", {}),
        ],
    ),
    "tool_node": (
        tool("n", "def f(a):\n    return [a]\n", {"a": "1"}),
        {},
        [
            ("start_node_run", None),
            ("end_node_run", {"success": True, "tool_result": ["1"], "error_message": None}),
            ("workflow_show_state", outcome("tool_result", ["1"])),
        ],
    ),
    "http_request": (
        node("n", "http_request", url="SERVER/slots"),
        {},
        [
            ("start_node_run", None),
            (
                "http_request",
                {
                    "curl_command": "curl -X GET SERVER/slots",
                    "status_code": 200,
                    "response_body": {"free": [9]},
                    "error": None,
                },
            ),
            (
                "end_node_run",
                {
                    "curl_command": "curl -X GET SERVER/slots",
                    "success": True,
                    "http_status_code": 200,
                    "http_response": {"free": [9]},
                },
            ),
            ("workflow_show_state", outcome("http_request_result", {"free": [9]})),
        ],
    ),
    "no_op": (
        node("n", "no_op"),
        {},
        [
            ("start_node_run", None),
            ("end_node_run", {"success": True, "error_message": None}),
            ("workflow_show_state", {"no_op_result": None, "no_op_result_success": True}),
        ],
    ),
    "deduplicate": (
        node("n", "deduplicate", input_runtime_variable_name="rows", dedup_key="id"),
        {"runtime_variables": {"rows": [{"id": 1}, {"id": 1}]}},
        [
            ("start_node_run", None),
            (
                "end_node_run",
                {
                    "success": True,
                    "deduplicated_list": [{"id": 1}],
                    "removed_count": 1,
                    "error_message": None,
                },
            ),
            (
                "workflow_show_state",
                outcome("deduplicate_result", [{"id": 1}]),
            ),
        ],
    ),
    "field_extractor": (
        node("n", "field_extractor", input_runtime_variable_name="row", keys_to_retain=["a"]),
        {"runtime_variables": {"row": {"a": 1, "b": 2}}},
        [
            ("start_node_run", None),
            ("end_node_run", {"success": True, "extracted_result": {"a": 1}, "error_message": None}),
            (
                "workflow_show_state",
                outcome("field_extractor_result", {"a": 1}),
            ),
        ],
    ),
    "workflow_run_fetch": (
        node("n", "workflow_run_fetch"),
        {},
        [
            ("start_node_run", None),
            ("end_node_run", {"fetched_workflow_run": "a run"}),
            ("workflow_show_state", outcome("workflow_run_object", "a run")),
        ],
    ),
    "workflow_run_evaluator": (
        node("n", "workflow_run_evaluator", output_runtime_variable_name="verdict"),
        {"runtime_variables": {"workflow_run_object": "a run"}},
        [
            ("start_node_run", llm_input(kind="workflow_run_evaluator")),
            ("worker_llm", {"message": "", "llm_usage_info": "built-in rules"}),
            ("end_node_run", {"structured_output": {}, "free_form_output": ""}),
            ("workflow_show_state", {"verdict": ""}),
        ],
    ),
    "super_node": (
        node("n", "super_node", encapsulated_workflow_config=document(static("in", "Inside"))),
        {},
        [
            ("start_node_run", None),
            (
                "say_static",
                {
                    "message": "Inside",
                },
            ),
            (
                "assistant_response",
                {
                    "content": "Inside",
                    "response_metadata": {"message_type": "static"},
                    "llm_usage_info": {},
                },
            ),
            ("end_node_run", {}),
            ("workflow_show_state", {}),
        ],
    ),
    **CONNECTORS,
}
"""By node type: the node, what a turn is given, and what its run tells."""

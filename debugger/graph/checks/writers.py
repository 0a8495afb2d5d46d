"""The runtime variables that a workflow writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from debugger.graph.checks.subject import LLM_FLAGS, Subject, own_field
from debugger.graph.checks.tools import tools_of
from debugger.protocol.workflow import NodeConfig

_FRAMEWORK = {
    *("input_dynamic_variables", "all_dynamic_variables", "workflow_invoke_count", "self_loop_outcome"),
    *("raw_conversation_transcript", "processed_transcript"),
}
_RESULTS = {
    "http_request": ("result_runtime_variable_name", "http_request_result"),
    "no_op": ("output_runtime_variable_name", "no_op_result"),
    "deduplicate": ("output_runtime_variable_name", "deduplicate_result"),
    "field_extractor": ("output_runtime_variable_name", "field_extractor_result"),
    "workflow_run_fetch": ("result_runtime_variable_name", "workflow_run_object"),
}
_FIXED_RESULTS = {
    "send_sms": "send_sms_result",
    "start_conversation": "start_conversation_result",
    "end_conversation": "processed_transcript",
    "google_docs": "google_docs_result",
    "athena_patients_search": "athena_result",
    "athena_patients_create": "athena_result",
    "athena_patients_update": "athena_result",
    "athena_appointments_create": "athena_result",
}
_WRITES_NOTHING_ELSE = {*_RESULTS, *_FIXED_RESULTS, *LLM_FLAGS, "say_static", "tool_node"}


def runtime_names(subject: Subject) -> set[str] | None:
    """The names of all runtime variables that there can be; ``None`` where only a run shows them.

    Source: ``platform/engine.md`` 5.4.
    """
    names = {*_FRAMEWORK, *subject.graph.workflow.runtime_variables}
    for found in (*_of_tools(subject), *map(_of_node, subject.nodes)):
        if found is None:
            return None
        names |= found
    return names


def _of_tools(subject: Subject) -> Iterator[set[str] | None]:
    for tool in tools_of(subject):
        # A saved tool brings settings that the document does not show.
        if tool.config.get("tool_id") or tool.config.get("expand_result_into_runtime_variables"):
            yield None
            return
        mapped = {
            str(entry.get("target_variable_name")) for entry in tool.entries("result_variable_mappings")
        }
        yield mapped | _with_outcome(tool.result_name)


def _of_node(node: NodeConfig) -> set[str] | None:
    if node.type not in _WRITES_NOTHING_ELSE:
        return None
    if node.type in _RESULTS:
        field, default = _RESULTS[node.type]
        return _with_outcome(str(own_field(node, field) or default))
    if node.type in _FIXED_RESULTS:
        return _with_outcome(_FIXED_RESULTS[node.type])
    if node.type == "workflow_run_evaluator":
        return None
    return _of_schema(own_field(node, "structured_output_schema")) if node.type in LLM_FLAGS else set()


def _with_outcome(name: str) -> set[str]:
    return {name, f"{name}_success", f"{name}_error"}


def _of_schema(schema: Any) -> set[str] | None:
    """The top-level names of a structured output; ``None`` where the schema does not list them all."""
    if not schema:
        return set()
    inner = schema.get("input_schema", schema) if isinstance(schema, dict) else None
    if not isinstance(inner, dict) or inner.get("additionalProperties") not in (None, False):
        return None
    properties = inner.get("properties")
    return set(properties) if isinstance(properties, dict) else None

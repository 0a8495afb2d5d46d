"""Workflows in five lines."""

from __future__ import annotations

from typing import Any

from debugger.protocol.workflow import Workflow

Json = dict[str, Any]


def static(node_id: str, *texts: str, mode: str = "sequence", **fields: Any) -> Json:
    """A node that speaks a fixed text."""
    messages = {"static_messages": list(texts), "static_messages_selection_mode": mode}
    return node(node_id, "say_static", static_messages_config=messages, **fields)


def say(node_id: str, prompt: str = "Talk.", **fields: Any) -> Json:
    """Return a model node that speaks, waits and loops to itself.

    Both can be switched off.
    """
    return node(node_id, "say_llm", main_response_config={"prompt": prompt}, **fields)


def worker(node_id: str, properties: Json | None = None, **fields: Any) -> Json:
    """A silent model node that fills a schema."""
    schema = {"name": "Facts", "input_schema": {"type": "object", "properties": properties or {}}}
    return node(node_id, "worker_llm", structured_output_schema=schema, **fields)


def tool(node_id: str, code: str, arguments: Json | None = None, **fields: Any) -> Json:
    """A node that runs Python code."""
    config = {"type": "inline_python", "name": node_id, "code": code}
    return node(node_id, "tool_node", tool_config=config, tool_arguments=arguments or {}, **fields)


def node(node_id: str, node_type: str, **fields: Any) -> Json:
    """Return a node of any type, named after its id."""
    return {"type": node_type, "logical_id": node_id, "name": node_id.capitalize(), **fields}


def direct(source: str, destination: str, **fields: Any) -> Json:
    """An edge without a condition."""
    return _edge("direct", source, destination, **fields)


def when(source: str, destination: str, expression: str | None = None, **fields: Any) -> Json:
    """Return an edge with an expression, or a condition for a model.

    ``freeform=`` is the condition for a model.
    """
    condition = {"condition_expression": expression, "condition_freeform": fields.pop("freeform", None)}
    condition.update(fields.pop("condition", {}))
    return _edge("conditional", source, destination, condition=condition, **fields)


def everywhere(freeform: str, back: str | None = None, judged: str = "workflow_default") -> Json:
    """Return the settings of a global node.

    They say when to enter, when to return if at all, and how this is judged.
    """
    reverse = {"condition_freeform": back} if back else None
    return {
        "is_global": True,
        "condition": {"condition_freeform": freeform},
        "reverse_conditional_edge": reverse,
        "global_condition_edge_evaluation_method": judged,
    }


def document(*parts: Json, defaults: Json | None = None, **config: Any) -> Json:
    """Return a hydrated document of nodes and edges.

    The first node is the start unless one says that it is.
    """
    nodes = [dict(part) for part in parts if "source_node_logical_id" not in part]
    edges = [part for part in parts if "source_node_logical_id" in part]
    if nodes and not any(part.get("is_start") for part in nodes):
        nodes[0]["is_start"] = True
    miscellaneous = {**config.pop("miscellaneous", {}), "default_dynamic_variables": defaults or {}}
    settings = {"logical_id": "workflow_test", "name": "Test", **config, "miscellaneous": miscellaneous}
    return {"workflow_config": settings, "node_configs": nodes, "edge_configs": edges}


def workflow(*parts: Json, **config: Any) -> Workflow:
    """A workflow out of nodes and edges."""
    return Workflow.from_document(document(*parts, **config))


def _edge(edge_type: str, source: str, destination: str, **fields: Any) -> Json:
    return {
        "type": edge_type,
        "logical_id": f"edge_{source}_{destination}",
        "source_node_logical_id": source,
        "destination_node_logical_id": destination,
        **fields,
    }

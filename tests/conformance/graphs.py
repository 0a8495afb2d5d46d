"""Workflows out of the words of ``platform.md#workflow-document``."""

from __future__ import annotations


def static(node_id, text, **fields):
    messages = {"static_messages": [text], "static_messages_selection_mode": "sequence"}
    return {
        "type": "say_static",
        "logical_id": node_id,
        "name": node_id.title(),
        "static_messages_config": messages,
        **fields,
    }


def chat(node_id, prompt="Say one short sentence.", **fields):
    """Return a node that speaks, waits and loops to itself."""
    return {
        "type": "say_llm",
        "logical_id": node_id,
        "name": node_id.title(),
        "main_response_config": {"prompt": prompt},
        **fields,
    }


def tool(node_id, code):
    config = {"type": "inline_python", "name": f"{node_id}_tool", "code": code}
    return {
        "type": "tool_node",
        "logical_id": node_id,
        "name": node_id.title(),
        "tool_config": config,
        "tool_arguments": {},
    }


def http(node_id, url, **fields):
    return {
        "type": "http_request",
        "logical_id": node_id,
        "name": node_id.title(),
        "url": url,
        "method": "GET",
        **fields,
    }


def direct(source, destination):
    return {
        "type": "direct",
        "logical_id": f"edge_{source}_{destination}",
        "source_node_logical_id": source,
        "destination_node_logical_id": destination,
    }


def when(source, destination, expression, **fields):
    return {
        **direct(source, destination),
        "type": "conditional",
        "condition": {"condition_expression": expression},
        **fields,
    }


def graph(*parts, **settings):
    """A hydrated document; its first node is the start."""
    nodes = [dict(part) for part in parts if "source_node_logical_id" not in part]
    if nodes and not any(node.get("is_start") for node in nodes):
        nodes[0]["is_start"] = True
    return {
        "workflow_config": {"logical_id": "workflow_tea", "name": "Inner", **settings},
        "node_configs": nodes,
        "edge_configs": [part for part in parts if "source_node_logical_id" in part],
        "dynamic_variables": {},
        "runtime_variables": {},
    }


def greeting(text="Hello"):
    """Says one thing and is over."""
    return graph(static("hello", text))


def shop():
    """Return a workflow that talks until the user is done."""
    return graph(
        static("greet", "Welcome to {{shop}}"),
        chat("ask"),
        static("bye", "Enjoy your [[tea]]"),
        direct("greet", "ask"),
        when("ask", "bye", "[[done]] == true"),
        miscellaneous={"default_dynamic_variables": {"shop": "Leaf"}},
    )

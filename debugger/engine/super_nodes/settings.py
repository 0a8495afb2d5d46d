"""The settings of an inner workflow, written into its nodes (U-15 in ``platform/engine.md`` 15)."""

from __future__ import annotations

from typing import Any

from debugger.engine.super_nodes.models import ModelRule
from debugger.errors import RunError
from debugger.graph.checks import LLM_FLAGS
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import as_bool

_DEFERRING = {"type": "global_default_llm"}
_IGNORE_CONTENT = "ignore_content_received_during_llm_tool_call_specification"


def baked(node: JsonObject, config: JsonObject, rule: ModelRule) -> JsonObject:
    """An inner node with all that it takes from its workflow's settings in it.

    Prefix, prompt and suffix become the node's own prompt, and the outer workflow's are kept out; the
    workflow's tools come to the node's; servers for tools go to the nodes that use them; a global node
    is judged as its workflow says. Only nodes that call a model have the most of that.

    Args:
        node: The node as it is written.
        config: The settings of the workflow that it is in.
        rule: Which language model it asks.

    Raises:
        RunError: The workflow's prompt is no text.
    """
    node = _judged(node, config)
    if node.get("type") not in LLM_FLAGS:
        return node
    node = _prompted(with_tools(node, config), config)
    model = rule.of(node)
    node = model.onto(node) if model else {**node, "llms_config": _DEFERRING}
    if node.get("backchannel_response_config") is None and config.get("backchannel_response_config"):
        node["backchannel_response_config"] = config["backchannel_response_config"]
    if as_bool(config.get(_IGNORE_CONTENT), False):
        node[_IGNORE_CONTENT] = True
    if as_bool(node.get("use_mcp_tools"), False):
        node["mcp_servers"] = config.get("mcp_servers") or []
    return node


def with_tools(node: JsonObject, config: JsonObject) -> JsonObject:
    """A node that calls a model with the workflow's tools behind its own, without those that it has."""
    own, written = tools_of(node), node.get("tools_config")
    shared = [tool for tool in tools_of(config) if tool not in own]
    if not shared or node.get("type") not in LLM_FLAGS:
        return node
    return {
        **node,
        "tools_config": {**(written if isinstance(written, dict) else {}), "tools": [*own, *shared]},
    }


def tools_of(holder: JsonObject) -> list[Any]:
    """The tools that a workflow or a node lists."""
    found = holder.get("tools_config")
    tools = found.get("tools") if isinstance(found, dict) else None
    return tools if isinstance(tools, list) else []


def _prompted(node: JsonObject, config: JsonObject) -> JsonObject:
    own = node.get("main_response_config")
    prompt = own.get("prompt") if isinstance(own, dict) else None
    if own is not None and (not isinstance(own, dict) or not isinstance(prompt, str | None)):
        return node  # the node itself tells what is wrong with its prompt
    parts = (
        None
        if as_bool(node.get("ignore_default_prompt_prefix"), False)
        else config.get("default_prompt_prefix"),
        _shared_prompt(config) if prompt is None else prompt,
        None
        if as_bool(node.get("ignore_default_prompt_suffix"), False)
        else config.get("default_prompt_suffix"),
    )
    return {
        **node,
        "main_response_config": {**(own or {}), "prompt": "\n\n".join(part for part in parts if part)},
        "ignore_default_prompt_prefix": True,
        "ignore_default_prompt_suffix": True,
    }


def _shared_prompt(config: JsonObject) -> str | None:
    found = (config.get("main_response_config") or {}).get("prompt")
    if found is None or isinstance(found, str):
        return found
    raise RunError(
        f"The workflow {config.get('name')!r} has a main_response_config with a prompt that is no text: "
        f"{found!r}.",
        advice="Write a text there, or null.",
    )


def _judged(node: JsonObject, config: JsonObject) -> JsonObject:
    """A global node that is judged as its own workflow says, not as the outer one."""
    name = "global_condition_edge_evaluation_method"
    settings = node.get("global_node_config")
    if not isinstance(settings, dict) or settings.get(name, "workflow_default") != "workflow_default":
        return node
    method = config.get("global_condition_evaluation_method") or "tool_call"
    return {**node, "global_node_config": {**settings, name: method}}

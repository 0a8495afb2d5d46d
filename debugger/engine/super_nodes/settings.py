"""Settings of an inner workflow, written into its nodes (U-15).

Source: ``platform.md#unknowns``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from debugger.engine.super_nodes.parts import Part
from debugger.engine.super_nodes.sources import SuperNode
from debugger.errors import RunError
from debugger.graph.node_types import MODEL_NODES
from debugger.protocol.base import JsonObject, read_flag

_DEFERRING = {"type": "global_default_llm"}
_SAVED = "attachable_llm_config_id"
_IGNORE_CONTENT = "ignore_content_received_during_llm_tool_call_specification"


def with_inherited_settings(
    node: JsonObject, config: JsonObject, rule: ModelRule, *, is_judged: bool = False
) -> JsonObject:
    """Return a copy of an inner node with its workflow's settings.

    Prefix, prompt and suffix become the node's own prompt, and the outer workflow's do not apply; the
    workflow's tools come to the node's; servers for tools go to the nodes that use them; a global node is
    judged as its workflow says. Only nodes that call a model have the most of that.

    Args:
        node: The node as it is written.
        config: The settings of the workflow that it is in.
        rule: Which language model it asks.
        is_judged: Whether a model judges edges out of it.

    Raises:
        RunError: The workflow's prompt is no text.
    """
    node = _judged(node, config)
    if node.get("type") not in MODEL_NODES:
        is_transcript = node.get("type") == "end_conversation"
        name = "process_transcript_llms_config" if is_transcript else "llms_config"
        return _with_model(node, rule, name) if is_transcript or is_judged else node
    node = {"llms_config": _DEFERRING, **_prompted(with_tools(node, config), config)}
    node = _with_model(node, rule, "llms_config")
    if node.get("backchannel_response_config") is None and config.get("backchannel_response_config"):
        node["backchannel_response_config"] = config["backchannel_response_config"]
    if read_flag(config.get(_IGNORE_CONTENT)):
        node[_IGNORE_CONTENT] = True
    if Part(node).use_mcp_tools:
        node["mcp_servers"] = config.get("mcp_servers") or []
    return node


def _with_model(node: JsonObject, rule: ModelRule, name: str) -> JsonObject:
    model = rule.apply_rules(model_of({_SAVED: node.get(_SAVED), "llms_config": node.get(name)}))
    if model is None:
        return {**node, name: _DEFERRING} if name in node else node
    return {**node, _SAVED: model.saved_id, name: model.config}


def with_tools(node: JsonObject, config: JsonObject) -> JsonObject:
    """Return a model's node with its workflow's tools behind its own, each once.

    It is the node itself where it calls no model or the workflow has no other tools.
    """
    own, written = tools_of(node), node.get("tools_config")
    shared = [tool for tool in tools_of(config) if tool not in own]
    if not shared or node.get("type") not in MODEL_NODES:
        return node
    return {
        **node,
        "tools_config": {**(written if isinstance(written, dict) else {}), "tools": [*own, *shared]},
    }


def tools_of(holder: JsonObject) -> list[Any]:
    """Return the tools that a workflow or a node lists."""
    found = holder.get("tools_config")
    tools = found.get("tools") if isinstance(found, dict) else None
    return tools if isinstance(tools, list) else []


def _prompted(node: JsonObject, config: JsonObject) -> JsonObject:
    """Return a node with the workflow's prefix and suffix in its own prompt, applied only once.

    The workflow's prompt counts where it has none; a node whose prompt cannot be read stays as it is.

    Raises:
        RunError: The workflow's prompt is no text.
    """
    own = node.get("main_response_config")
    prompt = own.get("prompt") if isinstance(own, dict) else None
    if own is not None and (not isinstance(own, dict) or not isinstance(prompt, str | None)):
        return node  # the node itself reports the error in its prompt
    flags = Part(node)
    parts = (
        None if flags.ignore_default_prompt_prefix else config.get("default_prompt_prefix"),
        _shared_prompt(config) if prompt is None else prompt,
        None if flags.ignore_default_prompt_suffix else config.get("default_prompt_suffix"),
    )
    return {
        **node,
        "main_response_config": {**(own or {}), "prompt": "\n\n".join(part for part in parts if part)},
        "ignore_default_prompt_prefix": True,
        "ignore_default_prompt_suffix": True,
    }


def _shared_prompt(config: JsonObject) -> str | None:
    """Return the prompt in a workflow's settings; ``None`` without one.

    Raises:
        RunError: It is no text.
    """
    found = (config.get("main_response_config") or {}).get("prompt")
    if found is None or isinstance(found, str):
        return found
    raise RunError(
        f"The workflow {config.get('name')!r} has a main_response_config with a prompt that is not a text: "
        f"{found!r}.",
        advice="Write a text there, or null.",
    )


def _judged(node: JsonObject, config: JsonObject) -> JsonObject:
    """Return a global node with its own workflow's evaluation method, ``tool_call`` by default.

    It is the node itself where it is not global or has a method of its own.
    """
    name = "global_condition_edge_evaluation_method"
    settings = node.get("global_node_config")
    if not isinstance(settings, dict) or settings.get(name, "workflow_default") != "workflow_default":
        return node
    method = config.get("global_condition_evaluation_method") or "tool_call"
    return {**node, "global_node_config": {**settings, name: method}}


_NONE = "no_llm"


class Model(NamedTuple):
    """A choice of a model: a saved one, or a configuration.

    A saved one wins.
    """

    saved_id: Any
    config: Any


def model_of(holder: JsonObject) -> Model | None:
    """Return the model of a node or of a workflow's settings, or ``None`` where it defers to an outer one.

    A saved one is returned with the configuration beside it.
    """
    saved_id, config = holder.get(_SAVED), holder.get("llms_config")
    if saved_id:
        return Model(saved_id, config)
    return None if not config or _kind(config) == _DEFERRING["type"] else Model(None, config)


def model_of_workflow(config: JsonObject) -> Model | None:
    """Return the model of a workflow's settings.

    With ``no_llm``, the default, it has no model of its own, so its nodes ask the parent's (U-58).
    """
    chosen = model_of(config)
    return None if chosen and not chosen.saved_id and _kind(chosen.config) == _NONE else chosen


@dataclass(frozen=True)
class ModelRule:
    """The models of one workflow's nodes inside others."""

    default: Model | None = None
    """For a node that defers to its workflow; ``None`` is the default of the outermost one."""
    forced: bool = False
    """Whether a super node replaces also the model of a node that has chosen one; it is then ``default``."""

    def apply_rules(self, chosen: Model | None) -> Model | None:
        """Return a choice with the outer workflows' rules applied.

        ``None`` is the outermost workflow's default.
        """
        return self.default if self.forced or chosen is None else chosen

    @classmethod
    def inside(cls, around: Self, super_node: SuperNode, config: JsonObject) -> Self:
        """Return the rule for the workflow inside a super node.

        A forced rule around it stays. Else the super node's own model is the default if it overrides, forced
        unless it is for nodes that defer only; without an override the default is the inner workflow's model.

        Args:
            around: The rule for the workflow that the super node is in.
            super_node: The super node.
            config: The settings of the workflow inside.

        Source: ``platform.md#super-nodes`` and ``platform.md#model-variants``.
        """
        if around.forced:
            return around
        flags = Part(super_node.wire)
        if not flags.override_llm_config:
            return cls(around.apply_rules(model_of_workflow(config)))
        forced = not flags.override_only_workflow_default_nodes
        return cls(around.apply_rules(model_of(super_node.wire)), forced)


def _kind(config: Any) -> Any:
    return config.get("type") if isinstance(config, dict) else None
